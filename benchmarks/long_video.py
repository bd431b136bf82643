"""Memory of long videos: `python -m benchmarks.long_video tree CLIP` or `... hour RESULT`.

`tree` runs `humans4d run` on a clip and on the same ten times over (joined without encoding) and
prints the peak resident memory of the whole process tree, sampled.

`hour` plays the detections of a short result forwards and backwards until they last an hour at
30 fps (--minutes), with --copies of everybody side by side, and takes them through lifting,
tracking, refinement, smoothing and writing. It prints seconds, peak memory and bytes per detection
of every step, and needs no pixels.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.whole_run import repeated
from pipeline.heap import give_back

SAMPLE_S = 0.05


def tree_peak_mib(command: list[str]) -> float:
    """Peak of the resident memory of a process and all its descendants."""
    process, peak_kib = subprocess.Popen(command), 0
    while process.poll() is None:
        peak_kib = max(peak_kib, sum(_rss_kib(pid) for pid in _tree(process.pid)))
        time.sleep(SAMPLE_S)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return peak_kib / 1024


def _tree(process_id: int) -> list[int]:
    found = [process_id]
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found += _tree(int(child))
    return found


def _rss_kib(process_id: int) -> int:
    try:
        lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
    except (OSError, StopIteration):
        return 0


def measure_tree(clip: Path, times: int) -> None:
    """The clip once and many times over."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run = [sys.executable, "-m", "pipeline", "run", "-q"]
        once = tree_peak_mib([*run, str(clip), "-o", str(folder / "once")])
        print(f"once:      {once:7.0f} MiB", flush=True)
        long = repeated(clip, times, folder)
        many = tree_peak_mib([*run, str(long), "-o", str(folder / "many")])
        print(f"{times} times:  {many:7.0f} MiB, {100 * (many / once - 1):+.1f} %")


def measure_hour(result: Path, minutes: float, copies: int, skipped: list[str]) -> None:
    """A short result made long, stage by stage."""
    from benchmarks.long_people import Hour  # noqa: PLC0415  (heavy; `tree` stays small)

    with tempfile.TemporaryDirectory() as scratch:
        hour = Hour(result, minutes, Path(scratch), copies)
        print(f"{hour.frames} frames, {hour.rows} detections; at the start {_now_mib():.0f} MiB")
        for name, step in hour.steps():
            if name not in skipped:
                _timed(name, step, hour.rows)


def _timed(name: str, step: Callable[[], Any], rows: int) -> None:
    give_back()  # as a run does between stages
    before_mib, start_s = _now_mib(), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    step()
    seconds, peak_mib = time.perf_counter() - start_s, status_mib("VmHWM")
    give_back()
    kept, peak = _now_mib() - before_mib, peak_mib - before_mib
    print(
        f"{name:12s} {seconds:8.1f} s, {1e3 * seconds / rows:7.3f} ms and at most "
        f"{peak * 2**20 / rows:7.0f} bytes a detection, {kept * 2**20 / rows:7.0f} kept; "
        f"peak {peak_mib:6.0f} MiB",
        flush=True,
    )


def _now_mib() -> float:
    return status_mib("VmRSS")


def status_mib(key: str) -> float:
    """A size out of this process's status: VmRSS, VmHWM, ... (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["tree", "hour"])
    parser.add_argument("path", type=Path, help="the clip, or the result")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--copies", type=int, default=1, help="of everybody, side by side")
    parser.add_argument("--skip", nargs="*", default=[], help="steps of the hour to leave out")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if options.what == "hour":
        measure_hour(options.path, options.minutes, options.copies, options.skip)
    else:
        measure_tree(options.path, options.times)


if __name__ == "__main__":
    main()

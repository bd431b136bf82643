"""kill -9 at the start, the middle and the end of every stage, at random moments, and ffmpeg's."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.row import Row
from benchmarks.faults.runs import Bench, children_of, kept_in, made_in

STAGES = ("perception", "tracking", "refinement", "smoothing", "people", "rendering", "report")
FIRST_FILE = {
    "perception": "video.npz",
    "tracking": "tracks.npz",
    "refinement": "refined.npz",
    "smoothing": "smoothed.npz",
    "people": "people/person_001.npz",
    "rendering": "overlay.mp4",
    "report": "report.json",
}
RANDOM_SEED = 7


@dataclass(frozen=True)
class Kill:
    """When to kill."""

    name: str
    moment: Callable[[Path], bool]
    wait_s: float = 0.0


def kills(bench: Bench, at_random: int) -> Iterator[Kill]:
    """Three in every stage, some where parts are written, the rest at random."""
    for before, stage in zip((None, *STAGES), STAGES, strict=False):
        begins = _begins(before)
        yield Kill(f"{stage}: start", begins)
        yield Kill(f"{stage}: middle", begins, bench.stage_seconds[stage] / 2)
        yield Kill(f"{stage}: its file is there", _exists(FIRST_FILE[stage]))
    yield Kill("perception: first chunk is there", _part("000000.npz"))
    yield Kill("perception: last chunk is there", _part("000002.npz"))
    yield Kill("rendering: first segment is there", _part("000000.nut"))
    yield Kill("rendering: last segment is there", _part("000001.nut"))
    chance, whole_s = random.Random(RANDOM_SEED), sum(bench.stage_seconds.values())
    for _ in range(at_random):
        wait_s = chance.uniform(0, whole_s)
        yield Kill(f"{wait_s:.1f} s after the start", _exists("run.json"), wait_s)


def killed(bench: Bench, kill: Kill) -> Row:
    """One kill, and the rerun after it."""
    out = bench.scratch / "killed" / kill.name.replace(" ", "_").replace(":", "")
    out.parent.mkdir(exist_ok=True)
    was = bench.kill_when(out, kill.moment, kill.wait_s)
    kept = kept_in(out)
    wrong = bench.wrong_after(out)
    return Row(f"kill -9, {kill.name}", "killed" if was else "was over before", kept, wrong)


def encoder_killed(bench: Bench) -> Row:
    """Only ffmpeg is killed: the run ends with one line, and goes on when started again."""
    out = bench.scratch / "encoder"
    process = bench.start(out)
    begins = _begins("people")
    children: list[int] = []
    while process.poll() is None and not (begins(out) and children):
        time.sleep(0.002)
        children = [child for child in children_of(process.pid) if _is_ffmpeg(child)]
    for child in children:
        os.kill(child, signal.SIGKILL)
    ended, kept = bench.end(process, out), kept_in(out)
    return Row.of_error("kill -9 of ffmpeg alone", ended, kept, bench.wrong_after(out))


def _begins(before: str | None) -> Callable[[Path], bool]:
    """The stage begins when the one before it is noted."""
    if before is None:
        return _exists("run.json")
    return lambda out: before in made_in(out)


def _exists(name: str) -> Callable[[Path], bool]:
    return lambda out: (out / name).exists()


def _part(name: str) -> Callable[[Path], bool]:
    return lambda out: any(out.glob(f".unfinished/*/{name}"))


def _is_ffmpeg(process_id: int) -> bool:
    try:
        return b"ffmpeg" in Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:
        return False

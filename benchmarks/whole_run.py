"""The whole command against the plainest thing one could do: decode and MediaPipe, nothing else.

    python -m benchmarks.whole_run VIDEO --mediapipe-python OTHER_ENV/bin/python

OTHER_ENV holds mediapipe==0.10.14, av and numpy<2 (they do not fit beside humans4d's own numpy).
Prints the seconds of `humans4d run` (first, and again with nothing changed), its peak memory, both
for the clip ten times over with --long, and the ratio to PyAV decode + Pose(model_complexity=1).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BASELINE = """
import sys, time
import av, mediapipe
start = time.perf_counter()
frames = found = 0
with mediapipe.solutions.pose.Pose(model_complexity=1) as pose, av.open(sys.argv[1]) as file:
    file.streams.video[0].thread_type = "AUTO"
    for frame in file.decode(video=0):
        found += pose.process(frame.to_ndarray(format="rgb24")).pose_landmarks is not None
        frames += 1
print(time.perf_counter() - start, frames, found)
"""


@dataclass(frozen=True)
class Timed:
    """One process, start to end."""

    seconds: float
    peak_mib: float
    """Of the process itself; the encoder is a process of its own and takes about 130 MiB."""
    output: str


def timed(command: list[str]) -> Timed:
    """Run a command; the system tells its peak memory, so that nothing slows it down."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        written.seek(0)
        output = written.read()
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} ended with {code}:\n{output}")
    return Timed(seconds, usage.ru_maxrss / 1024, output)


def repeated(video: Path, times: int, folder: Path) -> Path:
    """The clip several times over, without encoding it anew."""
    from pipeline.ffmpeg_binary import ffmpeg_binary  # noqa: PLC0415

    out = folder / f"long{video.suffix}"
    command = [ffmpeg_binary(), "-v", "error", "-stream_loop", str(times - 1), "-i", str(video)]
    subprocess.run([*command, "-map", "0:v:0", "-c", "copy", str(out)], check=True)
    return out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--mediapipe-python", type=Path, help="python of the other environment")
    parser.add_argument("--long", action="store_true", help="also the clip ten times over")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        _measure(options, Path(scratch))


def _measure(options: argparse.Namespace, scratch: Path) -> None:
    ours = [str(Path(sys.executable).with_name("humans4d")), "run", str(options.video), "-q"]
    firsts = [timed([*ours, "-o", str(scratch / str(i))]) for i in range(options.rounds)]
    first = min(firsts, key=lambda run: run.seconds)
    again = timed([*ours, "-o", str(scratch / "0")])
    print(f"humans4d run:            {first.seconds:6.2f} s, peak {first.peak_mib:.0f} MiB")
    share = 100 * again.seconds / first.seconds
    print(f"again, nothing changed:  {again.seconds:6.2f} s = {share:.1f} % of the first")
    if options.mediapipe_python:
        command = [str(options.mediapipe_python), "-c", BASELINE, str(options.video)]
        baseline = min((timed(command) for _ in range(options.rounds)), key=lambda r: r.seconds)
        loop_s = float(baseline.output.split("\n")[-2].split()[0])
        print(f"decode + MediaPipe Pose: {baseline.seconds:6.2f} s ({loop_s:.2f} s its loop alone)")
        print(f"humans4d is {baseline.seconds / first.seconds:.2f} times as fast as that")
    if options.long:
        long = repeated(options.video, 10, scratch)
        command = [ours[0], "run", str(long), "-q", "-o", str(scratch / "long")]
        tenfold = timed(command)
        more = 100 * (tenfold.peak_mib / first.peak_mib - 1)
        print(f"ten times as long:       {tenfold.seconds:6.2f} s, peak {tenfold.peak_mib:.0f} MiB")
        print(f"peak memory grows by {more:.1f} %")


if __name__ == "__main__":
    main()

"""Speed of the overlay against decoding and encoding alone: `python -m benchmarks.overlay RESULT`.

RESULT is a finished result of a 1080p film with one person. Both write the same video with the same
encoder settings, in turn, so that what else the machine does meets both; the best and the middle of
several rounds count.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.chosen import Chosen
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.encode import OverlayWriter
from pipeline.exporting import Part, read_take
from pipeline.overlap import prefetch
from pipeline.overlay import PREFETCHED_FRAMES, Overlay
from pipeline.result import ResultFolder
from pipeline.types import Video
from pipeline.video import open_video, read_frames


def plain(path: Path, video: Video) -> None:
    """Decode and encode, nothing between."""
    with (
        prefetch(read_frames(video), PREFETCHED_FRAMES) as frames,
        OverlayWriter(path, video) as writer,
    ):
        for frame in frames:
            writer.write(frame.yuv420(), frame.time_s)


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--renderer", default="raster")
    options = parser.parse_args()
    context = Context()
    settings = load_settings(overrides=[f"rendering.backend={options.renderer}"])
    renderer = Chosen(settings, context, ["rendering"]).rendering
    take = read_take(ResultFolder(options.result), Part(), context)
    video = open_video(Path(take.source_video))
    overlay = Overlay(take.people, take.camera, renderer, context)
    with tempfile.TemporaryDirectory() as folder:
        path, parts = Path(folder) / "overlay.mp4", Path(folder) / "parts"

        def drawn() -> None:
            shutil.rmtree(parts)
            overlay.write(path, video, parts)

        overlay.write(path, video, parts)  # compiles, loads, warms the disk's cache
        pairs = [
            (seconds(lambda: plain(path, video)), seconds(drawn)) for _ in range(options.rounds)
        ]
    frames = video.frame_count
    print(f"{video.width_px}x{video.height_px}, {frames} frames, {len(take.people)} people")
    for name, times in zip(("decode + encode", "overlay"), zip(*pairs, strict=True), strict=True):
        best, middle = min(times), statistics.median(times)
        print(f"{name:16s} best {frames / best:6.1f} frames/s, middle {frames / middle:6.1f}")
    ratios = [drawn / bare for bare, drawn in pairs]
    print(f"overlay over decode + encode: middle {statistics.median(ratios):.2f}", end="")
    print(f" ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()

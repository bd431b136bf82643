"""Memory of the first pass over a long film: `python -m benchmarks.long_film CLIP --times 60`.

The clip is joined to itself so many times, without encoding, and goes through decoding, detection,
lifting and looks as in a run. Resident memory is noted with every batch of frames: printed are a
tenth after the other, the peak, and the slope of a line through the second half of the frames.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.long_video import status_mib
from benchmarks.whole_run import repeated
from pipeline.appearance_source import AlongLandmarks
from pipeline.camera import make_camera
from pipeline.chosen import Chosen
from pipeline.config import load_settings
from pipeline.context import Advance, Context
from pipeline.perceive import Perceiver
from pipeline.video import open_video

TENTHS = 10


@dataclass
class Noted:
    """Frames gone through, and memory then."""

    frames: list[int] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)

    @contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Advance]:
        """Note what the first pass tells of its frames; later steps are of no matter here."""

        def advance(frames: int) -> None:
            if label == "Finding people":
                self.frames.append(frames + (self.frames[-1] if self.frames else 0))
                self.resident_mib.append(status_mib("VmRSS"))

        yield advance

    def tell(self) -> None:
        """A line for every tenth of the film, and what grows."""
        for some in np.array_split(np.arange(len(self.frames)), TENTHS):
            if len(some):
                most = max(self.resident_mib[n] for n in some)
                print(f"{self.frames[some[-1]]:8d} frames: at most {most:6.0f} MiB")
        half = len(self.frames) // 2
        per_frame, _ = np.polyfit(self.frames[half:], self.resident_mib[half:], 1)
        print(f"slope over the second half: {per_frame * 2**10:.2f} KiB a frame")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--times", type=int, default=60)
    options = parser.parse_args()
    noted = Noted()
    context = Context(progress=noted.progress)
    do = Chosen(load_settings(), context)
    with tempfile.TemporaryDirectory() as scratch:
        video = open_video(repeated(options.clip, options.times, Path(scratch)))
        camera = make_camera(video, None, None, context.events)
        looks = do.look_source.make(context) if do.look_source else AlongLandmarks()
        perceiver = Perceiver(do.detection, do.regression, camera, context, looks=looks)
        found = perceiver(video, Path(scratch) / "chunks")
    noted.tell()
    people = len(found.detections) / max(found.video.frame_count, 1)
    print(
        f"{found.video.frame_count} frames, {people:.2f} people in each; "
        f"peak {status_mib('VmHWM'):.0f} MiB, lifting included"
    )


if __name__ == "__main__":
    main()

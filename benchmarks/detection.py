"""How fast the `blazepose` backend is; `humans4d bench real` counts whom it finds.

Run as ``python -m benchmarks.detection [--data DIR]``. Speed is the stage's time over the time of
one landmark inference for every person found, both on the same machine in the same run.
"""

import argparse
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from pipeline import weights
from pipeline.context import Context
from pipeline.frame import Frame
from pipeline.types import Detections
from pipeline.video import open_video, read_frames
from stages.detection.blazepose import Backend, Config
from stages.detection.blazepose.landmarks import SIDE_PX, LandmarkNetwork, landmark_model

BATCH_FRAMES = 20
SPEED_FRAMES = 120


def detect(backend: Backend, frames: Sequence[Frame]) -> list[Detections]:
    """The stage's results over a whole clip, batch by batch."""
    backend.restart()
    return [
        backend(frames[start : start + BATCH_FRAMES])
        for start in range(0, len(frames), BATCH_FRAMES)
    ]


def speed(backend: Backend, clip: Path) -> None:
    """The stage against the landmark network alone."""
    frames = list(islice(read_frames(open_video(clip)), SPEED_FRAMES))
    network = LandmarkNetwork(landmark_model(weights.path("blazepose-landmarks")))
    for frame in frames:
        _ = frame.rgb
    picture = np.full((SIDE_PX, SIDE_PX, 3), 0.5, np.float32)
    network.infer([picture])
    start = time.perf_counter()
    results = detect(backend, frames)
    stage_ms = 1e3 * (time.perf_counter() - start) / len(frames)
    people = sum(map(len, results)) / len(frames)
    start = time.perf_counter()
    for _ in frames:
        network.infer([picture])
    alone_ms = 1e3 * (time.perf_counter() - start) / len(frames)
    print(
        f"{clip.name}: {people:.2f} people a frame, {stage_ms:.1f} ms a frame; one landmark "
        f"inference {alone_ms:.1f} ms; ratio {stage_ms / max(1e-9, alone_ms * people):.2f}"
    )


def main() -> None:
    """Print the speed on the runner's clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    clip = parser.parse_args().data / "videos" / "phalp_vid_run.mp4"
    if clip.exists():
        speed(Backend(Config(), Context()), clip)
    else:
        print(f"{clip}: not there, left out")


if __name__ == "__main__":
    main()

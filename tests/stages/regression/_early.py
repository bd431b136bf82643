"""Frames, boxes and a camera for the tests of SPIN and HMR."""

import av
import numpy as np

from pipeline.frame import Frame
from pipeline.types import Camera, Detections

CAMERA = Camera(np.array([[500.0, 0, 80], [0, 500.0, 60], [0, 0, 1]]), "given")
BOXES = ((10, 5, 60, 115), (70, 20, 150, 110), (-20, 30, 40, 130))


def frames(count=2):
    rng = np.random.default_rng(0)
    for index in range(count):
        coarse = rng.integers(0, 256, (15, 20, 3), dtype=np.uint8)
        rgb = coarse.repeat(8, axis=0).repeat(8, axis=1)
        yield Frame(index, index / 30, av.VideoFrame.from_ndarray(rgb, format="rgb24"))


def detections(*items):
    return Detections(
        frame_index=np.array([index for index, _ in items], np.int32),
        boxes_xyxy_px=np.array([box for _, box in items], np.float32).reshape(-1, 4),
        score=np.ones(len(items), np.float32),
    )


def all_pass(comparisons, count):
    results = list(comparisons)
    assert not [result for result in results if not result.passed]
    assert len(results) == count

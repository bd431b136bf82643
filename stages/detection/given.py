"""Backend `given`: boxes from a file instead of a detector.

Three forms, told apart by the file's name and content; pixels of the upright frame, frame 0 first
unless said otherwise:

* `.csv` with a heading: columns `frame, left, top, right, bottom` and optionally `score`, in any
  order; other columns are ignored.
* `.json`: a list of objects with the same keys.
* MOT (`.txt`, or `.csv` without a heading): `frame, id, left, top, width, height, score, ...`,
  where frame 1 is the first; a score of -1 means none and counts as 1.

Unless `landmarks` is off, BlazePose's landmarks are looked for inside every box, so that the rest
of the flow has keypoints to work with.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.frame import Frame
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Detections
from stages.detection._box_file import BoxTable, read_boxes
from stages.detection.blazepose.collect import landmark_arrays
from stages.detection.blazepose.crops import REGION_SCALE, Region
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose, landmark_model

__all__ = ["Backend", "Config"]

MIN_PRESENCE = 0.5
MAX_SIZE_RATIO = 3.0


class Config(BackendConfig):
    """Settings of the `given` backend."""

    path: Path
    """The file with the boxes."""
    first_frame: int | None = None
    """Number of the video's first frame in the file: by default 1 for MOT, else 0."""
    scale: float = Field(default=1.0, gt=0)
    """The boxes are multiplied by this, where they belong to the video in another size."""
    min_score: float = 0.0
    """Boxes that score less are left out."""
    landmarks: bool = True
    """Look for BlazePose's landmarks in every box."""


class Backend:
    """Gives the file's boxes for the frames asked for."""

    def __init__(self, config: Config, context: Context):
        self._config = config
        table = read_boxes(config.path, config.first_frame)
        self._table = table.chosen(table.score >= config.min_score)
        if len(self._table.frame_index) == 0:
            raise InputError(f"{config.path}: no boxes with a score of at least {config.min_score}")
        self._landmarks: LandmarkNetwork | None = None
        if config.landmarks:
            found = weights.path("blazepose-landmarks", progress=context.progress)
            self._landmarks = LandmarkNetwork(landmark_model(found))

    def restart(self) -> None:
        """Nothing is carried from frame to frame."""

    def __call__(self, frames: Sequence[Frame]) -> Detections:
        """The boxes of the next frames of the video, ordered by frame."""
        rows = [np.flatnonzero(self._table.frame_index == frame.index) for frame in frames]
        table: BoxTable = self._table.chosen(np.concatenate([np.empty(0, int), *rows]))
        boxes = (table.boxes_xyxy_px * self._config.scale).astype(np.float32)
        given = Detections(table.frame_index, boxes, np.clip(table.score, 0, 1))
        if self._landmarks is None:
            return given
        poses: list[Pose] = []
        for frame, of_frame in zip(frames, rows, strict=True):
            own = self._table.boxes_xyxy_px[of_frame] * self._config.scale
            poses += self._poses(frame, own)
        arrays = landmark_arrays(poses)
        return replace(
            given,
            skeleton=BLAZEPOSE33.name,
            landmarks_px=arrays.landmarks_px,
            landmarks_m=arrays.landmarks_m,
        )

    def _poses(self, frame: Frame, boxes_xyxy_px: np.ndarray) -> list[Pose]:
        """Landmarks in every box: first as if upright, then along the body that was seen there."""
        assert self._landmarks is not None
        upright = self._landmarks(frame.rgb, [upright_region(box) for box in boxes_xyxy_px])
        seen = [
            row
            for row, (pose, box) in enumerate(zip(upright, boxes_xyxy_px, strict=True))
            if pose.presence >= MIN_PRESENCE and _is_within(pose.next_region, box)
        ]
        poses = list(upright)
        second = self._landmarks(frame.rgb, [upright[row].next_region for row in seen])
        for row, pose in zip(seen, second, strict=True):
            if pose.presence >= MIN_PRESENCE:
                poses[row] = pose
        return poses


def _is_within(region: Region, box_xyxy_px: np.ndarray) -> bool:
    """Whether the region is of the box's size and centred in it: the same person's."""
    left, top, right, bottom = (float(edge) for edge in box_xyxy_px)
    size_ratio = region.size_px / max(right - left, bottom - top)
    centred = left <= region.x_px <= right and top <= region.y_px <= bottom
    return centred and 1 / MAX_SIZE_RATIO <= size_ratio <= MAX_SIZE_RATIO


def upright_region(box_xyxy_px: np.ndarray) -> Region:
    """The square around a box in which the landmark network expects an upright person."""
    left, top, right, bottom = (float(edge) for edge in box_xyxy_px)
    side = max(right - left, bottom - top) * REGION_SCALE
    return Region((left + right) / 2, (top + bottom) / 2, side, 0.0)

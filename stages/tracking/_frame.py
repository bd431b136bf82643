"""The detections of one frame, in a fixed order and without repetitions."""

from dataclasses import dataclass

import numpy as np

from pipeline.boxes import box_iou
from pipeline.types import Detections, Video
from stages.tracking._box_measures import measure, scale_px
from stages.tracking._similarity import landmark_similarity

DUPLICATE_IOU = 0.3
"""Boxes that overlap less are not looked at for the same landmarks."""


@dataclass(frozen=True)
class FrameDetections:
    """What was detected in one frame, in an order that depends on nothing but the values."""

    index: np.ndarray
    """(n,) rows in the `Detections`."""
    boxes_xyxy_px: np.ndarray
    measures: np.ndarray
    """(n, 4) as `measure` gives them."""
    score: np.ndarray
    landmarks_px: np.ndarray | None
    """(n, k, 3)."""

    def __len__(self) -> int:
        return len(self.index)


class RowsByFrame:
    """Rows of the detections in each frame of a video, by the frame's number from 0."""

    def __init__(self, video: Video, detections: Detections, rows: np.ndarray) -> None:
        """Of the detections `rows`."""
        frame = detections.frame_index[rows]
        order = np.argsort(frame, kind="stable")
        self._rows = rows[order]
        self._bounds = np.searchsorted(frame[order], np.append(video.frame_index, 2**31 - 1))

    def __getitem__(self, number: int) -> np.ndarray:
        return self._rows[self._bounds[number] : self._bounds[number + 1]]


def in_frame(detections: Detections, rows: np.ndarray) -> FrameDetections:
    """Detections `rows`, ordered by what they are: the order they came in must not matter."""
    keys = np.column_stack([detections.boxes_xyxy_px[rows], detections.score[rows]])
    rows = rows[np.lexsort(keys.T[::-1])]
    boxes = detections.boxes_xyxy_px[rows].astype(np.float64)
    landmarks = detections.landmarks_px
    return FrameDetections(
        index=rows,
        boxes_xyxy_px=boxes,
        measures=measure(boxes),
        score=detections.score[rows].astype(np.float64),
        landmarks_px=None if landmarks is None else landmarks[rows].astype(np.float64),
    )


def without_duplicates(found: FrameDetections, least_likeness: float) -> FrameDetections:
    """Without detections whose landmarks are those of a surer detection.

    Overlap alone proves nothing, people cross; the same joints in the same places are one person.
    """
    if found.landmarks_px is None or len(found) < 2:  # noqa: PLR2004
        return found
    near = np.triu(box_iou(found.boxes_xyxy_px, found.boxes_xyxy_px) > DUPLICATE_IOU, 1)
    first, second = np.nonzero(near)
    alike = landmark_similarity(
        found.landmarks_px[first], found.landmarks_px[second], scale_px(found.measures)[first]
    )
    same = np.zeros((len(found), len(found)), dtype=bool)
    same[first, second] = alike > least_likeness
    same |= same.T
    kept: list[int] = []
    for row in np.argsort(-found.score, kind="stable").tolist():
        if not same[row, kept].any():
            kept.append(row)
    kept.sort()
    return FrameDetections(
        found.index[kept],
        found.boxes_xyxy_px[kept],
        found.measures[kept],
        found.score[kept],
        found.landmarks_px[kept],
    )

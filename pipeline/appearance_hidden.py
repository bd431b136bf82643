"""Which points of a person lie behind somebody nearer: their pixels show somebody else."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from pipeline.appearance_points import SKELETONS, PartPoints
from pipeline.types import Detections

SURE = 0.02
"""Share of its height by which somebody's feet must be lower to stand nearer; else either may."""
LIMB_RADIUS, TRUNK_RADIUS = 0.05, 0.09
"""Of limbs and of trunk and head, over the box's height."""
_LIMBS = tuple(
    (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("hip", "knee"),
        ("knee", "ankle"),
    )
)
_TRUNK = (
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_shoulder", "right_hip"),
    ("right_shoulder", "left_hip"),
    ("nose", "left_shoulder"),
    ("nose", "right_shoulder"),
)


@dataclass(frozen=True)
class Crowd:
    """The people of one frame."""

    boxes_xyxy_px: Float64[np.ndarray, "n 4"]
    landmarks_px: Float[np.ndarray, "n k 3"] | None
    skeleton: str | None
    height_px: int
    """Of the picture."""


def crowd_of(detections: Detections, rows: np.ndarray, height_px: int) -> Crowd:
    """The people of these rows, all of one frame."""
    landmarks_px = detections.landmarks_px
    return Crowd(
        detections.boxes_xyxy_px[rows].astype(np.float64),
        None if landmarks_px is None else landmarks_px[rows],
        detections.skeleton,
        height_px,
    )


def not_hidden(points: PartPoints, crowd: Crowd) -> Bool[np.ndarray, "n 7 p"]:
    """Points that nobody nearer covers."""
    seen = points.seen.copy()
    boxes = crowd.boxes_xyxy_px
    nearer = _maybe_nearer(boxes, crowd.height_px)
    apart = (boxes[:, None, :2] >= boxes[None, :, 2:]) | (boxes[:, None, 2:] <= boxes[None, :, :2])
    for person, other in zip(*np.nonzero(nearer & ~apart.any(axis=-1)), strict=True):
        seen[person] &= ~_covered(points.points_px[person], crowd, int(other))
    return seen


def _maybe_nearer(boxes: np.ndarray, picture_height_px: int) -> np.ndarray:
    """(n, n) bool: whether the second may stand before the first.

    By where the feet are; where both are below the picture's edge, by size.
    """
    height = boxes[:, 3] - boxes[:, 1]
    below = boxes[:, 3] >= picture_height_px - 1
    lead = (boxes[None, :, 3] - boxes[:, None, 3]) / np.maximum(height[:, None], 1)
    by_size = np.log(np.maximum(height[None], 1) / np.maximum(height[:, None], 1))
    lead = np.where(below[:, None] & below[None], by_size, lead)
    return (lead > -SURE) & ~np.eye(len(boxes), dtype=bool)


def _covered(points_px: np.ndarray, crowd: Crowd, other: int) -> np.ndarray:
    """(7, p) bool: points on a person's limbs and trunk, or in the box where no more is known."""
    left, top, right, bottom = crowd.boxes_xyxy_px[other]
    x, y = points_px[..., 0], points_px[..., 1]
    with np.errstate(invalid="ignore"):
        inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    if crowd.landmarks_px is None or crowd.skeleton not in SKELETONS:
        return np.asarray(inside)
    places = np.asarray(crowd.landmarks_px[other, :, :2], np.float64)
    skeleton, height = SKELETONS[crowd.skeleton], bottom - top
    found = np.zeros(points_px.shape[:-1], dtype=bool)
    for bones, radius in ((_LIMBS, LIMB_RADIUS), (_TRUNK, TRUNK_RADIUS)):
        ends = np.array([[places[skeleton.index(name)] for name in bone] for bone in bones])
        near = _distance_px(points_px, ends[:, 0], ends[:, 1]).min(axis=-1) < radius * height
        found |= near
    return found


def _distance_px(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., bones) distance of points from segments."""
    along = end - start
    away = points[..., None, :] - start
    with np.errstate(invalid="ignore"):
        share = (away * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-9)
        foot = np.clip(share, 0, 1)[..., None] * along
        return np.linalg.norm(away - foot, axis=-1)

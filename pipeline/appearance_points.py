"""Where in the picture to look at a person's clothes: points on seven parts of the body.

From landmarks: strips between them. From the fitted mesh: points of its skin that face the camera.
From a box alone: where the parts of a standing person lie in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Float64

from pipeline.skeletons import BLAZEPOSE33, COCO17, POSETRACK17, Skeleton

PARTS = ("head", "chest", "belly", "upper_arms", "forearms", "thighs", "shins")
POINTS = 32
"""Of every part; limbs share them between left and right."""
LEAST_VISIBILITY = 0.5
SKELETONS = {skeleton.name: skeleton for skeleton in (BLAZEPOSE33, COCO17, POSETRACK17)}
_LIMBS = (
    ("upper_arms", "shoulder", "elbow", 0.10),
    ("forearms", "elbow", "wrist", 0.08),
    ("thighs", "hip", "knee", 0.13),
    ("shins", "knee", "ankle", 0.09),
)
"""Part, its ends, and half the width of its strip over its length."""
_IN_BOX = {
    "head": (0.38, 0.62, 0.03, 0.13),
    "chest": (0.32, 0.68, 0.20, 0.34),
    "belly": (0.34, 0.66, 0.34, 0.48),
    "thighs": (0.34, 0.66, 0.52, 0.68),
    "shins": (0.34, 0.66, 0.74, 0.92),
}
"""Left, right, top, bottom of the parts in the box of somebody who stands; arms are not known."""


@dataclass(frozen=True)
class PartPoints:
    """Points of n people."""

    points_px: Float64[np.ndarray, "n 7 p 2"]
    seen: Bool[np.ndarray, "n 7 p"]
    """Which are to be looked at."""


@lru_cache(maxsize=8)
def _grid(columns: int, rows: int) -> np.ndarray:
    """(columns * rows, 2) middles of cells of the unit square."""
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def points_in_boxes(boxes_xyxy_px: Float[np.ndarray, "n 4"]) -> PartPoints:
    """Parts of people of whom no more is known than their boxes."""
    boxes = np.asarray(boxes_xyxy_px, np.float64)
    count = len(boxes)
    points = np.full((count, len(PARTS), POINTS, 2), np.nan)
    size = boxes[:, 2:] - boxes[:, :2]
    for part, (left, right, top, bottom) in _IN_BOX.items():
        inside = np.array([left, top]) + _grid(4, 8) * [right - left, bottom - top]
        points[:, PARTS.index(part)] = boxes[:, None, :2] + inside * size[:, None]
    return PartPoints(points, np.isfinite(points[..., 0]))


def points_on_landmarks(landmarks_px: Float[np.ndarray, "n k 3"], skeleton: str) -> PartPoints:
    """Strips between landmarks; a strip whose ends are not both visible is not looked at."""
    known = SKELETONS[skeleton]
    places = np.asarray(landmarks_px[..., :2], np.float64)
    visible = np.asarray(landmarks_px[..., 2], np.float64) >= LEAST_VISIBILITY
    at, is_seen = _by_name(places, known), _by_name(visible, known)
    count = len(places)
    points = np.full((count, len(PARTS), POINTS, 2), np.nan)
    seen = np.zeros((count, len(PARTS), POINTS), dtype=bool)

    shoulders = at("left_shoulder"), at("right_shoulder")
    hips = at("left_hip"), at("right_hip")
    trunk_seen = is_seen("left_shoulder") & is_seen("right_shoulder")
    trunk_seen &= is_seen("left_hip") & is_seen("right_hip")
    for part, top, bottom in (("chest", 0.08, 0.48), ("belly", 0.52, 0.95)):
        grid = 0.15 + 0.7 * _grid(4, 8)[:, 0], top + (bottom - top) * _grid(4, 8)[:, 1]
        points[:, PARTS.index(part)] = _between(*shoulders, *hips, *grid)
        seen[:, PARTS.index(part)] = trunk_seen[:, None]
    face = ("nose", "left_ear", "right_ear")
    given = _by_name(np.asarray(landmarks_px[..., 2]) > 0, known)
    middle = _mean_of([at(name) for name in face], [given(name) for name in face])
    points[:, 0] = _head(middle, (shoulders[0] + shoulders[1]) / 2)
    seen[:, 0] = (is_seen("nose") | is_seen("left_ear") | is_seen("right_ear"))[:, None]
    half = POINTS // 2
    for part, start, end, width in _LIMBS:
        for number, side in enumerate(("left", "right")):
            own = slice(number * half, (number + 1) * half)
            strip = _strip(at(f"{side}_{start}"), at(f"{side}_{end}"), width)
            points[:, PARTS.index(part), own] = strip
            both = is_seen(f"{side}_{start}") & is_seen(f"{side}_{end}")
            seen[:, PARTS.index(part), own] = both[:, None]
    return PartPoints(points, seen & np.isfinite(points).all(axis=-1))


def _by_name(values: np.ndarray, skeleton: Skeleton) -> Callable[[str], np.ndarray]:
    return lambda name: values[:, skeleton.index(name)]


def _between(
    top_left: np.ndarray,
    top_right: np.ndarray,
    bottom_left: np.ndarray,
    bottom_right: np.ndarray,
    across: np.ndarray,
    down: np.ndarray,
) -> np.ndarray:
    """(n, p, 2) points of a quadrangle."""
    across, down = across[None, :, None], down[None, :, None]
    top = top_left[:, None] * (1 - across) + top_right[:, None] * across
    bottom = bottom_left[:, None] * (1 - across) + bottom_right[:, None] * across
    return top * (1 - down) + bottom * down


def _strip(start: np.ndarray, end: np.ndarray, width: float) -> np.ndarray:
    """(n, 16, 2) points along a limb, from 15 to 85 % of its length."""
    grid = _grid(2, 8)
    along = end - start
    aside = np.stack([-along[:, 1], along[:, 0]], axis=1)
    share, offset = 0.15 + 0.7 * grid[:, 1], (grid[:, 0] - 0.5) * 2 * width
    return (
        start[:, None]
        + along[:, None] * share[None, :, None]
        + aside[:, None] * offset[None, :, None]
    )


def _mean_of(points: list[np.ndarray], given: list[np.ndarray]) -> np.ndarray:
    """(n, 2) mean of those that are given; of all, where none is."""
    weight = np.stack(given).astype(np.float64)
    weight[:, ~weight.any(axis=0)] = 1.0
    return np.asarray(
        (np.stack(points) * weight[..., None]).sum(axis=0) / weight.sum(axis=0)[:, None]
    )


def _head(middle: np.ndarray, neck: np.ndarray) -> np.ndarray:
    """(n, 32, 2) points of face and hair, its size told by the way to the shoulders."""
    up = middle - neck
    aside = np.stack([-up[:, 1], up[:, 0]], axis=1)
    grid = _grid(4, 8)
    across, along = (grid[:, 0] - 0.5) * 0.6, -0.3 + 0.8 * (1 - grid[:, 1])
    return (
        middle[:, None]
        + aside[:, None] * across[None, :, None]
        + up[:, None] * along[None, :, None]
    )

"""Landmark sets by name: what each point is, which are joined by a line, which is whose mirror."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int32


@dataclass(frozen=True)
class Skeleton:
    """Named points of a body."""

    name: str
    points: tuple[str, ...]
    """Name of every point, in the order of the arrays."""
    bones: tuple[tuple[str, str], ...]
    """Pairs of points to draw a line between."""

    def __len__(self) -> int:
        return len(self.points)

    def index(self, point: str) -> int:
        """Position of a point in the arrays."""
        return self.points.index(point)

    def indices(self, *points: str) -> Int32[np.ndarray, " n"]:
        """Positions of several points."""
        return np.array([self.points.index(point) for point in points], dtype=np.int32)

    @cached_property
    def edges(self) -> Int32[np.ndarray, "e 2"]:
        """The bones as positions."""
        return np.array([self.indices(*bone) for bone in self.bones], dtype=np.int32)

    @cached_property
    def mirror(self) -> Int32[np.ndarray, " k"]:
        """For every point the position of its counterpart on the other side of the body."""
        return self.indices(*(_other_side(point) for point in self.points))


def _other_side(point: str) -> str:
    if "left" in point:
        return point.replace("left", "right")
    return point.replace("right", "left")


def _both_sides(*bones: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in bones)


_ACROSS = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
_LIMBS = _both_sides(
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("shoulder", "hip"),
    ("hip", "knee"),
    ("knee", "ankle"),
)

BLAZEPOSE33 = Skeleton(
    "blazepose33",
    (
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
        "left_ear",
        "right_ear",
        "mouth_left",
        "mouth_right",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_pinky",
        "right_pinky",
        "left_index",
        "right_index",
        "left_thumb",
        "right_thumb",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "left_heel",
        "right_heel",
        "left_foot_index",
        "right_foot_index",
    ),
    (
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("mouth_left", "mouth_right"),
        *_ACROSS,
        *_LIMBS,
        *_both_sides(
            ("eye", "ear"),
            ("wrist", "index"),
            ("wrist", "thumb"),
            ("wrist", "pinky"),
            ("ankle", "heel"),
            ("heel", "foot_index"),
        ),
    ),
)

COCO17 = Skeleton(
    "coco17",
    (
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    (
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        *_ACROSS,
        *_LIMBS,
        *_both_sides(("eye", "ear")),
    ),
)

SMPL24 = Skeleton(
    "smpl24",
    (
        "pelvis",
        "left_hip",
        "right_hip",
        "spine1",
        "left_knee",
        "right_knee",
        "spine2",
        "left_ankle",
        "right_ankle",
        "spine3",
        "left_foot",
        "right_foot",
        "neck",
        "left_collar",
        "right_collar",
        "head",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hand",
        "right_hand",
    ),
    (
        ("pelvis", "spine1"),
        ("spine1", "spine2"),
        ("spine2", "spine3"),
        ("spine3", "neck"),
        ("neck", "head"),
        *_both_sides(
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "foot"),
            ("collar", "shoulder"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("wrist", "hand"),
        ),
        ("pelvis", "left_hip"),
        ("pelvis", "right_hip"),
        ("spine3", "left_collar"),
        ("spine3", "right_collar"),
    ),
)
SMPL24_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
"""Parent joint of every SMPL joint; the pelvis has none."""

_ALL = {skeleton.name: skeleton for skeleton in (BLAZEPOSE33, COCO17, SMPL24)}


def skeleton_named(name: str) -> Skeleton:
    """The landmark set of that name (as in `Detections.skeleton`).

    Raises:
        KeyError: no such set.
    """
    return _ALL[name]

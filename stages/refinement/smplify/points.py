"""The landmarks that the fit uses, and what is trusted of each."""

import torch
from torch import Tensor

from pipeline.skeletons import BLAZEPOSE33

POINTS = tuple(
    point
    for point in BLAZEPOSE33.points
    if not any(part in point for part in ("eye", "mouth", "thumb"))
)
"""Eyes and mouth tell nothing beyond nose and ears, thumbs are drawn too close to the wrist."""
INDICES = BLAZEPOSE33.indices(*POINTS)

SHIFTING = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
"""Marks that may lie elsewhere on this person (clothes, build), both sides alike."""

# How well a point is seen in the picture, relative to a knee.
_TRUST_2D = {
    "nose": 0.3,
    "ear": 0.3,
    "hip": 0.7,
    "index": 0.3,
    "pinky": 0.3,
    "heel": 0.5,
    "foot": 0.5,
}
# Bones whose direction in space the 3D landmarks tell.
_FACE_BONES = (("left_ear", "nose"), ("right_ear", "nose"), ("right_ear", "left_ear"))
_LIMB_BONES = (
    ("hip", "knee"),
    ("knee", "ankle"),
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("wrist", "index"),
    ("heel", "foot_index"),
)


def trust_2d() -> Tensor:
    """(k,) weight of each point in the picture."""

    def trust(point: str) -> float:
        return next((value for part, value in _TRUST_2D.items() if part in point), 1.0)

    return torch.tensor([trust(point) for point in POINTS], dtype=torch.float64)


def bone_matrix() -> Tensor:
    """(m, k): shoulders and hips against the middle of the hips, bones end against start."""
    middle = torch.zeros(len(POINTS), dtype=torch.float64)
    middle[[POINTS.index("left_hip"), POINTS.index("right_hip")]] = 0.5
    rows = [_one(f"{s}_{part}") - middle for part in ("shoulder", "hip") for s in _SIDES]
    rows += [_one(end) - _one(start) for start, end in _FACE_BONES]
    rows += [
        _one(f"{s}_{end}") - _one(f"{s}_{start}") for s in _SIDES for start, end in _LIMB_BONES
    ]
    return torch.stack(rows)


def shift_basis() -> Tensor:
    """(k, 3, 18): how each point moves with the shifts; x is mirrored on the right side."""
    basis = torch.zeros((len(POINTS), 3, 3 * len(SHIFTING)), dtype=torch.float64)
    for n, part in enumerate(SHIFTING):
        for side, mirror in zip(_SIDES, (1.0, -1.0), strict=True):
            turn = torch.diag(torch.tensor([mirror, 1.0, 1.0], dtype=torch.float64))
            basis[POINTS.index(f"{side}_{part}"), :, 3 * n : 3 * n + 3] = turn
    return basis


_SIDES = ("left", "right")


def _one(point: str) -> Tensor:
    row = torch.zeros(len(POINTS), dtype=torch.float64)
    row[POINTS.index(point)] = 1.0
    return row

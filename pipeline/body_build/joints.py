"""MakeHuman's 163 bones boiled down to SMPL's 24 joints: where they lie, which skin they move."""

import numpy as np
from jaxtyping import Float64

from pipeline.body_build.makehuman import Rig

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

Blend = dict[str, float]

# A joint's place as a mean of bone starts. Positions along the spine and inside the pelvis and
# the shoulder were chosen to lie where SMPL has them.
_MIDDLE: dict[int, Blend] = {
    0: {"spine05": 0.15, "spine04": 0.85},
    3: {"spine03": 0.5, "spine02": 0.5},
    12: {"neck01": 0.55, "neck02": 0.45},
    15: {"head": 1.0},
}
# Left joint; the right one follows it in SMPL's order. `other:` is the bone of the other side.
_PAIRED: dict[int, Blend] = {
    1: {"upperleg01": 0.83, "other:upperleg01": 0.17},
    4: {"lowerleg01": 1.0},
    7: {"foot": 1.0},
    10: {f"toe{k}-1": 0.2 for k in range(1, 6)},
    13: {"clavicle": 0.5, "shoulder01": 0.5},
    16: {"upperarm01": 1.0},
    18: {"lowerarm01": 1.0},
    20: {"wrist": 1.0},
    22: {f"finger{k}-1": 1 / 3 for k in (2, 3, 4)},
}
# MakeHuman's spine runs near the back, SMPL's in the middle: moved forward, in torso lengths.
_FORWARD = {3: 0.015, 15: 0.04}
# Share of the way from pelvis to neck, and torso lengths forward of that line. MakeHuman's own
# bones there stay behind when a body grows (20 mm), so no regressor from the skin can follow them.
_ON_SPINE = {6: (0.505, 0.018), 9: (0.616, 0.035)}
_PELVIS_SLOPE = 0.16

# Bones by the start of their name, and the joints that move their skin. The first hit counts.
_SKIN_MIDDLE: tuple[tuple[str, dict[int, float]], ...] = (
    ("root", {0: 1.0}),
    ("pelvis", {0: 1.0}),
    ("spine05", {0: 1.0}),
    ("spine04", {0: 0.6, 3: 0.4}),
    ("spine03", {3: 1.0}),
    ("spine02", {3: 0.4, 6: 0.6}),
    ("spine01", {9: 1.0}),
    ("breast", {9: 1.0}),
    ("neck01", {9: 0.45, 12: 0.55}),
    ("neck", {12: 1.0}),
)
_SKIN_PAIRED: tuple[tuple[str, int], ...] = (
    ("upperleg", 1),
    ("lowerleg", 4),
    ("foot", 7),
    ("toe", 10),
    ("clavicle", 13),
    ("shoulder01", 13),
    ("upperarm", 16),
    ("lowerarm", 18),
    ("wrist", 20),
    ("metacarpal", 20),
    ("finger1", 20),
    ("finger", 22),
)
_HEAD = {15: 1.0}


def joints_m(rig: Rig, heads_m: Float64[np.ndarray, "n b 3"]) -> Float64[np.ndarray, "n 24 3"]:
    """SMPL's joints in n people whose bones start at `heads_m`."""
    joints = np.zeros((len(heads_m), 24, 3))
    for joint, blend in _MIDDLE.items():
        joints[:, joint] = _mean(rig, heads_m, blend, "", "")
    for joint, blend in _PAIRED.items():
        joints[:, joint] = _mean(rig, heads_m, blend, ".L", ".R")
        joints[:, joint + 1] = _mean(rig, heads_m, blend, ".R", ".L")
    hips = (joints[:, 1] + joints[:, 2]) / 2
    joints[:, 0, 0] = hips[:, 0]
    joints[:, 0, 2] = hips[:, 2] + _PELVIS_SLOPE * (joints[:, 0, 1] - hips[:, 1])
    torso_m = joints[:, 12, 1] - joints[:, 0, 1]
    for joint, share in _FORWARD.items():
        joints[:, joint, 2] += share * torso_m
    for joint, (share, forward) in _ON_SPINE.items():
        joints[:, joint] = joints[:, 0] + share * (joints[:, 12] - joints[:, 0])
        joints[:, joint, 2] += forward * torso_m
    return joints


def skin_weights(rig: Rig) -> Float64[np.ndarray, "v 24"]:
    """Skinning weights of the 24 joints, from those of the bones."""
    from_bone = np.zeros((len(rig.bones), 24))
    for i, bone in enumerate(rig.bones):
        for joint, share in _joints_of(bone).items():
            from_bone[i, joint] = share
    return rig.weights @ from_bone


def _mean(rig: Rig, heads_m: np.ndarray, blend: Blend, side: str, other: str) -> np.ndarray:
    total = np.zeros((len(heads_m), 3))
    for bone, share in blend.items():
        name = bone[6:] + other if bone.startswith("other:") else bone + side
        total += share * heads_m[:, rig.index(name)]
    return total


def _joints_of(bone: str) -> dict[int, float]:
    for start, joints in _SKIN_MIDDLE:
        if bone.startswith(start):
            return joints
    right = bone.endswith(".R")
    for start, joint in _SKIN_PAIRED:
        if bone.startswith(start):
            return {joint + right: 1.0}
    return _HEAD

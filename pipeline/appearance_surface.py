"""Where on a body's surface its clothes are looked at: places on seven parts, chosen once.

The parts are those of `pipeline.appearance_points`: by the skinning weights, limbs from 15 to 85 %
of their length, chest and belly by height between hips and shoulders.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32, Int64

from pipeline.appearance_points import PARTS
from pipeline.body import BodyModel

POINTS = 96
"""Of every part, all around it; about a third of them is seen at a time."""
HEAD, HIPS, SHOULDERS = 15, (1, 2), (16, 17)
TRUNK = (0, 3, 6, 9, 13, 14)
LIMBS = {
    "upper_arms": ((16, 18), (17, 19)),
    "forearms": ((18, 20), (19, 21)),
    "thighs": ((1, 4), (2, 5)),
    "shins": ((4, 7), (5, 8)),
}
"""Joints at both ends, left and right."""
ALONG_LIMB = (0.15, 0.85)
HEIGHTS = {"belly": (0.05, 0.48), "chest": (0.52, 0.92)}
"""Of the trunk's parts, from hips to shoulders."""


@dataclass(frozen=True)
class SurfaceSamples:
    """Faces of a body mesh whose middles are looked at."""

    faces: Int64[np.ndarray, "7 p"]
    corners: Int32[np.ndarray, "7 p 3"]
    """Their vertices, counter-clockwise seen from outside."""
    bone: Int64[np.ndarray, "7 p 2"]
    """The joints at both ends of the limb they are on; -1 on trunk and head."""
    along: Float64[np.ndarray, "7 p"]
    """Where between these joints, from 0 to 1."""


def surface_samples(body: BodyModel) -> SurfaceSamples:
    """Places spread evenly over every part of the mean shape at rest."""
    faces = body.faces
    middles = body.v_template_m.numpy()[faces].mean(axis=1, dtype=np.float64)
    joint = body.weights.numpy()[faces].mean(axis=1).argmax(axis=1)
    joints_m = body.J_template_m.numpy().astype(np.float64)
    chosen = []
    for part in PARTS:
        rows = np.flatnonzero(_in_part(part, middles, joint, joints_m))
        chosen.append(rows[_spread(middles[rows], POINTS)])
    numbers = np.stack(chosen)
    bone = np.full((*numbers.shape, 2), -1, np.int64)
    along = np.zeros(numbers.shape)
    for part, limbs in LIMBS.items():
        row = PARTS.index(part)
        for start, end in limbs:
            here = joint[numbers[row]] == start
            bone[row, here] = start, end
            along[row, here] = _along(middles[numbers[row, here]], joints_m[start], joints_m[end])
    corners = np.ascontiguousarray(faces[numbers], np.int32)
    return SurfaceSamples(numbers, corners, bone, along)


def _in_part(part: str, middles: np.ndarray, joint: np.ndarray, joints_m: np.ndarray) -> np.ndarray:
    """(f,) bool: faces of that part."""
    if part == "head":
        return np.asarray(joint == HEAD)
    if part in HEIGHTS:
        low, high = (joints_m[list(pair), 1].mean() for pair in (HIPS, SHOULDERS))
        share = (middles[:, 1] - low) / (high - low)
        least, most = HEIGHTS[part]
        return np.isin(joint, TRUNK) & (share > least) & (share < most)
    found = np.zeros(len(middles), dtype=bool)
    for start, end in LIMBS[part]:
        share = _along(middles, joints_m[start], joints_m[end])
        found |= (joint == start) & (share > ALONG_LIMB[0]) & (share < ALONG_LIMB[1])
    return found


def _along(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    bone = end - start
    return np.asarray((points - start) @ bone / (bone @ bone))


def _spread(points: Float64[np.ndarray, "n 3"], count: int) -> Int64[np.ndarray, " count"]:
    """Points far from each other: each the farthest from those before it (repeated if too few)."""
    assert len(points), "the body has no such part"
    away = np.full(len(points), np.inf)
    chosen = [0]
    for _ in range(count - 1):
        away = np.minimum(away, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(away)))
    return np.array(chosen, np.int64)

"""Legs that reach given feet: the knee bends as a hinge, the hip does the rest."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from pipeline.scenes.motion import Build

SIDES = (0, 1)
"""Left and right."""
HIPS, KNEES, ANKLES, BALLS = (1, 2), (4, 5), (7, 8), (10, 11)
STRAIGHTEST_RAD = np.radians(4.0)
"""A knee is never straighter than this."""


@dataclass(frozen=True)
class Feet:
    """Where both feet are to be: index 0 left, 1 right."""

    ankles_m: Float64[np.ndarray, "t 2 3"]
    rotmat: Float64[np.ndarray, "t 2 3 3"]
    """Of the foot against the world."""
    toe_bend_rad: Float64[np.ndarray, "t 2"]
    """By which the toes are bent up."""


def toe_out_rad(build: Build, side: int) -> float:
    """Direction of the foot at rest, from ankle to ball: 0 is straight ahead, + is to the left."""
    ahead = build.joints_m[BALLS[side]] - build.joints_m[ANKLES[side]]
    return float(np.arctan2(ahead[0], ahead[2]))


def across_foot(build: Build, side: int) -> Float64[np.ndarray, " 3"]:
    """Axis at rest about which the foot rolls: a positive turn lowers the toes."""
    angle = toe_out_rad(build, side)
    return np.array([np.cos(angle), 0.0, -np.sin(angle)])


def hip_to_ankle(build: Build, side: int, knee_rad: np.ndarray) -> np.ndarray:
    """From hip to ankle (t, 3) in the axes of the thigh, for a knee bent by this much."""
    thigh, shin = _bones(build, side)
    turn = Rotation.from_rotvec(np.outer(knee_rad, [1.0, 0.0, 0.0]))
    return thigh + turn.apply(shin)


def longest_m(build: Build, side: int) -> float:
    """Greatest distance between hip and ankle."""
    return float(np.linalg.norm(hip_to_ankle(build, side, np.array([STRAIGHTEST_RAD]))))


def solve_legs(
    build: Build,
    root: Rotation,
    pelvis_m: Float64[np.ndarray, "t 3"],
    feet: Feet,
) -> Float64[np.ndarray, "t 24 3"]:
    """Local rotations of hips, knees, ankles and toes as axis-angle; every other joint is zero.

    A foot out of reach is left short with an all but straight leg.
    """
    pose_rotvec = np.zeros((len(pelvis_m), 24, 3))
    for side in SIDES:
        rest = build.joints_m
        hip_m = pelvis_m + root.apply(rest[HIPS[side]] - rest[0])
        reach = feet.ankles_m[:, side] - hip_m
        foot = Rotation.from_matrix(feet.rotmat[:, side])
        knee_rad = _knee_angle(build, side, np.linalg.norm(reach, axis=1))
        knee = Rotation.from_rotvec(np.outer(knee_rad, [1.0, 0.0, 0.0]))
        sideways = root.apply([1.0, 0.0, 0.0]) + foot.apply(across_foot(build, side))
        at_rest = _frame(hip_to_ankle(build, side, knee_rad), np.array([1.0, 0.0, 0.0]))
        thigh = _frame(reach, sideways) * at_rest.inv()
        shin = thigh * knee
        toes = Rotation.from_rotvec(
            -feet.toe_bend_rad[:, side, None] * across_foot(build, side)[None]
        )
        pose_rotvec[:, HIPS[side]] = (root.inv() * thigh).as_rotvec()
        pose_rotvec[:, KNEES[side]] = knee.as_rotvec()
        pose_rotvec[:, ANKLES[side]] = (shin.inv() * foot).as_rotvec()
        pose_rotvec[:, BALLS[side]] = toes.as_rotvec()
    return pose_rotvec


def _bones(build: Build, side: int) -> tuple[np.ndarray, np.ndarray]:
    hip, knee, ankle = build.joints_m[[HIPS[side], KNEES[side], ANKLES[side]]]
    return knee - hip, ankle - knee


def _knee_angle(build: Build, side: int, distance_m: np.ndarray) -> np.ndarray:
    """The bend that puts the ankle at this distance from the hip.

    With thigh b and shin s and a turn of the shin about x by q:
    |b + R(q) s|^2 = d^2, that is  c1 cos q + c2 sin q = c0, whose greater root is the bent knee.
    """
    b, s = _bones(build, side)
    c0 = (distance_m**2 - b @ b - s @ s) / 2 - b[0] * s[0]
    c1, c2 = b[1] * s[1] + b[2] * s[2], b[2] * s[1] - b[1] * s[2]
    size = np.hypot(c1, c2)
    angle = np.arctan2(c2, c1) + np.arccos(np.clip(c0 / size, -1.0, 1.0))
    return np.maximum(angle, STRAIGHTEST_RAD)


def _frame(along: np.ndarray, sideways: np.ndarray) -> Rotation:
    """Rotation whose y axis runs along a bone and whose x axis is as near `sideways` as can be."""
    y = along / np.linalg.norm(along, axis=-1, keepdims=True)
    x = sideways - (sideways * y).sum(axis=-1, keepdims=True) * y
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return Rotation.from_matrix(np.stack([x, y, np.cross(x, y)], axis=-1))

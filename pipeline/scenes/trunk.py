"""What pelvis, spine, head and arms do while the legs walk."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

SPINE = (3, 6, 9)
NECK, HEAD = 12, 15
COLLARS, SHOULDERS, ELBOWS, WRISTS = (13, 14), (16, 17), (18, 19), (20, 21)
TURN = 2 * np.pi


@dataclass(frozen=True)
class Style:
    """How somebody walks; angles in degrees, at a speed of about 1.3 m/s."""

    pelvis_turn_deg: float = 6.0
    pelvis_drop_deg: float = 4.0
    lean_deg: float = 4.0
    thorax_turn_deg: float = 5.0
    arm_swing_deg: float = 21.0
    arm_ahead_deg: float = 4.0
    arm_out_deg: float = 11.0
    """Between the hanging arm and the vertical."""
    elbow_deg: float = 24.0
    elbow_swing_deg: float = 12.0
    bob_m: float = 0.022
    sway_m: float = 0.018


def pelvis_rotation(
    style: Style, heading_rad: Float64[np.ndarray, " t"], stride: Float64[np.ndarray, " t"]
) -> Rotation:
    """The pelvis against the world.

    `stride` is the left foot's. The hip of the leg in front goes ahead; the hip of the leg that
    swings drops.
    """
    turn = heading_rad - np.radians(style.pelvis_turn_deg) * np.cos(TURN * stride)
    drop = np.radians(style.pelvis_drop_deg) * np.cos(TURN * (stride - 0.2))
    tilt = np.full_like(turn, np.radians(style.lean_deg) / 2)
    return about("y", turn) * about("z", drop) * about("x", tilt)


def upper_body(style: Style, stride: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, "t 24 3"]:
    """Local rotations of spine, neck, head and arms; every other joint is zero.

    The chest turns against the pelvis, the head stays ahead, each arm goes with the other leg.
    """
    pose_rotvec = np.zeros((len(stride), 24, 3))
    swing = np.cos(TURN * stride)
    chest = np.radians(style.thorax_turn_deg) * swing
    undo_turn = chest + np.radians(style.pelvis_turn_deg) * swing
    undo_drop = -0.9 * np.radians(style.pelvis_drop_deg) * np.cos(TURN * (stride - 0.2))
    lean = np.full_like(stride, np.radians(style.lean_deg) / 2)
    part = about("x", lean / 3) * about("z", undo_drop / 3) * about("y", undo_turn / 3)
    pose_rotvec[:, SPINE] = part.as_rotvec()[:, None]
    upright = about("y", -chest / 2) * about("x", -lean)
    pose_rotvec[:, (NECK, HEAD)] = upright.as_rotvec()[:, None]
    for side, sign in ((0, 1.0), (1, -1.0)):
        ahead = -sign * np.cos(TURN * (stride - 0.03))
        raise_rad = np.radians(style.arm_ahead_deg + style.arm_swing_deg * ahead)
        down_rad = np.radians(90.0 - style.arm_out_deg - 6.0)
        bend_rad = np.radians(style.elbow_deg + style.elbow_swing_deg * ahead)
        pose_rotvec[:, (COLLARS[side], SHOULDERS[side], ELBOWS[side])] = arm(
            side, raise_rad, np.full_like(stride, down_rad), bend_rad
        )
    return pose_rotvec


def arm(
    side: int, raise_rad: np.ndarray, down_rad: np.ndarray, elbow_rad: np.ndarray
) -> Float64[np.ndarray, "t 3 3"]:
    """Local rotations of collar, shoulder and elbow of one arm.

    From the T pose the arm is lowered by `down_rad`, raised forwards by `raise_rad`, and its
    elbow bent forwards; the collar follows a little.
    """
    sign = 1.0 - 2.0 * side
    collar = about("z", -sign * np.full_like(raise_rad, np.radians(6.0)))
    shoulder = collar.inv() * about("x", -raise_rad) * collar * about("z", -sign * down_rad)
    elbow = about("y", -sign * elbow_rad)
    return np.stack([collar.as_rotvec(), shoulder.as_rotvec(), elbow.as_rotvec()], axis=1)


def about(axis: Literal["x", "y", "z"], angle_rad: np.ndarray) -> Rotation:
    """Rotations about one axis."""
    return Rotation.from_rotvec(np.outer(angle_rad, np.eye(3)["xyz".index(axis)]))

"""A body on the spot: feet placed, pelvis and arms on a course, legs solved to fit."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64
from scipy.spatial.transform import Rotation

from pipeline.scenes.legs import (
    ANKLES,
    HIPS,
    SIDES,
    Feet,
    longest_m,
    solve_legs,
    toe_out_rad,
)
from pipeline.scenes.motion import Build, Motion
from pipeline.scenes.trunk import COLLARS, ELBOWS, HEAD, NECK, SHOULDERS, SPINE, about, arm

STANCE_M = 0.24
"""Between the ankles of somebody who stands."""
TOE_OUT_RAD = np.radians(10.0)
UPRIGHT = 0.995
"""Share of the longest leg that somebody at ease stands at."""


@dataclass(frozen=True)
class Spot:
    """Where somebody stands, and which way they face (0 is +z, a quarter turn is +x)."""

    x_m: float = 0.0
    z_m: float = 0.0
    heading_rad: float = 0.0


ORIGIN = Spot()
"""At the origin, facing +z."""


@dataclass(frozen=True)
class Course:
    """What the body does over time; angles in radians, arms left and right."""

    down_m: Float64[np.ndarray, " t"]
    """By which the pelvis is lower than when standing."""
    back_m: Float64[np.ndarray, " t"]
    tilt: Float64[np.ndarray, " t"]
    """Of the pelvis, forwards."""
    bend: Float64[np.ndarray, " t"]
    """Of the spine, forwards."""
    arms_raised: Float64[np.ndarray, "t 2"]
    """Forwards from hanging; half a turn is straight up."""
    elbows: Float64[np.ndarray, "t 2"]
    yaw: Float64[np.ndarray, " t"]
    """Of the pelvis, in the world."""
    feet_yaw: Float64[np.ndarray, "t 2"]
    feet_lift_m: Float64[np.ndarray, "t 2"] = field(repr=False)


def at_ease(spot: Spot, frames: int, **changed: np.ndarray) -> Course:
    """Standing at ease but for what is given."""
    zero, elbows = np.zeros(frames), np.full((frames, 2), np.radians(18.0))
    yaw = np.full(frames, spot.heading_rad)
    ease = dict.fromkeys(("down_m", "back_m", "tilt", "bend"), zero)
    pairs = {"arms_raised": both(zero), "elbows": elbows, "feet_lift_m": both(zero)}
    turned = {"yaw": yaw, "feet_yaw": both(yaw)}
    return Course(**{**ease, **pairs, **turned, **changed})


def performed(build: Build, betas: np.ndarray, fps: float, spot: Spot, course: Course) -> Motion:
    """The motion of a body that keeps to its course."""
    root = about("y", course.yaw) * about("x", course.tilt)
    upright = about("y", course.yaw)
    offset = build.joints_m[0] - build.joints_m[[1, 2]].mean(axis=0)
    # Between the hips lies what goes down and back; the pelvis tilts about it.
    hips_m = np.stack(
        [0 * course.yaw, standing_hip_m(build) - course.down_m, -course.back_m], axis=1
    )
    pelvis_m = np.array([spot.x_m, 0, spot.z_m]) + upright.apply(hips_m) + root.apply(offset)
    pose_rotvec = solve_legs(build, root, pelvis_m, _placed_feet(build, spot, course))
    pose_rotvec[:, 0] = root.as_rotvec()
    pose_rotvec[:, SPINE] = about("x", course.bend / 3).as_rotvec()[:, None]
    level = -(course.tilt + course.bend) / 3
    pose_rotvec[:, (NECK, HEAD)] = about("x", level).as_rotvec()[:, None]
    for side in SIDES:
        parts = (COLLARS[side], SHOULDERS[side], ELBOWS[side])
        lowered = np.full_like(course.yaw, np.radians(74.0))
        pose_rotvec[:, parts] = arm(
            side, course.arms_raised[:, side], lowered, course.elbows[:, side]
        )
    return Motion(betas, fps, pose_rotvec, pelvis_m - build.joints_m[0], _contact(course))


def _placed_feet(build: Build, spot: Spot, course: Course) -> Feet:
    """Flat feet to both sides of the spot, turned and lifted as the course says."""
    frames = len(course.yaw)
    ankles_m, rotmat = np.empty((frames, 2, 3)), np.empty((frames, 2, 3, 3))
    for side in SIDES:
        sign = 1.0 - 2.0 * side
        turn = about("y", course.feet_yaw[:, side])
        height_m = build.joints_m[ANKLES[side], 1] - build.sole_y_m
        ankles_m[:, side] = turn.apply([sign * STANCE_M / 2, height_m, 0.0])
        ankles_m[:, side] += [spot.x_m, 0.0, spot.z_m]
        ankles_m[:, side, 1] += course.feet_lift_m[:, side]
        out = sign * TOE_OUT_RAD - toe_out_rad(build, side)
        rotmat[:, side] = (turn * Rotation.from_rotvec([0.0, out, 0.0])).as_matrix()
    return Feet(ankles_m, rotmat, np.zeros((frames, 2)))


def _contact(course: Course) -> Bool[np.ndarray, "t 4"]:
    return np.repeat(course.feet_lift_m <= 0, 2, axis=1)


def standing_hip_m(build: Build) -> float:
    """Height of the hips of somebody who stands at ease."""
    apart_m = STANCE_M / 2 - abs(float(build.joints_m[HIPS[0], 0]))
    ankle_m = float(build.joints_m[ANKLES[0], 1]) - build.sole_y_m
    return ankle_m + UPRIGHT * float(np.sqrt(longest_m(build, 0) ** 2 - apart_m**2))


def both(values: np.ndarray) -> np.ndarray:
    """The same for left and right."""
    return np.stack([values, values], axis=1)

"""Motions on the spot: squat, sit down, reach up, turn round. Feet are placed, legs follow."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy.spatial.transform import Rotation

from pipeline.body import BodyModel
from pipeline.scenes.legs import (
    ANKLES,
    HIPS,
    KNEES,
    SIDES,
    Feet,
    longest_m,
    solve_legs,
    toe_out_rad,
)
from pipeline.scenes.motion import Build, Motion, build_of
from pipeline.scenes.trunk import COLLARS, ELBOWS, HEAD, NECK, SHOULDERS, SPINE, about, arm

STANCE_M = 0.24
"""Between the ankles of somebody who stands."""
TOE_OUT_RAD = np.radians(10.0)
LIFT_M = 0.05
UPRIGHT = 0.995
"""Share of the longest leg that somebody at ease stands at."""


@dataclass(frozen=True)
class Spot:
    """Where somebody stands, and which way they face (0 is +z, a quarter turn is +x)."""

    x_m: float = 0.0
    z_m: float = 0.0
    heading_rad: float = 0.0


@dataclass(frozen=True)
class _Course:
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


def squat(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = Spot(),
    period_s: float = 2.5,
    depth: float = 0.45,
) -> Motion:
    """Squat again and again, arms stretched out ahead; `depth` is in lengths of a leg."""
    build = build_of(body, betas)
    low = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / fps / period_s)
    deep_m = depth * build.leg_m * low
    course = _still(
        spot,
        frames,
        down_m=deep_m,
        back_m=0.42 * deep_m,
        tilt=np.radians(35.0) * low,
        bend=np.radians(12.0) * low,
        arms_raised=_both(np.radians(5 + 80 * low)),
    )
    return _performed(build, betas, fps, spot, course)


def sit(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = Spot(),
    starts_s: float = 0.5,
    takes_s: float = 1.4,
    seat_m: float = 0.42,
) -> Motion:
    """Stand, then sit down on something `seat_m` high, hands towards the knees."""
    build = build_of(body, betas)
    time_s = np.arange(frames) / fps
    low = _eased((time_s - starts_s) / takes_s)
    lean = 4 * low * (1 - low)
    thigh_m = float(np.linalg.norm(build.joints_m[KNEES[0]] - build.joints_m[HIPS[0]]))
    seated_m = max(_standing_hip_m(build) - seat_m - 0.09, 0.0)
    course = _still(
        spot,
        frames,
        down_m=seated_m * low,
        back_m=0.92 * thigh_m * np.sin(0.5 * np.pi * low),
        tilt=np.radians(32.0) * lean - np.radians(6.0) * low,
        bend=np.radians(14.0) * lean + np.radians(8.0) * low,
        arms_raised=_both(np.radians(4 + 30 * low + 25 * lean)),
        elbows=_both(np.radians(15 + 45 * low)),
    )
    return _performed(build, betas, fps, spot, course)


def reach(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = Spot(),
    period_s: float = 3.0,
) -> Motion:
    """Reach up with the left arm, then with the right, and so on."""
    build = build_of(body, betas)
    turn = 2 * np.pi * np.arange(frames) / fps / period_s
    left, right = np.clip(np.sin(turn), 0, 1) ** 2, np.clip(-np.sin(turn), 0, 1) ** 2
    raised = np.stack([left, right], axis=1)
    course = _still(
        spot,
        frames,
        down_m=0.01 * (1 - left - right),
        bend=-np.radians(8.0) * (left + right),
        arms_raised=np.radians(5 + 160 * raised),
        elbows=np.radians(20 - 12 * raised),
    )
    return _performed(build, betas, fps, spot, course)


def turn_in_place(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = Spot(),
    speed_rad_s: float = np.radians(90.0),
    step_s: float = 0.5,
) -> Motion:
    """Turn to the left with small steps; each foot is set down ahead of the body's turn."""
    build = build_of(body, betas)
    time_s = np.arange(frames) / fps
    yaw = spot.heading_rad + speed_rad_s * time_s
    feet_yaw, lift_m = np.empty((frames, 2)), np.empty((frames, 2))
    for side in SIDES:
        strides = time_s / (2 * step_s) + side / 2
        count = np.floor(strides)
        swing = np.clip((strides - count) / 0.5, 0, 1)
        middle_s = (count - side / 2 + 0.25) * 2 * step_s
        feet_yaw[:, side] = spot.heading_rad + speed_rad_s * (
            middle_s + 2 * step_s * (_eased(swing) - 0.5)
        )
        lift_m[:, side] = LIFT_M * 16 * swing**2 * (1 - swing) ** 2
    course = _still(
        spot,
        frames,
        down_m=np.full(frames, 0.02),
        arms_raised=_both(np.full(frames, np.radians(6.0))),
        yaw=yaw,
        feet_yaw=feet_yaw,
        feet_lift_m=lift_m,
    )
    return _performed(build, betas, fps, spot, course)


def _still(spot: Spot, frames: int, **changed: np.ndarray) -> _Course:
    """Standing at ease but for what is given."""
    zero, elbows = np.zeros(frames), np.full((frames, 2), np.radians(18.0))
    yaw = np.full(frames, spot.heading_rad)
    ease = dict.fromkeys(("down_m", "back_m", "tilt", "bend"), zero)
    pairs = {"arms_raised": _both(zero), "elbows": elbows, "feet_lift_m": _both(zero)}
    turned = {"yaw": yaw, "feet_yaw": _both(yaw)}
    return _Course(**{**ease, **pairs, **turned, **changed})


def _performed(build: Build, betas: np.ndarray, fps: float, spot: Spot, course: _Course) -> Motion:
    root = about("y", course.yaw) * about("x", course.tilt)
    upright = about("y", course.yaw)
    offset = build.joints_m[0] - build.joints_m[[1, 2]].mean(axis=0)
    # Between the hips lies what goes down and back; the pelvis tilts about it.
    hips_m = np.stack(
        [0 * course.yaw, _standing_hip_m(build) - course.down_m, -course.back_m], axis=1
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


def _placed_feet(build: Build, spot: Spot, course: _Course) -> Feet:
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


def _contact(course: _Course) -> Bool[np.ndarray, "t 4"]:
    return np.repeat(course.feet_lift_m <= 0, 2, axis=1)


def _standing_hip_m(build: Build) -> float:
    """Height of the hips of somebody who stands at ease."""
    apart_m = STANCE_M / 2 - abs(float(build.joints_m[HIPS[0], 0]))
    ankle_m = float(build.joints_m[ANKLES[0], 1]) - build.sole_y_m
    return ankle_m + UPRIGHT * float(np.sqrt(longest_m(build, 0) ** 2 - apart_m**2))


def _both(values: np.ndarray) -> np.ndarray:
    return np.stack([values, values], axis=1)


def _eased(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0.0, 1.0)
    return share**3 * (10 - 15 * share + 6 * share**2)

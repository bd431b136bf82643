"""Motions on the spot: squat, sit down, reach up, turn round."""

import numpy as np
from jaxtyping import Float32

from pipeline.body import BodyModel
from pipeline.scenes.legs import HIPS, KNEES, SIDES
from pipeline.scenes.motion import Motion, build_of
from pipeline.scenes.stance import ORIGIN, Spot, at_ease, both, performed, standing_hip_m

LIFT_M = 0.05
"""How high a foot is lifted to be set down elsewhere."""


def squat(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = ORIGIN,
    period_s: float = 2.5,
    depth: float = 0.45,
) -> Motion:
    """Squat again and again, arms stretched out ahead; `depth` is in lengths of a leg."""
    build = build_of(body, betas)
    low = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / fps / period_s)
    deep_m = depth * build.leg_m * low
    course = at_ease(
        spot,
        frames,
        down_m=deep_m,
        back_m=0.42 * deep_m,
        tilt=np.radians(35.0) * low,
        bend=np.radians(12.0) * low,
        arms_raised=both(np.radians(5 + 80 * low)),
    )
    return performed(build, betas, fps, spot, course)


def sit(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = ORIGIN,
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
    seated_m = max(standing_hip_m(build) - seat_m - 0.09, 0.0)
    course = at_ease(
        spot,
        frames,
        down_m=seated_m * low,
        back_m=0.92 * thigh_m * np.sin(0.5 * np.pi * low),
        tilt=np.radians(32.0) * lean - np.radians(6.0) * low,
        bend=np.radians(14.0) * lean + np.radians(8.0) * low,
        arms_raised=both(np.radians(4 + 30 * low + 25 * lean)),
        elbows=both(np.radians(15 + 45 * low)),
    )
    return performed(build, betas, fps, spot, course)


def reach(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = ORIGIN,
    period_s: float = 3.0,
) -> Motion:
    """Reach up with the left arm, then with the right, and so on."""
    build = build_of(body, betas)
    turn = 2 * np.pi * np.arange(frames) / fps / period_s
    left, right = np.clip(np.sin(turn), 0, 1) ** 2, np.clip(-np.sin(turn), 0, 1) ** 2
    raised = np.stack([left, right], axis=1)
    course = at_ease(
        spot,
        frames,
        down_m=0.01 * (1 - left - right),
        bend=-np.radians(8.0) * (left + right),
        arms_raised=np.radians(5 + 160 * raised),
        elbows=np.radians(20 - 12 * raised),
    )
    return performed(build, betas, fps, spot, course)


def turn_in_place(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    frames: int,
    fps: float = 30.0,
    spot: Spot = ORIGIN,
    speed_rad_s: float = np.pi / 2,
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
    course = at_ease(
        spot,
        frames,
        down_m=np.full(frames, 0.02),
        arms_raised=both(np.full(frames, np.radians(6.0))),
        yaw=yaw,
        feet_yaw=feet_yaw,
        feet_lift_m=lift_m,
    )
    return performed(build, betas, fps, spot, course)


def _eased(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0.0, 1.0)
    return share**3 * (10 - 15 * share + 6 * share**2)

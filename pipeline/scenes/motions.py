"""Procedural motions, the project's own: no recording of anybody went into them.

Amplitudes and timing of the gait follow textbook values (Perry & Burnfield 2010, "Gait
Analysis"); feet are planned first and the legs solved to reach them.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32
from scipy.spatial.transform import Rotation

from pipeline.body import BodyModel
from pipeline.scenes.legs import HIPS, SIDES, longest_m, solve_legs
from pipeline.scenes.motion import Build, Motion, build_of
from pipeline.scenes.paths import GroundPath, rounded_path
from pipeline.scenes.steps import Cadence, walked_feet
from pipeline.scenes.trunk import TURN, Style, pelvis_rotation, upper_body

STEP_OF_LEG = 0.78
"""Length of a step over length of the leg in an easy walk at 1.3 m/s."""
EASY_SPEED_M_S = 1.3
OVER_LEG = 0.29
"""Share of the stride at which the body is over the standing leg."""
DENSE_FPS = 120.0


def walk(
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    corners_xz_m: Float[np.ndarray, "n 2"] | Sequence[tuple[float, float]],
    *,
    frames: int,
    fps: float = 30.0,
    speed_m_s: float = EASY_SPEED_M_S,
    step_m: float | None = None,
    first_step: float = 0.0,
    style: Style | None = None,
) -> Motion:
    """Walk along a way at an even pace, in full stride from the first frame to the last.

    Args:
        body: the body that walks.
        betas: its shape.
        corners_xz_m: the way's corners on the ground; the first is where frame 0 is, after the
            last it goes straight on.
        frames: length of the motion.
        fps: frame rate.
        speed_m_s: pace.
        step_m: from one heel's touch to the other's; by default what suits leg and pace.
        first_step: steps made before frame 0: 0 the left heel touches, 1 the right, 0.5 between.
        style: how this walker moves.
    """
    style = style or Style()
    build = build_of(body, betas)
    if step_m is None:
        step_m = STEP_OF_LEG * build.leg_m * float(np.sqrt(speed_m_s / EASY_SPEED_M_S))
    cadence = Cadence(step_m, step_m / speed_m_s, 0.11, first_step)
    path = rounded_path(np.asarray(corners_xz_m, dtype=np.float64), cadence.body_way_m(0.0))
    time_s = np.arange(frames) / fps
    feet, contact = walked_feet(build, path, cadence, time_s)
    root, pelvis_m = _pelvis(path, cadence, style, time_s)
    pelvis_m[:, 1] += _pelvis_height_m(build, path, cadence, style, frames / fps)
    pose_rotvec = solve_legs(build, root, pelvis_m, feet)
    pose_rotvec += upper_body(style, cadence.stride(time_s, 0))
    pose_rotvec[:, 0] = root.as_rotvec()
    return Motion(betas, fps, pose_rotvec, pelvis_m - build.joints_m[0], contact)


def _pelvis(
    path: GroundPath, cadence: Cadence, style: Style, time_s: np.ndarray
) -> tuple[Rotation, np.ndarray]:
    """Turn and place of the pelvis; its height is only the bob about the mean.

    It is highest and furthest to the side over each standing leg.
    """
    stride = cadence.stride(time_s, 0)
    way_m = cadence.body_way_m(time_s)
    heading = path.heading_rad(way_m)
    left = np.stack([np.cos(heading), np.zeros_like(heading), -np.sin(heading)], axis=1)
    over_leg = TURN * (stride - OVER_LEG)
    place_m = path.at(way_m) + style.sway_m * np.cos(over_leg)[:, None] * left
    place_m[:, 1] = style.bob_m * np.cos(2 * over_leg)
    return pelvis_rotation(style, heading, stride), place_m


def _pelvis_height_m(
    build: Build, path: GroundPath, cadence: Cadence, style: Style, duration_s: float
) -> float:
    """The greatest mean height from which both legs always reach their feet."""
    time_s = np.arange(0.0, max(duration_s, 2 * cadence.step_s), 1 / DENSE_FPS)
    feet, _ = walked_feet(build, path, cadence, time_s)
    root, pelvis_m = _pelvis(path, cadence, style, time_s)
    room_m = []
    for side in SIDES:
        hip_m = pelvis_m + root.apply(build.joints_m[HIPS[side]] - build.joints_m[0])
        reach = feet.ankles_m[:, side] - hip_m
        level_m = np.hypot(reach[:, 0], reach[:, 2])
        room_m.append(np.sqrt(longest_m(build, side) ** 2 - level_m**2) + reach[:, 1])
    return float(np.min(room_m))

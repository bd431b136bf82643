"""Footsteps of a walk: where each foot stands, and how it rolls from heel to toe and swings.

The stride of a foot runs from 0 at its heel's touch to 1 at its next. While the foot stands it
turns only about points that rest on the ground (heel, then ball), so nothing slides.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation

from pipeline.scenes.legs import ANKLES, BALLS, SIDES, Feet, across_foot, toe_out_rad
from pipeline.scenes.motion import Build
from pipeline.scenes.paths import GroundPath

FLAT_FROM, HEEL_UP, TOE_OFF = 0.09, 0.34, 0.61
"""Shares of the stride at which the sole is down, the heel lifts, the toe leaves."""
PITCH_KEYS_DEG = (
    (0.0, -19.0),
    (FLAT_FROM, 0.0),
    (HEEL_UP, 0.0),
    (0.5, 23.0),
    (TOE_OFF, 54.0),
    (0.66, 62.0),
    (0.77, 24.0),
    (0.86, -6.0),
    (0.95, -17.0),
)
"""Angle between sole and ground over a stride; positive is heel up (as filmed gait has it)."""
TOE_STRAIGHT = 0.76
"""Share of the stride at which the toes, bent at push-off, are straight again."""
CLEARANCE_M = 0.028
"""Extra height of the foot in the middle of its swing."""
TOE_OUT_RAD = np.radians(6.0)
NUDGE = 1e-4
BODY_BEHIND = 0.43
"""Steps by which the pelvis is behind the heel that touches."""


@dataclass(frozen=True)
class Cadence:
    """When and where a walker steps."""

    step_m: float
    step_s: float
    width_m: float
    """Between the lines on which the left and the right ankle are set down."""
    first_step: float
    """Way of the body, in steps, at time 0; whole numbers are touches of the heel."""

    def stride(self, time_s: np.ndarray, side: int) -> np.ndarray:
        """Strides of a foot at these times: the whole part counts, the rest is the phase."""
        return (time_s / self.step_s + self.first_step - side) / 2

    def body_way_m(self, time_s: Any) -> Any:
        """Way of the pelvis, somewhat behind the foot that touches; number or array."""
        return self.step_m * (time_s / self.step_s + self.first_step - BODY_BEHIND)


def walked_feet(
    build: Build, path: GroundPath, cadence: Cadence, time_s: Float64[np.ndarray, " t"]
) -> tuple[Feet, Bool[np.ndarray, "t 4"]]:
    """Both feet at these times, and which of heel and ball of each rest on the ground."""
    ankles_m = np.empty((len(time_s), 2, 3))
    rotmat = np.empty((len(time_s), 2, 3, 3))
    toe_bend_rad = np.empty((len(time_s), 2))
    contact = np.empty((len(time_s), 4), dtype=bool)
    for side in SIDES:
        foot = _Foot(build, path, cadence, side)
        stride = cadence.stride(time_s, side)
        count, phase = np.floor(stride), stride - np.floor(stride)
        ankles_m[:, side] = foot.ankle_m(count, phase)
        rotmat[:, side] = foot.rotation(count, phase).as_matrix()
        toe_bend_rad[:, side] = toe_bend(phase)
        contact[:, 2 * side] = phase <= HEEL_UP
        contact[:, 2 * side + 1] = (phase >= FLAT_FROM) & (phase <= TOE_OFF)
    return Feet(ankles_m, rotmat, toe_bend_rad), contact


def _pitch_curve() -> PchipInterpolator:
    keys = np.array(PITCH_KEYS_DEG, dtype=np.float64)
    around = np.concatenate([keys + np.array([shift, 0.0]) for shift in (-1, 0, 1)])
    return PchipInterpolator(around[:, 0], np.radians(around[:, 1]))


pitch = _pitch_curve()
"""Angle of the sole in radians at a phase of the stride, 0 to 1."""


def toe_bend(phase: np.ndarray) -> np.ndarray:
    """Toes stay flat on the ground until they leave it, then straighten."""
    since = np.clip((phase - TOE_OFF) / (TOE_STRAIGHT - TOE_OFF), 0.0, 1.0)
    slack = 1.0 - since**2 * (3.0 - 2.0 * since)
    return np.where(phase < TOE_STRAIGHT, np.maximum(pitch(phase), 0.0) * slack, 0.0)


@dataclass(frozen=True)
class _Foot:
    """One foot over the whole walk; `count` is the number of its step, `phase` 0 to 1."""

    build: Build
    path: GroundPath
    cadence: Cadence
    side: int

    def _stand(self, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flat ankle (t, 3) and heading (t,) of a step."""
        way_m = (2 * count + self.side) * self.cadence.step_m
        heading = self.path.heading_rad(way_m)
        left = np.stack([np.cos(heading), np.zeros_like(heading), -np.sin(heading)], axis=-1)
        sign = 1.0 - 2.0 * self.side
        ankle_m = self.path.at(way_m) + sign * self.cadence.width_m / 2 * left
        ankle_m[:, 1] = self.build.joints_m[ANKLES[self.side], 1] - self.build.sole_y_m
        return ankle_m, heading + sign * TOE_OUT_RAD

    def _turned(self, heading: np.ndarray, pitch_rad: np.ndarray) -> Rotation:
        yaw = heading - toe_out_rad(self.build, self.side)
        about = np.outer(pitch_rad, across_foot(self.build, self.side))
        return Rotation.from_rotvec(np.outer(yaw, [0.0, 1.0, 0.0])) * Rotation.from_rotvec(about)

    def _standing_ankle(self, count: np.ndarray, phase: np.ndarray) -> np.ndarray:
        """The ankle while the foot rolls over the heel (pitch < 0) or the ball."""
        flat_m, heading = self._stand(count)
        pitch_rad = pitch(phase)
        ankle = self.build.joints_m[ANKLES[self.side]]
        to_heel = self.build.heels_m[self.side] - ankle
        to_ball = self.build.joints_m[BALLS[self.side]] - ankle
        arm = np.where(pitch_rad[:, None] < 0, to_heel, to_ball)
        flat, rolled = self._turned(heading, 0 * heading), self._turned(heading, pitch_rad)
        return flat_m + flat.apply(arm) - rolled.apply(arm)

    def rotation(self, count: np.ndarray, phase: np.ndarray) -> Rotation:
        """Foot against the world; the heading turns over to the next step's during the swing."""
        _, here = self._stand(count)
        _, there = self._stand(count + 1)
        share = _eased(self._swing(phase))
        return self._turned(here + share * (there - here), pitch(phase))

    def ankle_m(self, count: np.ndarray, phase: np.ndarray) -> np.ndarray:
        """The ankle's place."""
        standing = self._standing_ankle(count, np.minimum(phase, TOE_OFF))
        s = self._swing(phase)[:, None]
        start, end = self._standing_ankle(count, 0 * phase + TOE_OFF), 0 * phase
        end_m = self._standing_ankle(count + 1, end)
        before = self._standing_ankle(count, 0 * phase + TOE_OFF - NUDGE)
        after = self._standing_ankle(count + 1, end + NUDGE)
        to_swing = (1 - TOE_OFF) / NUDGE
        swinging = _hermite(
            s, start, end_m, (start - before) * to_swing, (after - end_m) * to_swing
        )
        swinging[:, 1:2] += CLEARANCE_M * 16 * s**2 * (1 - s) ** 2
        return np.where(s > 0, swinging, standing)

    def _swing(self, phase: np.ndarray) -> np.ndarray:
        return np.clip((phase - TOE_OFF) / (1 - TOE_OFF), 0.0, 1.0)


def _eased(share: np.ndarray) -> np.ndarray:
    return share**2 * (3 - 2 * share)


def _hermite(
    s: np.ndarray, start: np.ndarray, end: np.ndarray, v0: np.ndarray, v1: np.ndarray
) -> np.ndarray:
    """Cubic from start to end over s in 0..1 with these velocities at its ends."""
    return (
        (2 * s**3 - 3 * s**2 + 1) * start
        + (s**3 - 2 * s**2 + s) * v0
        + (3 * s**2 - 2 * s**3) * end
        + (s**3 - s**2) * v1
    )

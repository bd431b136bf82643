"""Where a box is and where it will be: a Kalman filter with steady velocity, in real seconds.

Centre with velocity, size and shape as slow random walks (`_box_measures`).
"""

from functools import lru_cache

import numpy as np
from filterpy.common import Q_continuous_white_noise
from filterpy.kalman import KalmanFilter
from jaxtyping import Float64

from stages.tracking._box_measures import (
    POSITION_NOISE,
    PUSH,
    SCALE_OF_SIZE,
    SHAPE_DRIFT,
    SHAPE_NOISE,
    SIZE_DRIFT,
    SIZE_NOISE,
    START_SPEED,
)

MEASURED = np.array([0, 2, 4, 5])
_H = np.eye(6)[MEASURED]
_R = np.diag([POSITION_NOISE**2, POSITION_NOISE**2, SIZE_NOISE**2, SHAPE_NOISE**2])
_P = np.diag([POSITION_NOISE**2, START_SPEED**2] * 2 + [SIZE_NOISE**2, SHAPE_NOISE**2])


class BoxFilter:
    """One person's box over time; state x, vx, y, vy, log size, log shape."""

    def __init__(self, measured: Float64[np.ndarray, " 4"], time_s: float) -> None:
        self.time_s = time_s
        self._kalman = KalmanFilter(dim_x=6, dim_z=4)
        self._kalman.H = _H
        self._kalman.x = np.zeros((6, 1))
        self._kalman.x[MEASURED, 0] = measured
        self._kalman.P = _P * self._units()

    @classmethod
    def again(
        cls, state: Float64[np.ndarray, " 6"], covariance: Float64[np.ndarray, "6 6"], time_s: float
    ) -> "BoxFilter":
        """The filter whose `state` and `covariance` were these."""
        found = cls(state[MEASURED], time_s)
        found._kalman.x, found._kalman.P = state[:, None].copy(), covariance.copy()
        return found

    @property
    def state(self) -> Float64[np.ndarray, " 6"]:
        """x, vx, y, vy, log size, log shape."""
        return self._kalman.x[:, 0]

    @property
    def covariance(self) -> Float64[np.ndarray, "6 6"]:
        """Of the state."""
        return self._kalman.P

    def predict(self, time_s: float) -> None:
        """Move on to a later time."""
        moved, noise = _motion(round(time_s - self.time_s, 6))
        self._kalman.predict(F=moved, Q=noise * self._units())
        self.time_s = time_s

    def update(self, measured: Float64[np.ndarray, " 4"]) -> None:
        """Take in what was measured at the present time."""
        units = self._units()[np.ix_(MEASURED, MEASURED)]
        self._kalman.update(measured[:, None], R=_R * units)

    @property
    def expected(self) -> Float64[np.ndarray, " 4"]:
        """The measurement to be expected now."""
        return self._kalman.x[MEASURED, 0]

    @property
    def variance(self) -> Float64[np.ndarray, " 4"]:
        """Variance of the measurement around what is expected; its parts are independent."""
        units = np.diagonal(self._units())[MEASURED]
        return np.diagonal(self._kalman.P)[MEASURED] + np.diagonal(_R) * units

    def _units(self) -> Float64[np.ndarray, "6 6"]:
        """Products of the units of the state: pixels per height four times, one twice."""
        height_px = SCALE_OF_SIZE * np.exp(self._kalman.x[4, 0])
        unit = np.array([height_px] * 4 + [1.0, 1.0])
        return unit[:, None] * unit


@lru_cache(maxsize=1024)
def _motion(step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Transition and noise over a time step."""
    moved, noise = np.eye(6), np.zeros((6, 6))
    moved[0, 1] = moved[2, 3] = step_s
    noise[:2, :2] = noise[2:4, 2:4] = Q_continuous_white_noise(2, step_s, PUSH)
    noise[4, 4], noise[5, 5] = SIZE_DRIFT * step_s, SHAPE_DRIFT * step_s
    return moved, noise

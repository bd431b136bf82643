"""Where many people's boxes are and will be: the filter of `_box_filter`, for all at once.

Centre with velocity, size and shape as slow random walks. The axes are independent and x and y have
the same uncertainty, so that every person's filter is a 2 by 2 matrix and two numbers.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from stages.tracking._box_measures import (
    POSITION_NOISE,
    PUSH,
    SHAPE_DRIFT,
    SHAPE_NOISE,
    SIZE_DRIFT,
    SIZE_NOISE,
    START_SPEED,
    scale_px,
)


@dataclass(frozen=True)
class Motion:
    """State of n people; variances in heights and seconds, places in pixels."""

    measure: Float64[np.ndarray, "n 4"]
    """Centre x, y, log size, log shape, as expected now."""
    velocity_px_s: Float64[np.ndarray, "n 2"]
    position_variance: Float64[np.ndarray, " n"]
    covariance: Float64[np.ndarray, " n"]
    """Of position and velocity."""
    velocity_variance: Float64[np.ndarray, " n"]
    size_variance: Float64[np.ndarray, " n"]
    shape_variance: Float64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.measure)

    @property
    def height_px(self) -> Float64[np.ndarray, " n"]:
        """Height that a standing person of each size has."""
        return scale_px(self.measure)

    @property
    def variance(self) -> Float64[np.ndarray, "n 4"]:
        """Of a measurement around what is expected; that of the place in square pixels."""
        place = (self.position_variance + POSITION_NOISE**2) * self.height_px**2
        size, shape = self.size_variance + SIZE_NOISE**2, self.shape_variance + SHAPE_NOISE**2
        return np.stack([place, place, size, shape], axis=1)

    def kept(self, rows: Bool[np.ndarray, " n"] | Int64[np.ndarray, " m"]) -> "Motion":
        """Some of the people."""
        return Motion(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def joined(self, other: "Motion") -> "Motion":
        """These people and others."""
        return Motion(
            **{
                field.name: np.concatenate([getattr(self, field.name), getattr(other, field.name)])
                for field in fields(self)
            }
        )

    def after(self, step_s: float) -> "Motion":
        """As expected a while later: steady velocity, growing doubt."""
        position = self.position_variance + 2 * step_s * self.covariance
        position = position + step_s**2 * self.velocity_variance + PUSH * step_s**3 / 3
        measure = self.measure.copy()
        measure[:, :2] += step_s * self.velocity_px_s
        return replace(
            self,
            measure=measure,
            position_variance=position,
            covariance=self.covariance + step_s * self.velocity_variance + PUSH * step_s**2 / 2,
            velocity_variance=self.velocity_variance + PUSH * step_s,
            size_variance=self.size_variance + SIZE_DRIFT * step_s,
            shape_variance=self.shape_variance + SHAPE_DRIFT * step_s,
        )

    def corrected(
        self, rows: Int64[np.ndarray, " m"], measured: Float64[np.ndarray, "m 4"]
    ) -> "Motion":
        """After measuring some of the people."""
        old = self.kept(rows)
        gain = old.position_variance / (old.position_variance + POSITION_NOISE**2)
        velocity_gain = old.covariance / (old.position_variance + POSITION_NOISE**2)
        size_gain = old.size_variance / (old.size_variance + SIZE_NOISE**2)
        shape_gain = old.shape_variance / (old.shape_variance + SHAPE_NOISE**2)
        gap = measured - old.measure
        step = np.column_stack([gain, gain, size_gain, shape_gain]) * gap
        new = Motion(
            measure=old.measure + step,
            velocity_px_s=old.velocity_px_s + velocity_gain[:, None] * gap[:, :2],
            position_variance=(1 - gain) * old.position_variance,
            covariance=(1 - gain) * old.covariance,
            velocity_variance=old.velocity_variance - velocity_gain * old.covariance,
            size_variance=(1 - size_gain) * old.size_variance,
            shape_variance=(1 - shape_gain) * old.shape_variance,
        )
        out = {}
        for field in fields(self):
            out[field.name] = getattr(self, field.name).copy()
            out[field.name][rows] = getattr(new, field.name)
        return Motion(**out)


def motion_at(measured: Float64[np.ndarray, "n 4"]) -> Motion:
    """People seen for the first time: their speed is not known."""
    ones = np.ones(len(measured))
    return Motion(
        measure=measured.copy(),
        velocity_px_s=np.zeros((len(measured), 2)),
        position_variance=POSITION_NOISE**2 * ones,
        covariance=0 * ones,
        velocity_variance=START_SPEED**2 * ones,
        size_variance=SIZE_NOISE**2 * ones,
        shape_variance=SHAPE_NOISE**2 * ones,
    )

"""The One-Euro filter (Casiez, Roussel, Vogel, CHI 2012): looks at no later frame.

A low-pass whose cut-off rises with speed: still hands are calm, fast ones late by little. It is
the one to choose where frames come live; with the whole video at hand `whittaker` is better.
"""

import numpy as np
from jaxtyping import Float64
from pydantic import Field

from stages.smoothing._filtered import FilterSmoother
from stages.smoothing._person_smoother import SmootherConfig

CHORDS_PER_ANGLE = 0.5
"""A chord between unit quaternions is half of the angle between the rotations."""


class Config(SmootherConfig):
    """Cut-off = least cut-off + beta * speed. Times are the frames' own, in seconds."""

    rotation_cutoff_hz: float = Field(default=1.5, gt=0)
    """Of a joint that does not turn."""
    rotation_beta: float = Field(default=1.5, ge=0)
    """Hz that the cut-off rises per rad/s."""
    place_cutoff_hz: float = Field(default=1.0, gt=0)
    """Of a place in the picture (the ray from the camera) that does not move."""
    place_beta: float = Field(default=10.0, ge=0)
    """Hz that the cut-off rises when the place moves by the distance from the camera per second."""
    depth_cutoff_hz: float = Field(default=0.5, gt=0)
    """Of the logarithm of a distance along the camera's axis that does not change."""
    depth_beta: float = Field(default=1.0, ge=0)
    """Hz that the cut-off rises per 1/s."""
    speed_cutoff_hz: float = Field(default=1.0, gt=0)
    """Of the low-pass that the speed itself goes through."""


class Backend(FilterSmoother):
    """Every joint and the place have a cut-off of their own at every frame."""

    config: Config

    def filter_rotation(
        self, quats: Float64[np.ndarray, "t joints 4"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t joints 4"]:
        """One cut-off per joint, by its angular speed: no axis is preferred."""
        beta = self.config.rotation_beta / CHORDS_PER_ANGLE
        cutoff_hz = self.config.rotation_cutoff_hz
        return one_euro(quats, time_s, cutoff_hz, beta, self.config.speed_cutoff_hz)

    def filter_ray(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """One cut-off for both directions."""
        place_hz, beta = self.config.place_cutoff_hz, self.config.place_beta
        speed_hz = self.config.speed_cutoff_hz
        return one_euro(values[:, None], time_s, place_hz, beta, speed_hz)[:, 0]

    def filter_depth(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """One cut-off."""
        depth_hz, beta = self.config.depth_cutoff_hz, self.config.depth_beta
        speed_hz = self.config.speed_cutoff_hz
        return one_euro(values[:, None], time_s, depth_hz, beta, speed_hz)[:, 0]


def one_euro(
    values: Float64[np.ndarray, "t n d"],
    time_s: Float64[np.ndarray, " t"],
    least_cutoff_hz: float,
    beta: float,
    speed_cutoff_hz: float,
) -> Float64[np.ndarray, "t n d"]:
    """Filter n signals of d coordinates; the cut-off of each follows the length of its velocity.

    For d = 1 this is the published formula: velocity against the value filtered last, its
    low-pass with `speed_cutoff_hz`, and y = a x + (1 - a) y_last, a = 1 / (1 + 1 / (2 pi c dt)),
    c = `least_cutoff_hz` + `beta` |velocity|. It starts at the first value, at rest.

    Args:
        values: samples.
        time_s: increasing times; with frame numbers in their place all cut-offs are per frame.
        least_cutoff_hz: cut-off at rest.
        beta: rise of the cut-off, Hz per (unit of the values / s).
        speed_cutoff_hz: cut-off of the velocity.
    """
    smooth = np.array(values)
    velocity = np.zeros_like(values[0])
    for frame, step_s in enumerate(np.diff(time_s), start=1):
        last = smooth[frame - 1]
        share = _share(speed_cutoff_hz, step_s)
        velocity = share * (values[frame] - last) / step_s + (1 - share) * velocity
        speed = np.linalg.norm(velocity, axis=-1, keepdims=True)
        share = _share(least_cutoff_hz + beta * speed, step_s)
        smooth[frame] = share * values[frame] + (1 - share) * last
    return smooth


def _share(cutoff_hz: np.ndarray | float, step_s: float) -> np.ndarray:
    """Weight of the new sample in an exponential low-pass."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s)))

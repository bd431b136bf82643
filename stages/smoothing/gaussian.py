"""A Gaussian average over the frames around each frame: plain, and nothing comes late.

Of the simple filters it leaves least jitter, and flattens fast motion most.
"""

import numpy as np
from jaxtyping import Float64
from pydantic import Field
from scipy.ndimage import gaussian_filter1d

from stages.smoothing._filtered import FilterSmoother
from stages.smoothing._person_smoother import SmootherConfig
from stages.smoothing._uniform import at_steady_times

TRUNCATE = 4.0
"""Standard deviations at which the kernel ends."""


class Config(SmootherConfig):
    """Standard deviations in seconds: what swings at 0.187 / sigma Hz keeps half of its width."""

    rotation_sigma_s: float = Field(default=0.05, gt=0)
    place_sigma_s: float = Field(default=0.05, gt=0)
    """Of the place in the picture (the ray from the camera)."""
    depth_sigma_s: float = Field(default=0.15, gt=0)
    """Of the logarithm of the distance along the camera's axis."""


class Backend(FilterSmoother):
    """Every coordinate on its own."""

    config: Config

    def filter_rotation(
        self, quats: Float64[np.ndarray, "t joints 4"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t joints 4"]:
        """Joint rotations."""
        return self._filter(quats, time_s, self.config.rotation_sigma_s)

    def filter_ray(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """Place in the picture."""
        return self._filter(values, time_s, self.config.place_sigma_s)

    def filter_depth(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """Log depth."""
        return self._filter(values, time_s, self.config.depth_sigma_s)

    def _filter(self, values: np.ndarray, time_s: np.ndarray, sigma_s: float) -> np.ndarray:
        return at_steady_times(values, time_s, lambda v, step_s: gaussian(v, sigma_s / step_s))


def gaussian(
    values: Float64[np.ndarray, "t *rest"], sigma_frames: float
) -> Float64[np.ndarray, "t *rest"]:
    """Average along the first axis; beyond the ends the first and the last sample repeat."""
    return np.asarray(
        gaussian_filter1d(values, sigma_frames, axis=0, mode="nearest", truncate=TRUNCATE)
    )

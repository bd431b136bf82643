"""Savitzky-Golay (1964): a parabola fitted to the frames around each frame.

Keeps peaks better than an average of the same length, and takes away less; looks as far ahead as
back, so nothing comes late. Short stretches get a shorter window.
"""

import numpy as np
from jaxtyping import Float64
from pydantic import Field
from scipy.signal import savgol_filter

from stages.smoothing._filtered import FilterSmoother
from stages.smoothing._person_smoother import SmootherConfig
from stages.smoothing._uniform import at_steady_times


class Config(SmootherConfig):
    """Windows count from the first to the last frame in them, in seconds."""

    rotation_window_s: float = Field(default=0.4, gt=0)
    place_window_s: float = Field(default=0.4, gt=0)
    """Of the place in the picture (the ray from the camera)."""
    depth_window_s: float = Field(default=0.8, gt=0)
    """Of the logarithm of the distance along the camera's axis."""
    order: int = Field(default=2, ge=0, le=5)
    """Degree of the polynomial."""


class Backend(FilterSmoother):
    """Every coordinate on its own."""

    config: Config

    def filter_rotation(
        self, quats: Float64[np.ndarray, "t joints 4"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t joints 4"]:
        """Joint rotations."""
        return self._filter(quats, time_s, self.config.rotation_window_s)

    def filter_ray(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """Place in the picture."""
        return self._filter(values, time_s, self.config.place_window_s)

    def filter_depth(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """Log depth."""
        return self._filter(values, time_s, self.config.depth_window_s)

    def _filter(self, values: np.ndarray, time_s: np.ndarray, window_s: float) -> np.ndarray:
        order = self.config.order
        return at_steady_times(
            values, time_s, lambda v, step_s: savgol(v, window_frames(window_s, step_s), order)
        )


def window_frames(window_s: float, step_s: float) -> int:
    """The odd number of frames that comes nearest to a window; its ends are frames."""
    return 1 + 2 * round(window_s / step_s / 2)


def savgol(
    values: Float64[np.ndarray, "t *rest"], window: int, order: int
) -> Float64[np.ndarray, "t *rest"]:
    """Polynomials through `window` samples along the first axis; at the ends the last one holds.

    Sequences shorter than the window get the longest odd window that fits; where the polynomial
    goes through all of it the samples come back as they are.
    """
    window = min(window, len(values) - 1 + len(values) % 2)
    if window <= order:
        return values
    return np.asarray(savgol_filter(values, window, order, axis=0, mode="interp"))

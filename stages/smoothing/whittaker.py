"""Robust Whittaker smoothing of rotations and place, blind to frame rate, poles and outliers.

* Rotations are smoothed as sign-continuous quaternions in four dimensions and put back onto the
  unit sphere: no poles, no jump at half a turn, and a steady rotation stays as it is, because
  sine and cosine of one frequency shrink alike.
* Place is that of the pelvis, smoothed as (x/z, y/z, log z). What a single camera gets wrong is
  depth, and it does so along the ray; smoothing x and z apart would let the body slide in the
  picture. Depth therefore has its own, lower cut-off and the ray keeps the picture's.
"""

from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from pydantic import Field

from stages.smoothing._grid import Grid, smooth_place, smooth_rotations
from stages.smoothing._person_smoother import PersonSmoother, SmootherConfig, Stretch
from stages.smoothing._third_difference import ORDER


class Config(SmootherConfig):
    """A motion at the cut-off keeps half of its amplitude, at twice that 1/65."""

    rotation_cutoff_hz: float = Field(default=3.0, gt=0)
    root_cutoff_hz: float = Field(default=3.0, gt=0)
    """Of the body's orientation."""
    spread: float = Field(default=3.0, ge=1)
    """How many times higher and lower both may get, joint by joint and moment by moment: higher
    where motion is fast and noise small, lower where it is still and noise large. 1: fixed."""
    place_cutoff_hz: float = Field(default=4.0, gt=0)
    """Of the place in the picture (the ray from the camera)."""
    depth_cutoff_hz: float = Field(default=1.5, gt=0)
    """Of the logarithm of the distance along the camera's axis."""
    outlier_ratio: float = Field(default=5.0, gt=0)
    """A sample further off than this many usual distances counts nothing."""
    outlier_window_s: float = Field(default=0.5, gt=0)
    """Time around a sample over which 'usual' is also measured."""


class Backend(PersonSmoother):
    """Smooths every person on its own."""

    config: Config
    least_frames: ClassVar[int] = ORDER + 1
    """A parabola goes through three points: nothing to smooth."""

    def smooth_pose(self, stretch: Stretch) -> Float64[np.ndarray, "t 24 3"]:
        """Every joint on its own."""
        cutoffs_hz = np.full(stretch.pose_rotvec.shape[1], self.config.rotation_cutoff_hz)
        cutoffs_hz[0] = self.config.root_cutoff_hz
        return smooth_rotations(
            stretch.pose_rotvec, self._grid(stretch), cutoffs_hz, self.config.spread
        )

    def smooth_pelvis(self, stretch: Stretch) -> Float64[np.ndarray, "t 3"]:
        """Along the ray and along log depth."""
        config = self.config
        return smooth_place(
            stretch.pelvis_m, self._grid(stretch), config.place_cutoff_hz, config.depth_cutoff_hz
        )

    def _grid(self, stretch: Stretch) -> Grid:
        config = self.config
        return Grid(stretch.time_s, stretch.weights, config.outlier_ratio, config.outlier_window_s)

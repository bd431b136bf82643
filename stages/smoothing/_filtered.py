"""Smoothers that are one filter along time: each says how it treats one kind of signal."""

from abc import abstractmethod

import numpy as np
from jaxtyping import Float64

from stages.smoothing._person_smoother import PersonSmoother, Stretch
from stages.smoothing._place import smooth_along_ray
from stages.smoothing._rotation import continuous_quats, rotvec_of


class FilterSmoother(PersonSmoother):
    """Rotations go through the filter as sign-continuous quaternions, the place along the ray."""

    @abstractmethod
    def filter_rotation(
        self, quats: Float64[np.ndarray, "t joints 4"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t joints 4"]:
        """What is done to unit quaternions; the length is put right afterwards."""

    @abstractmethod
    def filter_ray(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """What is done to the place in the picture, in units of the distance."""

    @abstractmethod
    def filter_depth(
        self, values: Float64[np.ndarray, "t d"], time_s: Float64[np.ndarray, " t"]
    ) -> Float64[np.ndarray, "t d"]:
        """What is done to the logarithm of the distance."""

    def smooth_pose(self, stretch: Stretch) -> Float64[np.ndarray, "t 24 3"]:
        """All joints at once."""
        quats = continuous_quats(stretch.pose_rotvec)
        return rotvec_of(self.filter_rotation(quats, stretch.time_s))

    def smooth_pelvis(self, stretch: Stretch) -> Float64[np.ndarray, "t 3"]:
        """Along the ray and along log depth."""
        return smooth_along_ray(
            stretch.pelvis_m,
            ray=lambda values: self.filter_ray(values, stretch.time_s),
            log_depth=lambda values: self.filter_depth(values, stretch.time_s),
            xyz=lambda values: self.filter_depth(values, stretch.time_s),
        )

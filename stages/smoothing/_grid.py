"""What is smoothed along a stretch of frames: joint rotations and the place of the pelvis."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from stages.smoothing._place import smooth_along_ray
from stages.smoothing._robust import smooth_robustly
from stages.smoothing._rotation import continuous_quats, rotvec_of
from stages.smoothing._third_difference import penalty_bands, strength_of_cutoff, time_shares

LEAST_ANGLE_RAD = float(np.deg2rad(1.0))
"""Usual distances are not taken for smaller than this, however still the person is."""
LEAST_RAY = 0.001
LEAST_LOG_DEPTH = 0.005


@dataclass(frozen=True)
class Grid:
    """One stretch of frames, at least four, to be smoothed as a whole."""

    time_s: Float64[np.ndarray, " t"]
    weights: Float64[np.ndarray, " t"]
    """How much each frame counts; 1 is usual."""
    outlier_ratio: float
    outlier_window_s: float

    def smooth(
        self, values: Float64[np.ndarray, "t d"], cutoff_hz: float, least_residual: float
    ) -> Float64[np.ndarray, "t d"]:
        """`values` along this stretch, smoothed; d coordinates of one thing."""
        shares = time_shares(self.time_s)
        step_s = float(np.median(shares))
        return smooth_robustly(
            values,
            self.weights * shares,
            strength_of_cutoff(cutoff_hz, step_s) * penalty_bands(self.time_s),
            outlier_ratio=self.outlier_ratio,
            least_residual=least_residual,
            window=1 + 2 * round(self.outlier_window_s / 2 / step_s),
        )


def smooth_rotations(
    rotvec: Float[np.ndarray, "t joints 3"], grid: Grid, cutoffs_hz: Float64[np.ndarray, " joints"]
) -> Float64[np.ndarray, "t joints 3"]:
    """Axis-angle in, the same smoothed out; every joint on its own."""
    quats = continuous_quats(rotvec)
    smooth = np.empty_like(quats)
    for joint, cutoff_hz in enumerate(cutoffs_hz):
        # A chord between unit quaternions is half of the angle between the rotations.
        smooth[:, joint] = grid.smooth(quats[:, joint], float(cutoff_hz), LEAST_ANGLE_RAD / 2)
    return rotvec_of(smooth)


def smooth_place(
    place_m: Float64[np.ndarray, "t 3"], grid: Grid, ray_cutoff_hz: float, depth_cutoff_hz: float
) -> Float64[np.ndarray, "t 3"]:
    """Place in camera axes in, the same smoothed out along ray and log depth.

    Where a place is not in front of the camera there is no ray: then x, y and z are smoothed.
    """
    return smooth_along_ray(
        place_m,
        ray=lambda values: grid.smooth(values, ray_cutoff_hz, LEAST_RAY),
        log_depth=lambda values: grid.smooth(values, depth_cutoff_hz, LEAST_LOG_DEPTH),
        xyz=lambda values: grid.smooth(values, depth_cutoff_hz, LEAST_LOG_DEPTH),
    )

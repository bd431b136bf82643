"""What is smoothed along a stretch of frames: joint rotations and the place of the pelvis."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from pipeline.blocks import blocks
from stages.smoothing._place import smooth_along_ray
from stages.smoothing._robust import Strengths, smooth_robustly
from stages.smoothing._rotation import continuous_quats, rotvec_of
from stages.smoothing._third_difference import strength_of_cutoff, time_shares

LEAST_ANGLE_RAD = float(np.deg2rad(1.0))
"""Usual distances are not taken for smaller than this, however still the person is."""
BLOCK_JOINTS = 8
"""That are quaternions at a time: over a long film they take much room."""
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
        return self.smooth_lanes(values[:, None], np.array([cutoff_hz]), least_residual)[:, 0]

    def smooth_lanes(
        self,
        values: Float64[np.ndarray, "t lanes d"],
        cutoffs_hz: Float64[np.ndarray, " lanes"],
        least_residual: float,
        spread: float = 1.0,
    ) -> Float64[np.ndarray, "t lanes d"]:
        """As `smooth`, several things, each on its own.

        `spread`: how many times higher and lower the cut-off may get as the motion asks for it.
        """
        shares = time_shares(self.time_s)
        step_s = float(np.median(shares))
        usual, least, most = (
            np.array([strength_of_cutoff(float(cutoff) * factor, step_s) for cutoff in cutoffs_hz])
            for factor in (1, spread, 1 / spread)
        )
        return smooth_robustly(
            values,
            self.weights * shares,
            self.time_s,
            Strengths(cutoffs_hz, usual, least, most),
            outlier_ratio=self.outlier_ratio,
            least_residual=least_residual,
            window=1 + 2 * round(self.outlier_window_s / 2 / step_s),
        )


def smooth_rotations(
    rotvec: Float[np.ndarray, "t joints 3"],
    grid: Grid,
    cutoffs_hz: Float64[np.ndarray, " joints"],
    spread: float = 1.0,
) -> Float64[np.ndarray, "t joints 3"]:
    """Axis-angle in, the same smoothed out; every joint on its own."""
    out = np.empty(rotvec.shape)
    for joints in blocks(len(cutoffs_hz), BLOCK_JOINTS):
        quats = continuous_quats(rotvec[:, joints])
        # A chord between unit quaternions is half of the angle between the rotations.
        smooth = grid.smooth_lanes(quats, cutoffs_hz[joints], LEAST_ANGLE_RAD / 2, spread)
        out[:, joints] = rotvec_of(smooth)
    return out


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

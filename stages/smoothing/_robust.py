"""Samples that the smooth curve cannot explain lose their say: iteratively reweighted squares."""

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import median_filter

from stages.smoothing._third_difference import solve

ITERATIONS = 8
MEDIAN_FRAMES = 5
"""Length of the moving median that starts the search; two frames in five may be wrong."""
LEAST_WEIGHT = 1e-4
"""Share that a rejected sample keeps, so that the system always has one solution."""


def smooth_robustly(
    values: Float64[np.ndarray, "t d"],
    weights: Float64[np.ndarray, " t"],
    penalty: Float64[np.ndarray, "4 t"],
    *,
    outlier_ratio: float,
    least_residual: float,
    window: int,
) -> Float64[np.ndarray, "t d"]:
    """Whittaker smoothing with Tukey's biweight on the distance between sample and curve.

    A distance counts in units of what is usual: the larger of the median over the whole sequence
    and the median over `window` samples around. In a fast motion many neighbours are off by
    much, so none is an outlier; one frame that is off alone is.

    Args:
        values: samples, any d coordinates of one thing.
        weights: how much each counts before any is rejected.
        penalty: from `penalty_bands`, times the strength.
        outlier_ratio: samples further than this many usual distances count nothing.
        least_residual: distances below `outlier_ratio` times this are never rejected.
        window: odd number of samples.
    """
    # Not from least squares: at the ends that curve runs through any outlier.
    smooth = median_filter(values, (MEDIAN_FRAMES, 1), mode="mirror")
    for iteration in range(ITERATIONS):
        distance = np.linalg.norm(values - smooth, axis=1)
        usual = np.maximum(np.median(distance), median_filter(distance, window, mode="mirror"))
        ratio = distance / (outlier_ratio * np.maximum(usual, least_residual))
        # The median is a rough curve: bounded weights first, redescending ones after.
        trust = 1 / np.maximum(1, 3 * ratio) if iteration == 0 else _biweight(ratio)
        smooth = solve(values, weights * np.maximum(trust, LEAST_WEIGHT), penalty)
    return smooth


def _biweight(ratio: np.ndarray) -> np.ndarray:
    """Tukey's weight (1 - r^2)^2, nothing beyond r = 1."""
    return np.square(np.clip(1 - ratio**2, 0, None))

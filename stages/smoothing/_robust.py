"""Samples that the smooth curve cannot explain lose their say: iteratively reweighted squares."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pipeline.jit import jit
from stages.smoothing._third_difference import ORDER, difference_rows, solve_lane

ITERATIONS = 8
MEDIAN_FRAMES = 5
"""Length of the moving median that starts the search; two frames in five may be wrong."""
LEAST_WEIGHT = 1e-4
"""Share that a rejected sample keeps, so that the system always has one solution."""
ADAPT_AT, AGAIN_AT = 4, 6
"""Rounds before which the strength adapts, to what the rounds before have found."""
GAIN = 3.0
"""A motion's third derivative falls off with frequency, unlike that of Wiener's filter: so the
best strength is larger. Chosen on training clips (`humans4d bench smoothing` reports others)."""
MEDIAN_OF_SQUARES = 0.789
"""Of the length of three normal numbers, in units of the mean of squares."""
LEAST_COUNTED = 0.2
"""Samples with less of a weight, compared with the heaviest, tell nothing of the noise."""
LEAST_NOISE = 0.05
"""Least noise in units of the least residual."""
NEARBY_S = 0.2
"""Time before and after over which a motion is alike."""
TINY = 1e-12


@dataclass(frozen=True)
class Strengths:
    """The penalty's strength for every lane (`strength_of_cutoff`), and how far it may adapt."""

    cutoffs_hz: Float64[np.ndarray, " lanes"]
    usual: Float64[np.ndarray, " lanes"]
    """At the cut-off."""
    least: Float64[np.ndarray, " lanes"]
    most: Float64[np.ndarray, " lanes"]
    """The same as `usual`: nothing adapts."""


def smooth_robustly(
    values: Float64[np.ndarray, "t lanes d"],
    weights: Float64[np.ndarray, " t"],
    time_s: Float64[np.ndarray, " t"],
    strengths: Strengths,
    *,
    outlier_ratio: float,
    least_residual: float,
    window: int,
) -> Float64[np.ndarray, "t lanes d"]:
    """Whittaker smoothing with Tukey's biweight on the distance between sample and curve.

    A distance counts in units of what is usual: the larger of the median over the whole sequence
    and the median over `window` samples around. In a fast motion many neighbours are off by
    much, so none is an outlier; one frame that is off alone is.

    Strength adapts to the motion: the best for noise of variance v per sample and a third
    derivative of spectral density q is v * step / q (Wiener's filter in Whittaker's form); v comes
    from the distances to the curve, q from the curve nearby. Still joints are smoothed more,
    fast ones less, and what comes in without noise goes out as it came.

    Args:
        values: samples, each lane any d coordinates of one thing, smoothed on its own.
        weights: how much each counts before any is rejected.
        time_s: when they were taken; at least four.
        strengths: of the penalty, lane by lane.
        outlier_ratio: samples further than this many usual distances count nothing.
        least_residual: distances below `outlier_ratio` times this are never rejected.
        window: odd number of samples.
    """
    out = np.empty(values.shape)
    rows, step_s = difference_rows(time_s), float(np.median(np.diff(time_s)))
    for lane, cutoff_hz in enumerate(strengths.cutoffs_hz):
        out[:, lane] = _smooth_lane(
            np.ascontiguousarray(values[:, lane]),
            weights,
            rows,
            (strengths.usual[lane], strengths.least[lane], strengths.most[lane]),
            (outlier_ratio, least_residual, window),
            (step_s, cutoff_hz),
        )
    return out


@jit
def _smooth_lane(values, weights, rows, strength, outliers, rates):  # type: ignore[no-untyped-def]
    """One lane of `smooth_robustly`."""
    ratio_of_outliers, least_residual, window = outliers
    usual, least, most = strength
    # Not from least squares: at the ends that curve runs through any outlier.
    smooth = np.empty_like(values)
    for column in range(values.shape[1]):
        smooth[:, column] = moving_median(values[:, column].copy(), MEDIAN_FRAMES)
    scaled = rows * np.sqrt(usual)
    for iteration in range(ITERATIONS):
        distance = np.sqrt(((values - smooth) ** 2).sum(axis=1))
        if least < most and iteration in (ADAPT_AT, AGAIN_AT):
            counted = weights > LEAST_COUNTED * weights.max()
            noise = max(np.median(distance[counted]), LEAST_NOISE * least_residual) ** 2
            best = GAIN * noise / MEDIAN_OF_SQUARES * rates[0] / _density(smooth, rows, rates)
            scaled = rows * np.sqrt(np.minimum(np.maximum(best, least), most)).reshape(-1, 1)
        around = moving_median(distance, window)
        everywhere = max(np.median(distance), least_residual)
        ratio = distance / (ratio_of_outliers * np.maximum(around, everywhere))
        if iteration == 0:
            # The median is a rough curve: bounded weights first, redescending ones after.
            trust = 1 / np.maximum(1.0, 3 * ratio)
        else:
            trust = np.maximum(1 - ratio**2, 0.0) ** 2
        smooth = solve_lane(values, weights * np.maximum(trust, LEAST_WEIGHT), scaled)
    return smooth


@jit
def _density(smooth, rows, rates):  # type: ignore[no-untyped-def]
    """Spectral density of the third derivative around every row: its mean square over the band.

    The curve that it is taken from holds what lies below the cut-off, so twice that is the band.
    """
    step_s, cutoff_hz = rates
    count = len(rows)
    squares = np.zeros(count)
    for k in range(count):
        for column in range(smooth.shape[1]):
            total = 0.0
            for corner in range(ORDER + 1):
                total += rows[k, corner] * smooth[k + corner, column]
            squares[k] += total**2
    reach = max(1, round(NEARBY_S / step_s))
    out = np.empty(count)
    for k in range(count):
        near = squares[max(0, k - reach) : k + reach + 1]
        out[k] = near.mean() / step_s / (2 * cutoff_hz) + TINY
    return out


@jit
def moving_median(values, window):  # type: ignore[no-untyped-def]
    """Median of `window` (odd) samples around each; mirrored at the ends without repeating them."""
    count = len(values)
    half = window // 2
    out = np.empty(count)
    period = max(2 * (count - 1), 1)
    near = np.empty(window)
    for place in range(count):
        # Kept sorted: the sample that leaves goes, the one that comes is put in its place.
        if place == 0:
            for k in range(window):
                near[k] = values[_mirrored(k - half, count, period)]
            near.sort()
        else:
            gone = values[_mirrored(place - 1 - half, count, period)]
            come = values[_mirrored(place + half, count, period)]
            k = np.searchsorted(near, gone)
            while k + 1 < window and near[k + 1] < come:
                near[k] = near[k + 1]
                k += 1
            while k > 0 and near[k - 1] > come:
                near[k] = near[k - 1]
                k -= 1
            near[k] = come
        out[place] = near[half]
    return out


@jit
def _mirrored(index, count, period):  # type: ignore[no-untyped-def]
    """Where a sample beyond an end is taken from."""
    inside = index % period
    return inside if inside < count else period - inside

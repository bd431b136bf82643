"""Whittaker's smoother with a third-derivative penalty, on any grid of times, in O(t).

Whittaker (1923), Eilers (2003). The curve x minimises

    sum_i share_i w_i |x_i - y_i|^2  +  strength * integral |x'''|^2 dt,

where share_i is the time that sample i stands for. Both terms are integrals over time, so the
frame rate cancels: on an even grid the result is y filtered with 1 / (1 + strength (2 pi f)^6).
Parabolas pass unchanged. Third differences rather than second: a swing's speed is kept better
at the same rejection of noise.
"""

import numpy as np
from jaxtyping import Float64
from scipy.linalg import solveh_banded

from pipeline.jit import jit

ORDER = 3


def strength_of_cutoff(cutoff_hz: float, step_s: float) -> float:
    """Penalty strength in s^6 for which a motion at `cutoff_hz` keeps half its amplitude.

    (2 pi f)^-6, with f as differences over `step_s` see it, so that the half is exact at any
    frame rate. A cut-off above half the frame rate counts as that: nothing faster is sampled.
    """
    seen = 2 * np.sin(np.pi * min(cutoff_hz * step_s, 0.5)) / step_s
    return float(seen ** (-2 * ORDER))


def time_shares(time_s: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
    """Seconds each sample stands for: the mean of the intervals beside it."""
    steps = np.diff(time_s)
    total = np.concatenate([[0.0], steps]) + np.concatenate([steps, [0.0]])
    total[1:-1] /= 2
    return total


def difference_rows(time_s: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, "rows 4"]:
    """Rows whose products with four neighbours, squared and summed, are integral |x'''|^2 dt.

    The third derivative is 3! times the divided difference over four neighbours, t >= 4.
    """
    count = len(time_s)
    nodes = np.stack([time_s[k : count - ORDER + k] for k in range(ORDER + 1)], axis=1)
    gaps = nodes[:, :, None] - nodes[:, None, :] + np.eye(ORDER + 1)
    seconds = (nodes[:, -1] - nodes[:, 0]) / ORDER
    return 6.0 / np.prod(gaps, axis=2) * np.sqrt(seconds)[:, None]


def penalty_bands(time_s: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, "4 t"]:
    """The matrix of integral |x'''|^2 dt for samples at `time_s`, t >= 4, as lower bands.

    Row b holds the b-th subdiagonal, as `scipy.linalg.solveh_banded(lower=True)` wants it.
    """
    return np.asarray(_bands(difference_rows(time_s), len(time_s)))


def solve(
    values: Float64[np.ndarray, "t d"],
    weights: Float64[np.ndarray, " t"],
    penalty: Float64[np.ndarray, "4 t"],
) -> Float64[np.ndarray, "t d"]:
    """The minimiser of sum w |x - y|^2 + x' P x; at least three weights must be positive."""
    system = penalty.copy()
    system[0] += weights
    return solveh_banded(system, weights[:, None] * values, lower=True, check_finite=False)


@jit
def solve_lane(values, weights, rows):  # type: ignore[no-untyped-def]
    """As `solve`, compiled; (t, d) values, (t,) weights, (t - 3, 4) rows times root strength.

    Banded Cholesky in the form L D L'.
    """
    count, size = values.shape
    lower = _bands(rows, count)
    lower[0] += weights
    out = values * weights.reshape(-1, 1)
    for i in range(count):
        for back in range(1, min(ORDER, i) + 1):
            j = i - back
            scaled = lower[back, j] / lower[0, j]
            for k in range(ORDER + 1 - back):
                lower[k, i] -= scaled * lower[back + k, j]
            for d in range(size):
                out[i, d] -= scaled * out[j, d]
    for i in range(count - 1, -1, -1):
        for d in range(size):
            total = out[i, d]
            for ahead in range(1, min(ORDER, count - 1 - i) + 1):
                total -= lower[ahead, i] * out[i + ahead, d]
            out[i, d] = total / lower[0, i]
    return out


@jit
def _bands(rows, count):  # type: ignore[no-untyped-def]
    """Sum of the outer products of the rows, as lower bands."""
    bands = np.zeros((ORDER + 1, count))
    for k in range(len(rows)):
        for row in range(ORDER + 1):
            for column in range(row + 1):
                bands[row - column, k + column] += rows[k, row] * rows[k, column]
    return bands

"""The compiled robust smoother against plain code, and how its strength adapts."""

import numpy as np
import pytest
from scipy.ndimage import median_filter

from stages.smoothing._robust import Strengths, moving_median, smooth_robustly
from stages.smoothing._third_difference import (
    difference_rows,
    penalty_bands,
    solve,
    solve_lane,
    strength_of_cutoff,
)


@pytest.mark.parametrize("count", [4, 5, 9, 64])
@pytest.mark.parametrize("window", [1, 5, 15])
def test_the_moving_median_is_scipys(count, window):
    values = np.random.default_rng(count).normal(size=count).round(1)  # with equal ones
    wanted = median_filter(values, window, mode="mirror")
    np.testing.assert_array_equal(moving_median(values, window), wanted)


@pytest.mark.parametrize("count", [4, 5, 60])
def test_the_compiled_solution_is_lapacks(count):
    rng = np.random.default_rng(count)
    time_s = np.cumsum(rng.uniform(0.02, 0.05, count))
    values, weights = rng.normal(size=(count, 4)), rng.uniform(0.1, 2, count)
    strength = 1e-6
    wanted = solve(values, weights, strength * penalty_bands(time_s))
    found = solve_lane(values, weights, difference_rows(time_s) * np.sqrt(strength))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)


def smoothed(values: np.ndarray, time_s: np.ndarray, spread: float) -> np.ndarray:
    step_s = float(np.median(np.diff(time_s)))
    usual, least, most = (
        np.full(values.shape[1], strength_of_cutoff(3.0 * factor, step_s))
        for factor in (1, spread, 1 / spread)
    )
    strengths = Strengths(np.full(values.shape[1], 3.0), usual, least, most)
    return smooth_robustly(
        values,
        np.full(len(time_s), step_s),
        time_s,
        strengths,
        outlier_ratio=5.0,
        least_residual=0.01,
        window=15,
    )


def test_a_lane_is_smoothed_on_its_own():
    time_s = np.arange(90) / 30
    values = np.random.default_rng(0).normal(size=(90, 3, 4))
    together = smoothed(values, time_s, 3.0)
    for lane in range(3):
        alone = smoothed(values[:, lane : lane + 1], time_s, 3.0)
        np.testing.assert_array_equal(together[:, lane], alone[:, 0])


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.05])
def test_adapting_is_nearly_as_good_as_the_best_fixed_cutoff_for_any_noise(noise):
    """A fixed cut-off is best for one noise and one motion; here noise and motion differ."""
    rng = np.random.default_rng(1)
    time_s = np.arange(0, 10, 1 / 30)
    slow = 0.5 * np.sin(2 * np.pi * 0.3 * time_s)
    fast = 0.5 * np.sin(2 * np.pi * 2.5 * time_s)
    truth = np.where(time_s < 5, slow, slow + fast * np.clip(time_s - 5, 0, 1))
    truth = np.repeat(truth[:, None, None], 4, axis=2) * [1.0, 0, 0, 0]
    values = truth + noise * rng.normal(size=truth.shape)

    def off(spread: float) -> float:
        return float(np.sqrt(np.mean((smoothed(values, time_s, spread) - truth) ** 2)))

    assert off(3.0) < 0.9 * off(1.0)

"""The linear smoother against a dense solution, golden values and its transfer function."""

from pathlib import Path

import numpy as np
import pytest

from stages.smoothing._third_difference import (
    penalty_bands,
    solve,
    strength_of_cutoff,
    time_shares,
)

GOLDEN = Path(__file__).parents[4] / "shared" / "golden" / "filters" / "whittaker_slerp.npz"


def smooth(values: np.ndarray, time_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    shares = time_shares(time_s)
    strength = strength_of_cutoff(cutoff_hz, float(np.median(shares)))
    return solve(values, shares, strength * penalty_bands(time_s))


@pytest.mark.parametrize("strength", [1.0, 10.0, 300.0])
@pytest.mark.parametrize("gap", ["", "_gap"])
def test_golden_values(strength: float, gap: str) -> None:
    if not GOLDEN.is_file():
        pytest.skip(f"the golden values are not at {GOLDEN}")
    golden = np.load(GOLDEN)
    values = np.nan_to_num(golden[f"whittaker/x3{gap}"])
    bands = strength * penalty_bands(np.arange(160.0))
    out = solve(values, golden[f"whittaker/weights{gap}"], bands)
    wanted = golden[f"whittaker/d3_lam{strength:.0f}{gap}"]
    np.testing.assert_allclose(out, wanted, rtol=0, atol=1e-8)


def test_even_grid_equals_the_dense_solution_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(50, 3)), rng.uniform(0.2, 1, 50)
    weights[20:27] = 0
    third = np.diff(np.eye(50), 3, axis=0)
    dense = np.linalg.solve(np.diag(weights) + 30 * third.T @ third, weights[:, None] * values)
    out = solve(values, weights, 30 * penalty_bands(np.arange(50.0)))
    np.testing.assert_allclose(out, dense, rtol=0, atol=1e-10)


def test_parabolas_pass_on_an_uneven_grid() -> None:
    t = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.09, 60))
    parabola = (2 - 3 * t + 5 * t**2)[:, None]
    np.testing.assert_allclose(smooth(parabola, t, 1.0), parabola, rtol=0, atol=1e-7)


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0])
@pytest.mark.parametrize(("over_cutoff", "gain"), [(0.5, 64 / 65), (1.0, 1 / 2), (2.0, 1 / 65)])
def test_gain_depends_on_hertz_not_on_frames(fps: float, over_cutoff: float, gain: float) -> None:
    t = np.arange(0, 12, 1 / fps)
    wave = np.sin(2 * np.pi * 3.0 * over_cutoff * t)[:, None]
    middle = slice(len(t) // 3, 2 * len(t) // 3)
    out = smooth(wave, t, 3.0)
    kept = (out * wave)[middle].sum() / np.square(wave)[middle].sum()
    assert kept == pytest.approx(gain, abs=0.015)

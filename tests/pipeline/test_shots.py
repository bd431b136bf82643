"""Cuts: a change of picture is one; a flash, a pan and a change of exposure are none."""

import numpy as np
import pytest

from pipeline.shots import SIGNATURE, find_cuts, signature


def place(seed: int, width: int = 900) -> np.ndarray:
    """A wide random picture of soft patches."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (9, width // 50, 3)).astype(np.float64)
    return np.repeat(np.repeat(small, 20, axis=0), 50, axis=1)


def film(pictures: list[np.ndarray], seed: int = 0) -> np.ndarray:
    """(f, s) signatures of 320 x 180 pictures with noise."""
    rng = np.random.default_rng(seed)
    frames = [p[:, :320] + rng.normal(0, 3, p[:, :320].shape) for p in pictures]
    return np.stack([signature(np.clip(frame, 0, 255).astype(np.uint8)) for frame in frames])


def test_a_signature_holds_shares_and_colours():
    found = signature(np.full((180, 320, 3), 255, np.uint8))
    assert found.shape == (SIGNATURE,)
    assert found[63] == 1
    np.testing.assert_allclose(found[64:], 1.0)


@pytest.mark.parametrize("cut", [1, 12, 23])
def test_a_cut_is_found_where_it_is(cut):
    assert find_cuts(film([place(1)] * cut + [place(2)] * (24 - cut))).tolist() == [cut]


def test_every_shot_of_several_is_found():
    shots = [place(number) for number in range(5) for _ in range(10)]
    assert find_cuts(film(shots)).tolist() == [10, 20, 30, 40]


def test_a_still_picture_has_no_cut():
    assert find_cuts(film([place(1)] * 20)).tolist() == []
    assert find_cuts(film([place(1)])).tolist() == []


def test_a_pan_has_no_cut():
    wide = place(1, 1800)
    assert find_cuts(film([wide[:, 40 * i :] for i in range(30)])).tolist() == []


def test_a_flash_has_no_cut():
    flash = np.full((180, 320, 3), 250.0)
    assert find_cuts(film([place(1)] * 10 + [flash] * 2 + [place(1)] * 10)).tolist() == []


def test_a_change_of_exposure_has_no_cut():
    assert find_cuts(film([place(1) * 0.45] * 10 + [place(1)] * 10)).tolist() == []

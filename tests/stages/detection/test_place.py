"""Where somebody is to be expected: steadily on, whatever the frame rate, slower beside others."""

import numpy as np
import pytest

from stages.detection.blazepose.place import Place, first_seen


def walked(fps: float, seconds: float, speed_px_s: float = 90.0, *, beside: bool = False) -> Place:
    """After a walk to the right with the network's jitter, from x = 100 at time 0."""
    rng = np.random.default_rng(3)
    place = first_seen(np.array([100.0, 50.0]), 0.0)
    for time_s in np.arange(1, round(seconds * fps) + 1) / fps:
        seen_px = np.array([100 + speed_px_s * time_s, 50.0]) + rng.normal(0, 0.5, 2)
        place = place.after(seen_px, float(time_s), beside=beside)
    return place


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("beside", [False, True])
def test_who_walks_steadily_is_expected_where_the_way_leads(fps, beside):
    place = walked(fps, 2.0, beside=beside)
    np.testing.assert_allclose(place.at(2.0), [280, 50], atol=2.0)
    np.testing.assert_allclose(place.at(2.5), [325, 50], atol=9.0)


def test_beside_others_a_jump_moves_it_less():
    alone, beside = walked(30.0, 2.0), walked(30.0, 2.0, beside=True)
    jumped_px, time_s = np.array([253.0, 50.0]), 2.0 + 1 / 30
    pulled = [
        np.linalg.norm(place.after(jumped_px, time_s, beside=near).at(time_s) - place.at(time_s))
        for place, near in ((alone, False), (beside, True))
    ]
    assert pulled[1] < 0.3 * pulled[0]
    assert pulled[0] > 15


def test_little_is_known_of_somebody_new():
    place = first_seen(np.array([10.0, 20.0]), 1.0)
    np.testing.assert_array_equal(place.at(2.0), [10, 20])
    assert place.after(np.array([50.0, 20.0]), 1.0, beside=False) is place

"""Who was seen where two are seen in one place, and where those who are hidden are expected."""

import numpy as np
import pytest

from stages.detection.blazepose.chains import Chain
from stages.detection.blazepose.company import Sighting, Sought, settled, sought_in
from stages.detection.blazepose.hidden import is_seen_where_hidden, stands_before
from tests.stages.detection.standing import legs, pose

FPS, LEAST_SIGHTINGS = 30.0, 5


def young(seen, chain=None) -> Sighting:
    """Somebody seen too seldom to be expected anywhere."""
    return Sighting(Sought(chain or Chain(pose().region), None, ()), seen)


def walker(start_px: float, speed_px_s: float, frames: int = 20, y_px: float = 300.0) -> Chain:
    """Somebody who was followed on the way from x = start_px at time 0."""
    chain = Chain(pose((start_px, y_px)).region)
    for frame in range(frames):
        time_s = frame / FPS
        chain.see_next(frame, pose((start_px + speed_px_s * time_s, y_px)), time_s)
    return chain


def x_of(chain: Chain, time_s: float) -> float:
    expected = chain.expected(time_s)
    assert expected is not None
    return expected.region.x_px


def test_the_steadier_of_two_that_became_one_stays():
    steady, drifting = young(pose(moved_px=2.0)), young(pose(moved_px=60.0))
    for order in ([steady, drifting], [drifting, steady]):
        assert [one.sought for one in settled(order, [])] == [steady.sought]


def test_the_whole_body_wins_over_the_part():
    whole, part = young(pose(moved_px=80.0)), young(legs())
    assert [one.sought for one in settled([part, whole], [])] == [whole.sought]


def test_a_pose_is_of_whom_it_is_expected():
    """Two pass each other: both networks see the one in front, who is neither's steadier."""
    right, left = walker(300.0, 90.0), walker(420.0, -90.0)
    now_s = 20 / FPS
    sought = sought_in([right, left], now_s, LEAST_SIGHTINGS)
    assert all(one.others for one in sought)
    assert x_of(right, now_s) == pytest.approx(360, abs=3)
    seen_at_px = x_of(left, now_s) - 5
    kept = settled([Sighting(one, pose((seen_at_px, 300.0))) for one in sought], [])
    assert [one.sought.chain for one in kept] == [right if seen_at_px < 359 else left]
    apart = [Sighting(sought[0], pose((345.0, 300.0))), Sighting(sought[1], pose((375.0, 300.0)))]
    assert len(settled(apart, [])) == 2, "followed for long, they are one only in one place"


def test_a_pose_that_two_share_moves_nobody_but_who_stands_before():
    behind, front = walker(300.0, 60.0), walker(300.0, 60.0, y_px=320.0)
    now_s = 20 / FPS
    sought = sought_in([behind, front], now_s, LEAST_SIGHTINGS)
    assert stands_before(sought[1].expected, sought[0].expected)
    assert not stands_before(sought[0].expected, sought[1].expected)
    shared = pose((360.0, 320.0))
    for one in sought:
        (kept,) = settled([Sighting(one, shared)], [Sighting(sought[one is sought[0]], shared)])
        assert kept.is_shared == (one.chain is behind)
        before_px = x_of(kept.sought.chain, now_s)
        kept.sought.chain.see_next(20, kept.pose, now_s, shared=kept.is_shared)
        moved_px = x_of(kept.sought.chain, now_s) - before_px
        assert moved_px == 0 if kept.is_shared else moved_px > 5


def test_who_is_hidden_is_expected_on_and_taken_only_there():
    chain = walker(300.0, 90.0)
    expected = chain.expected(40 / FPS)
    assert expected.region.x_px == pytest.approx(420, abs=5)
    np.testing.assert_allclose(
        expected.points_px - chain.last.points_px,
        np.broadcast_to([expected.region.x_px - chain.last.region.x_px, 0], (33, 2)),
        atol=0.01,
    )
    here, strayed = pose((425.0, 300.0)), pose((500.0, 300.0))
    assert is_seen_where_hidden(here, expected, [])
    assert not is_seen_where_hidden(strayed, expected, [])
    assert not is_seen_where_hidden(pose((425.0, 300.0), visibility=0.5), expected, [])
    assert not is_seen_where_hidden(here, expected, [pose((425.0, 330.0))]), "all of it covered"
    assert is_seen_where_hidden(here, expected, [pose((425.0, 270.0))]), "by somebody behind it"


def test_nobody_is_expected_before_anything_was_seen():
    chain = Chain(pose().region)
    assert chain.expected(1.0) is None
    (one,) = sought_in([chain], 1.0, LEAST_SIGHTINGS)
    assert one.expected is None
    assert one.region == chain.region

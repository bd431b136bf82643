"""What a better network says now and then, spread over the frames in between."""

from dataclasses import replace

import numpy as np
import pytest

from stages.detection.blazepose.correction import (
    FARTHEST_M,
    FARTHEST_TORSO,
    Correction,
    corrected,
    correction,
)
from stages.detection.blazepose.likeness import torso_px
from tests.stages.detection.standing import pose

WRIST, KNEE = 15, 25


def better(first, off_px=(0.0, 0.0), off_m=(0.0, 0.0, 0.0), landmark=slice(None)):
    points_px, points_m = first.points_px.copy(), first.points_m.copy()
    points_px[landmark] += np.float32(off_px)
    points_m[landmark] += np.float32(off_m)
    return replace(first, points_px=points_px, points_m=points_m)


def test_at_a_look_the_frame_has_what_was_seen_then():
    first = pose((300.0, 200.0), visibility=0.6)
    second = replace(
        better(first, (3.5, -2.0), (0.01, 0.02, -0.03)), visibility=first.visibility + 0.25
    )
    told = correction(first, second, 0.4)
    moved = corrected({3: first}, np.arange(10) / 10, [told])[3]
    np.testing.assert_allclose(moved.points_px, second.points_px, atol=1e-4)
    np.testing.assert_allclose(moved.points_m, second.points_m, atol=1e-6)
    np.testing.assert_allclose(moved.visibility, 0.85, atol=1e-6)
    assert (moved.region, moved.next_region) == (first.region, first.next_region)
    assert moved.points_px.dtype == moved.points_m.dtype == np.float32


def test_in_between_it_goes_steadily_and_beyond_it_stays():
    first = pose((300.0, 200.0))
    looks = [correction(first, better(first, (off, 0)), at) for at, off in ((0.2, 2.0), (0.6, 6.0))]
    time_s = np.array([0.0, 0.2, 0.3, 0.5, 0.6, 0.9])
    moved = corrected(dict.fromkeys(range(6), first), time_s, looks)
    off_px = [float((moved[n].points_px - first.points_px)[WRIST, 0]) for n in range(6)]
    np.testing.assert_allclose(off_px, [2.0, 2.0, 3.0, 5.0, 6.0, 6.0], atol=1e-3)


@pytest.mark.parametrize(
    "second",
    [None, replace(pose((300.0, 200.0)), presence=0.3), pose((900.0, 200.0))],
    ids=["not asked", "nobody", "somebody else"],
)
def test_who_was_not_seen_again_is_left_alone(second):
    told = correction(pose((300.0, 200.0)), second, 1.0)
    assert told.time_s == 1.0
    assert not told.off.any()


def test_a_landmark_seen_far_elsewhere_is_left_alone():
    first = pose((300.0, 200.0))
    far_px = 1.1 * FARTHEST_TORSO * torso_px(first.points_px)
    told = correction(first, better(first, (far_px, 0), (0, 0, 0.05), WRIST), 0.0)
    assert not told.off[WRIST, :3].any()
    assert told.off[WRIST, 5] == pytest.approx(0.05, abs=1e-6)
    told = correction(first, better(first, (4.0, 0), (0, 0, 1.1 * FARTHEST_M), WRIST), 0.0)
    assert told.off[WRIST, 0] == pytest.approx(4.0, abs=1e-4)
    assert not told.off[WRIST, 3:].any()
    assert not told.off[KNEE].any()


def test_visibility_stays_a_probability():
    first = pose((300.0, 200.0), visibility=0.9)
    off = np.zeros((33, 6), np.float32)
    off[:, 2] = 0.4
    (moved,) = corrected({0: first}, np.zeros(1), [Correction(0.0, off)]).values()
    assert (moved.visibility == 1).all()

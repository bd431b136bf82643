"""A second look at everybody: when, and what becomes of it in all frames."""

from dataclasses import replace

import av
import numpy as np
import pytest

from pipeline import weights
from pipeline.context import Context
from pipeline.frame import Frame
from stages.detection.blazepose import SECOND, Backend, Config, optional_weights
from stages.detection.blazepose.chains import Chain
from stages.detection.blazepose.detector import DetectorNetwork
from stages.detection.blazepose.landmarks import LandmarkNetwork, landmark_model
from stages.detection.blazepose.people import PeopleFinder
from stages.detection.blazepose.second import SecondLook
from tests.stages.detection.standing import pose as standing
from tests.stages.detection.walkers import frames_of

OFF_PX, OFF_M = 3.0, 0.05


class Shifted(LandmarkNetwork):
    """The small network, all of whose landmarks lie a known way off."""

    def submit(self, picture, region):
        later = super().submit(picture, region)

        def moved():
            pose = later()
            points_px, points_m = pose.points_px.copy(), pose.points_m.copy()
            points_px[:, 0] += OFF_PX
            points_m[:, 2] += OFF_M
            return replace(pose, points_px=points_px, points_m=points_m)

        return moved


class Surely(LandmarkNetwork):
    """Sees whoever stands in the region's middle, a known way off."""

    def submit(self, picture, region):
        seen = standing((region.x_px, region.y_px))
        return lambda: replace(seen, points_px=seen.points_px + np.float32([OFF_PX, 0]))


def small_model():
    return landmark_model(weights.path("blazepose-landmarks"))


def finder(second=None, every_s=0.3):
    detector = DetectorNetwork(weights.path("blazepose-detector"))
    look = SecondLook(lambda: second(small_model()), every_s) if second else None
    return PeopleFinder(Config(), detector, LandmarkNetwork(small_model()), look)


def blank(count, fps):
    rgb = np.zeros((16, 16, 3), np.uint8)
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    return [Frame(n, n / fps, picture) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "fps", "expected"),
    [
        (20, 30.0, {6, 16}),
        (20, 60.0, {13}),
        (20, 15.0, {3, 8, 13, 18}),
        (4, 30.0, {0}),
        (1, 30.0, {0}),
        (3, 0.5, {0, 1, 2}),
        (0, 30.0, set()),
    ],
)
def test_looks_are_even_and_the_last_is_over_at_the_end(count, fps, expected):
    look = SecondLook(lambda: pytest.fail("nobody is there"), 0.3)
    assert look.positions(blank(count, fps)) == expected


def test_a_steady_difference_reaches_every_frame(pictures):
    frames = frames_of([p.rgb for p in pictures[:14]])
    plain, second = finder(), finder(Shifted)
    for batch in (frames[:8], frames[8:]):
        for known, told in zip(plain(batch), second(batch), strict=True):
            assert len(known) == len(told) == 2
            for one, other in zip(known, told, strict=True):
                off_px = other.points_px - one.points_px
                np.testing.assert_allclose(off_px, [[OFF_PX, 0]] * 33, atol=1e-3)
                off_m = other.points_m - one.points_m
                np.testing.assert_allclose(off_m, [[0, 0, OFF_M]] * 33, atol=1e-6)
                assert other.next_region == one.next_region
    for chain in plain.remembered()["chains"], second.remembered()["chains"]:
        assert len(chain) == 2


def test_a_batch_begins_with_what_the_last_one_ended_with(pictures):
    """A continued run corrects the frames before its first look as one that never stopped."""
    frames = frames_of([p.rgb for p in pictures[:10]])
    whole, continued = finder(Shifted), finder(Shifted)
    whole(frames[:5])
    continued.remember(whole.remembered())
    for one, other in zip(whole(frames[5:]), continued(frames[5:]), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.points_px, b.points_px)
            np.testing.assert_array_equal(a.points_m, b.points_m)


@pytest.mark.parametrize(("other_px", "is_alone"), [(360.0, False), (900.0, True)])
def test_of_two_close_together_nobody_is_corrected(other_px, is_alone):
    look = SecondLook(lambda: Surely(small_model()), 0.3)
    frames, seen = blank(1, 30.0), [standing((300.0, 300.0)), standing((other_px, 300.0))]
    chains = [Chain(pose.region) for pose in seen]
    for chain, pose in zip(chains, seen, strict=True):
        chain.see_next(0, pose, 0.0)
    look.ask(frames[0], 0, chains)
    look.correct(chains, frames)
    for chain, pose in zip(chains, seen, strict=True):
        off_px = chain.poses[0].points_px - pose.points_px
        np.testing.assert_allclose(off_px, [[OFF_PX * is_alone, 0]] * 33, atol=1e-3)


def test_the_large_network_finds_nobody_else_and_is_off_at_will(pictures):
    if not weights.is_present(weights.row(SECOND)):
        pytest.skip("the large network could not be fetched")
    frames = frames_of([p.rgb for p in pictures[:10]])
    plain = Backend(Config(second_look_every_s=0), Context())(frames)
    looked = Backend(Config(), Context())(frames)
    np.testing.assert_array_equal(plain.frame_index, looked.frame_index)
    off_px = np.abs(plain.landmarks_px - looked.landmarks_px)[..., :2]
    assert 0.05 < np.median(off_px) < 10


def test_off_it_asks_for_no_weights():
    assert optional_weights(Config()) == (SECOND,)
    assert optional_weights(Config(second_look_every_s=0)) == ()

"""Sightings of one person that a detector put on another for some frames."""

import numpy as np
import pytest

from pipeline.context import Context
from stages.tracking.phalp.offline import associated
from stages.tracking.phalp.strays import given_back, strays_in
from stages.tracking.phalp.tracklets import world_of
from tests.stages.tracking.scenes import bodies_of, boxes_at, detections_of, video_of

FRAMES, AWAY = 100, range(45, 58)
STANDS_PX, SPEED_PX = 500.0, 6.0


def passing(on_other=range(50, 53), away=AWAY):
    """One stands; another walks past, unseen while near, but for where the first is put on him.

    Gives the world, the two tracks, and the rows that are in the wrong one.
    """
    stands = boxes_at(np.full(FRAMES, STANDS_PX))
    walks = boxes_at(STANDS_PX + SPEED_PX * (np.arange(FRAMES) - 60))
    stands[list(on_other)] = walks[list(on_other)]
    walks[list(away)] = np.nan
    video = video_of(FRAMES)
    detections = detections_of([stands, walks], video)
    is_first = np.diff(detections.frame_index, prepend=-1) > 0
    wrong = np.flatnonzero(is_first & np.isin(detections.frame_index, list(on_other)))
    tracks = [np.flatnonzero(is_first), np.flatnonzero(~is_first)]
    return world_of(video, detections, bodies_of(detections)), tracks, wrong


def test_they_go_back_to_whose_they_are():
    world, tracks, wrong = passing()
    assert np.isin(wrong, tracks[0]).all()
    stands, walks = given_back(world, tracks, strays_in(world, tracks))
    np.testing.assert_array_equal(stands, np.setdiff1d(tracks[0], wrong))
    np.testing.assert_array_equal(walks, np.union1d(tracks[1], wrong))
    for track in (stands, walks):
        assert (np.diff(world.frame[track]) > 0).all()


def test_the_whole_association_says_so():
    world, tracks, wrong = passing()
    context = Context()
    found = associated(world, tracks, 20.0, context)
    assert any(np.isin(wrong, track).all() and len(track) > FRAMES / 2 for track in found)
    (told,) = [e for e in context.events.events if "on the way of somebody" in e.message]
    assert "3 sightings (frames 50 to 52)" in told.message
    assert told.frame_index == 50


@pytest.mark.parametrize(
    ("on_other", "away"),
    [
        (range(0), AWAY),
        (range(50, 53), range(0)),
        (range(50, 53), range(30, 62)),
    ],
    ids=["never on the other", "the other is seen", "away for longer than a second"],
)
def test_else_nothing_changes(on_other, away):
    world, tracks, _ = passing(on_other, away)
    assert strays_in(world, tracks) == []


def test_a_sighting_has_one_owner_and_an_owner_one_sighting_a_frame():
    world, tracks, wrong = passing()
    strays = strays_in(world, [*tracks, tracks[1].copy(), tracks[0].copy()])
    rows = [stray.row for stray in strays]
    assert sorted(set(rows)) == sorted(rows) == wrong.tolist()
    owned = [(stray.owner, int(world.frame[stray.row])) for stray in strays]
    assert len(set(owned)) == len(owned)

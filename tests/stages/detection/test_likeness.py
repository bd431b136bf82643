from dataclasses import replace

import numpy as np
import pytest

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.chains import Chain, Lost, search_tile, settled
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.detector import Candidates
from stages.detection.blazepose.landmarks import Pose
from stages.detection.blazepose.likeness import (
    distinct,
    explained,
    is_usable,
    pose_distance,
    same_person,
    upside_down_on,
)

STANDING = {"nose": (0, -160), "shoulder": (25, -120), "elbow": (32, -80), "wrist": (34, -40)} | {
    "hip": (15, -20),
    "knee": (15, 40),
    "ankle": (15, 100),
}


def pose(at=(300.0, 300.0), scale=1.0, visibility=1.0, moved_px=0.0) -> Pose:
    """A standing person whose torso is 100 px long at scale 1."""
    points = np.zeros((33, 2), np.float32)
    points[:] = STANDING["nose"]
    for index, name in enumerate(BLAZEPOSE33.points):
        side, _, part = name.partition("_")
        if part in STANDING:
            x, y = STANDING[part]
            points[index] = (x if side == "left" else -x), y
    points = points * np.float32(scale) + np.array(at, np.float32)
    region = Region(at[0], at[1], 400 * scale, 0.0)
    return Pose(
        points,
        np.full(33, visibility, np.float32),
        np.zeros((33, 3), np.float32),
        0.9,
        region,
        replace(region, x_px=at[0] + moved_px),
    )


def test_distance_is_in_torso_lengths_and_forgives_swapped_sides():
    assert pose_distance(pose(), pose((330.0, 300.0))) == pytest.approx(0.3, abs=1e-5)
    swapped = replace(pose(), points_px=pose().points_px[BLAZEPOSE33.mirror])
    assert pose_distance(pose(), swapped) == pytest.approx(0, abs=1e-6)


def test_neighbours_are_two_people():
    assert not same_person(pose(), pose((345.0, 300.0)))


def test_a_small_person_in_the_legs_is_none():
    legs = pose((315.0, 365.0), scale=0.35)
    legs.points_px[:, 0] = 315 + (legs.points_px[:, 0] - 315) * 0.3
    assert same_person(pose(), legs)
    assert same_person(legs, pose())
    child = pose((380.0, 360.0), scale=0.5)
    assert not same_person(pose(), child)


def test_the_steadier_of_two_that_became_one_stays():
    steady, drifting = Chain(pose().region), Chain(pose().region)
    for order in ((steady, drifting), (drifting, steady)):
        found: list = []
        for chain in order:
            moved_px = 60.0 if chain is drifting else 2.0
            found = settled(found, chain, pose(moved_px=moved_px))
        assert [chain for chain, _ in found] == [steady]


def test_the_whole_body_wins_over_the_part():
    whole, part = Chain(pose().region), Chain(pose().region)
    legs = pose((315.0, 365.0), scale=0.35, visibility=0.7)
    legs.points_px[:, 0] = 315 + (legs.points_px[:, 0] - 315) * 0.3
    found = settled(settled([], part, legs), whole, pose(moved_px=80.0))
    assert [chain for chain, _ in found] == [whole]


def candidates(*hips):
    points = np.array([[h, (h[0], h[1] - 160), (h[0], h[1] - 100), h] for h in hips], np.float32)
    score = np.linspace(0.9, 0.6, len(hips)).astype(np.float32)
    return Candidates(np.zeros((len(hips), 4), np.float32), points, score)


def test_candidates_of_known_people_are_explained():
    found = candidates((303, 282), (420, 282))
    assert explained(found, [pose()]).tolist() == [True, False]
    assert explained(found, []).tolist() == [False, False]


def test_one_candidate_per_person_the_best():
    kept = distinct(candidates((300, 280), (310, 285), (420, 280)))
    np.testing.assert_allclose(kept.score, [0.9, 0.6], atol=1e-6)
    assert len(distinct(kept.taken(np.array([], int)))) == 0


@pytest.mark.parametrize(
    ("region", "usable"),
    [
        (Region(10.0, 10.0, 100.0, 0.0), True),
        (Region(-45.0, 10.0, 100.0, 0.0), True),
        (Region(-55.0, 10.0, 100.0, 0.0), False),
        (Region(10.0, 10.0, 3.0, 0.0), False),
        (Region(float("nan"), 10.0, 100.0, 0.0), False),
    ],
)
def test_regions_worth_a_look(region, usable):
    assert is_usable(region, 640, 480) is usable


def test_the_place_of_somebody_lost_is_searched_around():
    lost = Lost(Region(200.0, 100.0, 80.0, 0.3), 1.0, 1.0)
    tile = search_tile(lost.region)
    assert (tile.x_px + tile.side_px / 2, tile.y_px + tile.side_px / 2) == pytest.approx((200, 100))
    assert tile.side_px > 80
    assert lost.is_near(Region(230.0, 100.0, 50.0, 0.0))
    assert not lost.is_near(Region(250.0, 100.0, 50.0, 0.0))


def turned_over(one: Pose) -> Pose:
    """The pose standing on its head, about the middle of its hips."""
    hips = one.points_px[BLAZEPOSE33.indices("left_hip", "right_hip")].mean(axis=0)
    return replace(one, points_px=2 * hips - one.points_px)


def test_legs_taken_for_a_trunk_are_no_new_person():
    known = pose()
    on_legs = turned_over(pose(at=(310.0, 310.0)))
    assert upside_down_on(on_legs, known)
    assert not upside_down_on(pose(at=(330.0, 300.0)), known), "upright beside"
    assert not upside_down_on(turned_over(pose(at=(700.0, 300.0))), known), "a handstand far away"
    assert not upside_down_on(turned_over(known), turned_over(known)), "both on their heads"

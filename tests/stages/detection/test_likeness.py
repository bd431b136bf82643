from dataclasses import replace

import numpy as np
import pytest

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.chains import Lost, search_tile
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
from tests.stages.detection.standing import legs, pose


def test_distance_is_in_torso_lengths_and_forgives_swapped_sides():
    assert pose_distance(pose(), pose((330.0, 300.0))) == pytest.approx(0.3, abs=1e-5)
    swapped = replace(pose(), points_px=pose().points_px[BLAZEPOSE33.mirror])
    assert pose_distance(pose(), swapped) == pytest.approx(0, abs=1e-6)


def test_neighbours_are_two_people():
    assert not same_person(pose(), pose((345.0, 300.0)))


def test_a_small_person_in_the_legs_is_none():
    assert same_person(pose(), legs())
    assert same_person(legs(), pose())
    child = pose((380.0, 360.0), scale=0.5)
    assert not same_person(pose(), child)


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

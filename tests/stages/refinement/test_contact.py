"""Feet that stand are held before a still camera, and only there."""

import numpy as np
import pytest
import torch

from pipeline.context import Context
from pipeline.metrics import foot_slide_mm_per_frame, mpjpe_mm
from stages.refinement.smplify import Backend, Config
from stages.refinement.smplify.chain import Chain
from stages.refinement.smplify.contact import (
    Ground,
    _slow,
    anchors_of,
    feet_marks,
    feet_places,
    find_contacts,
)
from stages.refinement.smplify.observed import Evidence
from stages.refinement.smplify.start import start_of
from stages.refinement.smplify.swaps import Sides
from stages.refinement.smplify.weights import Weights
from tests.stages.refinement.filmed import Filmed, filmed_walk
from tests.stages.refinement.moving_body import SITES, joints_of


def fitted(seen: Filmed, **settings):
    context = Context()
    (out,) = Backend(Config(**settings), context)((seen.person,), seen.camera)
    return out, " ".join(event.message for event in context.events.events)


def slide_mm(seen: Filmed, person) -> float:
    return foot_slide_mm_per_frame(seen.feet_world_m(person), seen.motion.contact)


@pytest.fixture(scope="module")
def standing_camera():
    seen = filmed_walk()
    return seen, fitted(seen, contact=0), fitted(seen)


def test_standing_feet_slide_half_as_much_and_the_body_is_no_worse(standing_camera):
    seen, (free, _), (held, _) = standing_camera
    assert slide_mm(seen, held) < 0.6 * slide_mm(seen, free)
    assert slide_mm(seen, held) < 6.0
    true_m = joints_of(seen.person)
    errors_mm = [mpjpe_mm(joints_of(person), true_m) for person in (held, free)]
    assert errors_mm[0] < errors_mm[1] + 2.0


def test_it_is_told(standing_camera):
    _, (_, without), (_, told) = standing_camera
    assert "feet held still" in told
    assert "feet" not in without


@pytest.mark.parametrize("pan_m_s", [0.12, 0.9])
def test_before_a_panning_camera_no_foot_is_held(pan_m_s):
    seen = filmed_walk(pan_m_s=pan_m_s, seconds=2.0)
    held, told = fitted(seen)
    free, _ = fitted(seen, contact=0)
    assert "not held" in told
    np.testing.assert_array_equal(held.pose_rotvec, free.pose_rotvec)


def marked_feet(seen: Filmed):
    """Places of a walk's feet in the camera, and what was seen of them."""
    chain = Chain(SITES.body)
    sides = Sides(seen.person, np.zeros(len(seen.person), np.int8))
    start = start_of(sides, seen.camera, chain)
    evidence = Evidence.of(sides, None, start, seen.camera, chain, Weights())
    return feet_places(chain, start.cut(slice(None))), feet_marks(evidence)


def test_feet_that_a_fit_moves_to_and_fro_in_depth_are_found_by_their_marks():
    """As on film: marks of a standing foot rest, and the body's foot goes 8 cm to and fro."""
    seen = filmed_walk(seconds=2.0)
    feet_m, marks = marked_feet(seen)
    to_and_fro = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(len(feet_m) // 4)
    away_m = 0.08 * to_and_fro[:, None, None]
    shaken_m = feet_m * (1.0 + away_m / feet_m[..., 2:])  # along its ray
    truly = torch.from_numpy(seen.motion.contact).view(-1, 2, 2).any(2)
    found = find_contacts(shaken_m, marks)
    still = found.still.view(-1, 2, 2).any(2)
    assert found.ground is Ground.HELD
    assert not _slow(shaken_m, marks.time_s)[1:-1].any(), "the fit alone tells of none"
    assert (still & truly).sum() > 0.5 * truly.sum()
    assert (still & ~truly).sum() < 0.15 * still.sum()


def test_a_stretch_of_contact_rests_at_its_mean():
    places_m = torch.arange(15.0, dtype=torch.float64).view(5, 1, 3)
    still = torch.tensor([[False], [True], [True], [False], [True]])
    anchors_m = anchors_of(places_m, still)
    torch.testing.assert_close(anchors_m[1], places_m[1:3].mean(0))
    torch.testing.assert_close(anchors_m[2], anchors_m[1])
    torch.testing.assert_close(anchors_m[[0, 3, 4]], places_m[[0, 3, 4]])

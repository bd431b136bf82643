"""Feet that stand are held before a still camera, and only there."""

import numpy as np
import pytest
import torch

from pipeline.context import Context
from pipeline.metrics import foot_slide_mm_per_frame, mpjpe_mm
from stages.refinement.smplify import Backend, Config
from stages.refinement.smplify.contact import anchors_of
from tests.stages.refinement.filmed import Filmed, filmed_walk
from tests.stages.refinement.moving_body import joints_of


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


def test_a_stretch_of_contact_rests_at_its_mean():
    places_m = torch.arange(15.0, dtype=torch.float64).view(5, 1, 3)
    still = torch.tensor([[False], [True], [True], [False], [True]])
    anchors_m = anchors_of(places_m, still)
    torch.testing.assert_close(anchors_m[1], places_m[1:3].mean(0))
    torch.testing.assert_close(anchors_m[2], anchors_m[1])
    torch.testing.assert_close(anchors_m[[0, 3, 4]], places_m[[0, 3, 4]])

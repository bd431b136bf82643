from dataclasses import replace

import numpy as np

from pipeline.context import Context
from pipeline.metrics import mpjpe_mm
from stages.refinement.smplify import Backend, Config
from stages.refinement.smplify.occlusion import hidden_landmarks, without_hidden
from tests.stages.refinement.moving_body import CAMERA, joints_of, walk, with_noise


def moved_in_picture(person, px: float, depth_m: float, number: int):
    keypoints_px = person.keypoints_px.copy()
    keypoints_px[..., 0] += px
    t_m = person.t_camera_m + np.float32([0, 0, depth_m])
    return replace(person, id=number, keypoints_px=keypoints_px, t_camera_m=t_m)


def boxed(person):
    low, high = (getattr(person.keypoints_px[..., :2], end)(1) for end in ("min", "max"))
    return replace(person, boxes_xyxy_px=np.concatenate([low, high], 1).astype(np.float32))


def pair(px: float = 60.0, depth_m: float = -1.5):
    """Somebody, and somebody else further left or right and nearer or further."""
    person = boxed(walk(seconds=0.6).person)
    return person, boxed(moved_in_picture(person, px, depth_m, number=2))


def test_what_lies_behind_a_nearer_persons_limbs_and_trunk_is_hidden():
    person, nearer = pair()
    hidden = hidden_landmarks(person, (nearer,))
    assert 0.2 < hidden.mean() < 0.9
    assert not hidden_landmarks(nearer, (person,)).any()
    assert not hidden_landmarks(person, ()).any()


def test_nobody_far_beside_or_found_twice_hides_anything():
    person, _ = pair()
    beside = boxed(moved_in_picture(person, 2000.0, -1.5, number=2))
    twin = boxed(moved_in_picture(person, 2.0, -1.5, number=3))
    assert not hidden_landmarks(person, (beside, twin)).any()


def test_marks_that_jump_onto_the_person_in_front_do_not_drag_the_body_along():
    """Every hidden landmark is marked, and surely so, where the nearer person's is."""
    truth = walk(seconds=1.0)
    person = with_noise(boxed(truth.person), pixels=3.0, metres=0.03)
    nearer = boxed(moved_in_picture(truth.person, 90.0, -1.5, number=2))
    jumped = hidden_landmarks(person, (nearer,))
    jumped[:10], jumped[20:] = False, False
    keypoints_px = np.where(jumped[..., None], nearer.keypoints_px, person.keypoints_px)
    person = replace(person, keypoints_px=keypoints_px)
    errors_mm = []
    for occlusion in (False, True):
        context = Context()
        fit, _ = Backend(Config(occlusion=occlusion), context)((person, nearer), CAMERA)
        errors_mm.append(mpjpe_mm(joints_of(fit)[10:20], truth.joints_m[10:20], root=None))
        told = any("behind somebody" in event.message for event in context.events.events)
        assert told is occlusion
    assert errors_mm[1] < 0.8 * errors_mm[0]


def test_hidden_marks_keep_a_little_of_their_visibility():
    person, nearer = pair()
    hidden = hidden_landmarks(person, (nearer,))
    left = without_hidden(person, hidden).keypoints_px[..., 2]
    assert (left[hidden] < 0.5).all()
    np.testing.assert_array_equal(left[~hidden], person.keypoints_px[..., 2][~hidden])

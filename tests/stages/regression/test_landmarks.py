from dataclasses import replace

import numpy as np
import pytest

from pipeline.camera import project
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.metrics import mpjpe_mm, translation_error_mm
from pipeline.types import Detections
from stages.regression.landmarks import Backend, Config
from tests.stages.refinement.moving_body import CAMERA, joints_of, walk

WALK = walk(seconds=1.0)
BACKEND = Backend(Config(), Context())


def detections(person=WALK.person):
    return Detections(
        person.frame_index,
        person.boxes_xyxy_px,
        person.confidence,
        person.skeleton,
        person.keypoints_px,
        person.landmarks_m,
    )


def regressed(found):
    bodies = BACKEND([], found, CAMERA)
    median = np.median(bodies.betas, axis=0)
    return bodies, replace(
        WALK.person, pose_rotvec=bodies.pose_rotvec, t_camera_m=bodies.t_camera_m, betas=median
    )


def test_exact_landmarks_give_the_body_to_a_centimetre_and_its_place_to_two_percent():
    bodies, person = regressed(detections())
    assert mpjpe_mm(joints_of(person), WALK.joints_m) < 12.0
    assert translation_error_mm(bodies.t_camera_m, WALK.person.t_camera_m) < 90.0


def test_the_body_projects_onto_its_landmarks():
    _, person = regressed(detections())
    found_px = project(joints_of(person), CAMERA.K_px)
    true_px = project(WALK.joints_m, CAMERA.K_px)
    assert np.linalg.norm(found_px - true_px, axis=-1).mean() < 5.0


def test_one_by_one_gives_the_same_as_all_at_once():
    together = BACKEND([], detections(), CAMERA)
    row = slice(7, 8)
    one = detections()
    one = Detections(
        one.frame_index[row], one.boxes_xyxy_px[row], one.score[row], one.skeleton,
        one.landmarks_px[row], one.landmarks_m[row],
    )  # fmt: skip
    alone = BACKEND([], one, CAMERA)
    np.testing.assert_allclose(alone.pose_rotvec, together.pose_rotvec[row], atol=1e-5)
    np.testing.assert_allclose(alone.t_camera_m, together.t_camera_m[row], atol=1e-5)


def test_hidden_landmarks_hardly_move_the_place():
    found = detections()
    landmarks_px = found.landmarks_px.copy()
    landmarks_px[:, 25:33, 2] = 0.0
    landmarks_px[:, 25:33, :2] += 80.0
    hidden = BACKEND([], replace(found, landmarks_px=landmarks_px), CAMERA)
    seen = BACKEND([], found, CAMERA)
    assert translation_error_mm(hidden.t_camera_m, seen.t_camera_m) < 250.0


def test_nobody_gives_no_bodies():
    empty = Detections(np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    bodies = BACKEND([], empty, CAMERA)
    assert len(bodies) == 0
    assert bodies.pose_rotvec.shape == (0, 24, 3)


def test_boxes_without_landmarks_are_refused_with_what_to_do():
    with pytest.raises(SettingsError, match=r"detection\.backend"):
        BACKEND([], replace(detections(), landmarks_px=None, landmarks_m=None), CAMERA)

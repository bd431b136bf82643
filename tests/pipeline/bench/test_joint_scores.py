from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.bench.joint_scores import FoundPoints, body_points, own_landmarks, score_joints
from pipeline.bench.joint_truth import JointTruth
from pipeline.body import load_body
from pipeline.landmark_sites import PosedSites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, SMPL24
from pipeline.types import Person, Status

K_PX = np.array([[800.0, 0, 320], [0, 800, 240], [0, 0, 1]])
JOINTS = ("left_hip", "right_hip", "left_knee", "right_wrist", "left_shoulder")
FRAMES = 12
TIME_S = np.arange(FRAMES) / 30


@pytest.fixture(scope="module")
def body():
    return load_body()


def person(aside_m=0.0, first=0, person_id=1):
    """Somebody who turns slowly, four metres away, upright in the picture."""
    frames = np.arange(first, FRAMES, dtype=np.int32)
    pose = np.zeros((len(frames), 24, 3), np.float32)
    pose[:, 0, 0] = np.pi
    pose[:, 17, 2] = 0.05 * frames
    t_m = np.tile(np.array([aside_m, 0.2, 4.0], np.float32), (len(frames), 1))
    nothing = np.full((len(frames), 4), np.nan, np.float32)
    return Person(
        id=person_id,
        frame_index=frames,
        time_s=TIME_S[frames],
        status=np.full(len(frames), Status.OBSERVED, np.uint8),
        confidence=np.ones(len(frames), np.float32),
        pose_rotvec=pose,
        betas=np.zeros(10, np.float32),
        t_camera_m=t_m,
        boxes_xyxy_px=nothing,
        skeleton="blazepose33",
        keypoints_px=np.zeros((len(frames), 33, 3), np.float32),
        landmarks_m=np.full((len(frames), 33, 3), 0.25, np.float32),
    )


def truth_of(body, points="landmarks"):
    one = person()
    pose = rotvec_to_rotmat(torch.from_numpy(one.pose_rotvec).double())
    betas = torch.zeros(FRAMES, 10, dtype=torch.float64)
    if points == "landmarks":
        joints_m = PosedSites(body).places(pose, betas).numpy()
        joints_m = joints_m[:, BLAZEPOSE33.indices(*JOINTS)]
    else:
        posed = body.with_shape(torch.zeros(10)).with_pose(torch.from_numpy(one.pose_rotvec))
        joints_m = posed.joints_m.numpy()[:, SMPL24.indices(*JOINTS)].astype(np.float64)
    return JointTruth(JOINTS, joints_m + one.t_camera_m[:, None], K_PX, TIME_S, points)


@pytest.mark.parametrize("points", ["landmarks", "smpl24"])
def test_the_true_body_has_no_error(body, points):
    truth = truth_of(body, points)
    score = score_joints(truth, body_points(truth, (person(1.5, person_id=2), person()), body))
    assert score.frames == FRAMES and score.coverage == 1
    assert score.mpjpe_mm < 0.01 and score.pa_mpjpe_mm < 0.01
    assert score.translation_error_mm < 0.01
    assert score.acceleration_error_m_s2 < 0.01


def test_place_and_gaps_are_scored_apart_from_the_pose(body):
    truth = truth_of(body)
    moved = person(first=3)
    moved = replace(moved, t_camera_m=moved.t_camera_m + np.array([0, 0, 0.3], np.float32))
    score = score_joints(truth, body_points(truth, (moved,), body))
    assert score.coverage == pytest.approx(9 / 12) and score.frames == 9
    assert score.translation_error_mm == pytest.approx(300, abs=0.1)
    assert score.mpjpe_mm < 0.01


def test_a_knee_is_off_by_so_much(body):
    truth = truth_of(body)
    joints_m = truth.joints_camera_m.copy()
    joints_m[:, 2, 0] += 0.05
    score = score_joints(
        replace(truth, joints_camera_m=joints_m), body_points(truth, (person(),), body)
    )
    assert score.mpjpe_mm == pytest.approx(50 / 5, abs=0.01)


def test_somebody_elsewhere_is_not_the_person(body):
    truth = truth_of(body)
    score = score_joints(truth, body_points(truth, (person(2.0),), body))
    assert score.coverage == 0 and np.isnan(score.mpjpe_mm)
    score = score_joints(truth, body_points(truth, (), body))
    assert score.coverage == 0


def test_own_landmarks_are_those_of_the_person_on_the_truth(body):
    truth = truth_of(body)
    stranger = replace(
        person(2.0, person_id=2), landmarks_m=np.full((FRAMES, 33, 3), 9.0, np.float32)
    )
    found = own_landmarks(truth, (stranger, person()), body)
    np.testing.assert_allclose(found.points_m, 0.25)
    assert np.isnan(score_joints(truth, found).translation_error_mm)
    none = own_landmarks(truth, (replace(person(), landmarks_m=None),), body)
    assert np.isnan(none.points_m).all()


def test_a_truth_whose_clock_is_ahead_is_told(body):
    """The picture shows at every moment what the truth showed 10 ms before."""
    late_s = 0.01
    truth = truth_of(body)
    sway_m = 0.3 * np.sin(5 * TIME_S[:, None])  # offsets of the points must not count
    found_m = truth.joints_camera_m + 0.02 * np.arange(len(JOINTS))[:, None] * [1, 1, 0]
    true_m = truth.joints_camera_m.copy()
    true_m[..., 0] += sway_m
    found_m[..., 0] += 0.3 * np.sin(5 * (TIME_S[:, None] - late_s))
    moving = replace(truth, joints_camera_m=true_m)
    score = score_joints(moving, FoundPoints(found_m, placed=True))
    assert score.truth_ahead_ms == pytest.approx(10, abs=1)
    assert np.isnan(score_joints(moving, FoundPoints(found_m, placed=False)).truth_ahead_ms)


def test_nothing_that_moves_tells_no_time(body):
    still = replace(truth_of(body), joints_camera_m=np.ones((FRAMES, len(JOINTS), 3)))
    score = score_joints(still, FoundPoints(still.joints_camera_m, placed=True))
    assert np.isnan(score.truth_ahead_ms)

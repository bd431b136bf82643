"""The regressed pose as evidence."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.context import Context
from pipeline.metrics import joint_angle_error_deg, mpjpe_mm
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, SMPL24
from stages.refinement.smplify import Backend, Config
from stages.refinement.smplify.chain import Chain
from stages.refinement.smplify.dofs import make_dofs
from stages.refinement.smplify.normal import Normal
from stages.refinement.smplify.regressed import (
    TOLD_DEG,
    RegressedTerm,
    directions_share,
    spreads_rad,
    told_ratio,
)
from stages.refinement.smplify.start import start_of
from stages.refinement.smplify.swaps import WHOLE, Sides
from tests.stages.refinement.moving_body import (
    CAMERA,
    SITES,
    joints_of,
    walk,
    walking_pose,
    with_noise,
)

WHOLLY_EXCHANGED = 3 * WHOLE + WHOLE
"""Arms and legs."""


def told_deg():
    """(24,) what a regressor usually says of its errors."""
    found = [[d for part, d in TOLD_DEG.items() if part in joint] for joint in SMPL24.points]
    return np.array([one[0] if one else TOLD_DEG["wrist"] for one in found])


def fitted(person, **settings):
    (out,) = Backend(Config(**settings), Context())((person,), CAMERA)
    return out


@pytest.fixture(scope="module")
def poor_depth():
    """A good regressor, landmarks good in the picture and poor in space."""
    truth = walk(seconds=1.0)
    seen = with_noise(truth.person, pixels=3.0, metres=0.02)
    landmarks_m = seen.landmarks_m.copy()
    landmarks_m[..., 2] *= 0.3
    return truth, replace(seen, landmarks_m=landmarks_m)


@pytest.mark.parametrize(
    "evidence",
    [
        {"regressed": 1.0},
        {"regressed_directions": 1.0},
        {"regressed": 1.0, "regressed_directions": 1.0, "landmarks": 0.0},
    ],
    ids=["rotations", "directions", "both, landmarks off"],
)
def test_a_good_regressor_tells_the_depth_that_landmarks_get_wrong(poor_depth, evidence):
    truth, person = poor_depth
    without, with_it = (
        mpjpe_mm(joints_of(fitted(person, **settings)), truth.joints_m)
        for settings in ({}, evidence)
    )
    assert with_it < 0.6 * without
    assert with_it < 40.0


def test_one_joint_that_is_quite_wrong_is_taken_for_a_mistake():
    truth = walk(seconds=1.0)
    pose = truth.person.pose_rotvec.copy()
    pose[:, SMPL24.index("left_knee"), 0] += 1.5
    wrong = replace(truth.person, pose_rotvec=pose)
    fit = fitted(wrong, regressed=1.0)
    knee = [SMPL24.index("left_knee")]
    error = joint_angle_error_deg(fit.pose_rotvec[:, knee], truth.person.pose_rotvec[:, knee])
    assert error < 8.0


def test_a_smaller_spread_pulls_harder():
    truth = walk(seconds=0.5)
    pose = truth.person.pose_rotvec.copy()
    pose[:, SMPL24.index("left_elbow"), 1] -= 0.3
    bent = replace(truth.person, pose_rotvec=pose)
    elbow = [SMPL24.index("left_elbow")]
    loose, tight = (
        joint_angle_error_deg(
            fitted(bent, regressed=1.0, regressed_spread_deg={"elbow": s}).pose_rotvec[:, elbow],
            pose[:, elbow],
        )
        for s in (40.0, 4.0)
    )
    assert tight < 0.5 * loose


def test_a_regressor_that_says_it_is_unsure_counts_for_less():
    truth = walk(seconds=0.5)
    pose = truth.person.pose_rotvec.copy()
    elbow = SMPL24.index("left_elbow")
    pose[:, elbow, 1] -= 0.3
    usual = np.deg2rad(told_deg()).astype(np.float32)
    errors = []
    for times in (0.4, 1.0, 2.5):
        told = np.tile(usual, (len(pose), 1)) * np.float32(times)
        bent = replace(truth.person, pose_rotvec=pose, pose_spread_rad=told)
        fit = fitted(bent, regressed=1.0, told=2.0)
        away = joint_angle_error_deg(fit.pose_rotvec[:, [elbow]], pose[:, [elbow]])
        errors.append(away)
        deaf = fitted(bent, regressed=1.0, told=0.0)
        silent = fitted(replace(bent, pose_spread_rad=None), regressed=1.0)
        np.testing.assert_allclose(deaf.pose_rotvec, silent.pose_rotvec, atol=1e-6)
    assert errors[0] < 0.7 * errors[1] < 0.7 * 0.9 * errors[2]


def test_errors_told_are_taken_relative_to_usual_ones():
    told = torch.from_numpy(np.deg2rad(told_deg())).expand(3, -1).clone()
    told[1] *= 2
    told[2, 4] = torch.nan
    ratio = told_ratio(told)
    torch.testing.assert_close(ratio[0], torch.ones(24, dtype=torch.float64))
    torch.testing.assert_close(ratio[1], torch.full((24,), 2.0, dtype=torch.float64))
    assert ratio[2, 4] == 1.0, "where nothing is told, the usual error is meant"
    share = directions_share(ratio, 1.0)
    torch.testing.assert_close(share[:2], torch.tensor([1.0, 0.25], dtype=torch.float64))


@pytest.mark.parametrize("by_frame", [False, True])
def test_derivatives_agree_with_differences(by_frame):
    dofs, size = make_dofs(), 1e-6
    pose = walking_pose(np.array([0.1, 0.5]))
    told = walking_pose(np.array([0.2, 0.4]))
    weight = torch.tensor([1.0, 0.7], dtype=torch.float64)
    spread_rad = spreads_rad({})
    if by_frame:
        spread_rad = spread_rad * torch.tensor([[0.5], [1.7]], dtype=torch.float64)
    term = RegressedTerm(told, weight, dofs, spread_rad, 1e6)
    d = dofs.count
    zero = torch.zeros(2, d, dtype=torch.float64)
    normal = Normal(torch.zeros(2, d, d).double(), zero, None, zero, zero, zero[:, 0].clone())
    term.add(normal, pose)
    for way in range(d - 3):
        step = torch.zeros((2, d - 3), dtype=torch.float64)
        step[:, way] = size
        ahead, behind = (
            term.cost(pose @ rotvec_to_rotmat(dofs.local_turns(sign * step))) for sign in (1, -1)
        )
        slope = (ahead - behind) / (2 * size)
        torch.testing.assert_close(2 * normal.g[:, 3 + way], slope, atol=1e-4, rtol=1e-4)


def test_a_regressor_that_knew_the_sides_keeps_its_pose_where_landmarks_were_exchanged():
    truth, chain = walk(seconds=0.5), Chain(SITES.body)
    changed = np.zeros(len(truth.person), dtype=bool)
    changed[4:8] = True
    keypoints_px, landmarks_m = truth.person.keypoints_px.copy(), truth.person.landmarks_m.copy()
    for points in (keypoints_px, landmarks_m):
        points[changed] = points[changed][:, BLAZEPOSE33.mirror]
    person = replace(truth.person, keypoints_px=keypoints_px, landmarks_m=landmarks_m)
    exchanged = Sides(person, np.where(changed, WHOLLY_EXCHANGED, 0).astype(np.int8))
    np.testing.assert_array_equal(exchanged.in_order().keypoints_px, truth.person.keypoints_px)
    right = start_of(exchanged, CAMERA, chain)
    assert right.trusted.all()
    pose = truth.person.pose_rotvec[:, SMPL24.mirror] * np.float32([1, -1, -1])
    pose[:, 0] = truth.person.pose_rotvec[:, 0]
    facing_away = rotvec_to_rotmat(torch.tensor([0.0, np.pi, 0.0], dtype=torch.float64))
    turned = rotvec_to_rotmat(torch.from_numpy(pose[:, 0]).double()) @ facing_away
    from pipeline.rotations import rotmat_to_rotvec

    pose[:, 0] = rotmat_to_rotvec(turned).numpy()
    regressed = replace(exchanged, person=replace(person, pose_rotvec=pose))
    mistaken = start_of(regressed, CAMERA, chain)
    assert mistaken.trusted.tolist() == (~changed).tolist()
    assert BLAZEPOSE33.name == truth.person.skeleton

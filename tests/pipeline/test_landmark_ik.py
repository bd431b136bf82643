import numpy as np
import pytest
import torch

from pipeline.landmark_ik import pose_from_landmarks
from pipeline.landmark_shape import betas_from_landmarks
from pipeline.metrics import joint_angle_error_deg, pa_mpjpe_mm
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, SMPL24
from tests.stages.refinement.moving_body import SITES

COUNT = 40
# Largest turn about x, y, z in radians; what 33 points cannot tell stays at rest.
RANGES = {
    "hip": ((-1.6, 0.4), (-0.4, 0.4), (-0.3, 0.5)),
    "knee": ((0.6, 2.0), (0, 0), (0, 0)),
    "ankle": ((-0.4, 0.4), (-0.2, 0.2), (-0.2, 0.2)),
    "shoulder": ((-0.5, 0.5), (-0.9, 0.4), (-1.2, 0.5)),
    "elbow": ((0, 0), (-2.0, -0.6), (0, 0)),
    "head": ((-0.3, 0.3), (-0.4, 0.4), (-0.2, 0.2)),
}


def random_pose(seed=0, straight=False):
    """(n, 24, 3) rotation vectors within limits, every way round."""
    rng = np.random.default_rng(seed)
    pose = np.zeros((COUNT, 24, 3))
    for joint, ranges in RANGES.items():
        for side, sign in (("left", 1), ("right", -1)):
            name = joint if joint in SMPL24.points else f"{side}_{joint}"
            for axis, (low, high) in enumerate(ranges):
                angle = rng.uniform(low, high, COUNT) * (1 if axis == 0 else sign)
                still = straight and joint in ("knee", "elbow")
                pose[:, SMPL24.index(name), axis] = 0 if still else angle
    pose[:, SMPL24.index("neck")] = pose[:, SMPL24.index("head")]
    pose[:, 0] = rng.normal(0, 1.2, (COUNT, 3))
    return torch.from_numpy(pose)


def sites_of(pose, betas=None):
    betas = torch.zeros((len(pose), 10), dtype=torch.float64) if betas is None else betas
    return SITES.places(rotvec_to_rotmat(pose), betas).numpy()


def recovered(landmarks_m):
    return rotmat_to_rotvec(pose_from_landmarks(landmarks_m, SITES.rest))


def angle_deg(found, true, *joints):
    columns = SMPL24.indices(*joints)
    return joint_angle_error_deg(found[:, columns].numpy(), true[:, columns].numpy())


def test_a_posed_body_is_recovered_from_its_landmark_sites():
    pose = random_pose()
    found = recovered(sites_of(pose))
    both = [f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "shoulder", "elbow")]
    assert angle_deg(found, pose, "pelvis") < 0.1
    assert angle_deg(found, pose, *both) < 2.0
    assert angle_deg(found, pose, "left_ankle", "right_ankle") < 3.0
    assert angle_deg(found, pose, "neck", "head") < 1.0
    assert pa_mpjpe_mm(sites_of(found), sites_of(pose)) < 8.0


def test_straight_limbs_point_the_right_way_even_where_their_twist_is_unknown():
    pose = random_pose(1, straight=True)
    found_m, true_m = sites_of(recovered(sites_of(pose))), sites_of(pose)
    limbs = BLAZEPOSE33.indices(
        *(f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle", "elbow", "wrist"))
    )
    error_mm = 1e3 * np.linalg.norm((found_m - true_m)[:, limbs], axis=-1)
    assert error_mm.mean() < 12.0


def test_only_directions_matter_not_size_or_place():
    landmarks_m = sites_of(random_pose(2))
    found = recovered(landmarks_m)
    again = recovered(1.7 * landmarks_m + np.array([0.3, -0.2, 5.0]))
    torch.testing.assert_close(found, again, atol=1e-9, rtol=0)


def test_turning_the_camera_turns_the_pelvis_alone():
    pose = random_pose(3)
    turn = rotvec_to_rotmat(torch.tensor([0.3, -0.8, 0.4], dtype=torch.float64))
    found = pose_from_landmarks(sites_of(pose), SITES.rest)
    turned = pose_from_landmarks(sites_of(pose) @ turn.numpy().T, SITES.rest)
    torch.testing.assert_close(turn @ found[:, 0], turned[:, 0], atol=1e-9, rtol=0)
    torch.testing.assert_close(found[:, 1:], turned[:, 1:], atol=1e-8, rtol=0)


def test_a_mirrored_person_gives_the_mirrored_pose():
    landmarks_m = sites_of(random_pose(4))
    mirrored = (landmarks_m * np.array([-1.0, 1.0, 1.0]))[:, BLAZEPOSE33.mirror]
    found, other = recovered(landmarks_m), recovered(mirrored)
    swapped = other[:, SMPL24.mirror] * torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    error_deg = joint_angle_error_deg(found.numpy(), swapped.numpy())
    assert error_deg < 0.5


def test_any_landmarks_give_rotations():
    noise = np.random.default_rng(5).normal(0, 0.3, (50, 33, 3))
    flat = np.zeros((1, 33, 3))
    rotmat = pose_from_landmarks(np.concatenate([noise, flat]), SITES.rest)
    assert torch.isfinite(rotmat).all()
    eye = torch.eye(3, dtype=torch.float64).expand(50, 24, 3, 3)
    torch.testing.assert_close(rotmat[:50] @ rotmat[:50].mT, eye, atol=1e-6, rtol=0)


@pytest.mark.parametrize("beta", [-1.5, 1.5])
def test_a_tall_or_a_short_person_is_told_from_lengths(beta):
    betas = torch.zeros((COUNT, 10), dtype=torch.float64)
    betas[:, 0] = beta
    found = betas_from_landmarks(sites_of(random_pose(6), betas), SITES.rest)
    assert np.sign(found[:, 0]).tolist() == [np.sign(beta)] * COUNT
    assert abs(found[:, 0] - beta).max() < 0.9


def test_absurd_lengths_give_a_shape_within_limits():
    found = betas_from_landmarks(20 * sites_of(random_pose(7)), SITES.rest)
    assert np.abs(found).max() <= 3.0

"""Rotations: group laws, round trips, and layouts that must not be mixed up."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pipeline import rotations as rot

torch.manual_seed(0)
ROTVEC = torch.from_numpy(Rotation.random(200, random_state=0).as_rotvec())
ROTMAT = rot.rotvec_to_rotmat(ROTVEC)
EYE = torch.eye(3, dtype=torch.float64)


def test_matrices_form_a_group() -> None:
    a, b, c = ROTMAT[:60], ROTMAT[60:120], ROTMAT[120:180]
    assert torch.allclose(a @ a.mT, EYE.expand(60, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(a), torch.ones(60, dtype=torch.float64))
    assert torch.allclose((a @ b) @ c, a @ (b @ c), atol=1e-12)
    assert torch.allclose(rot.rotvec_to_rotmat(-ROTVEC[:60]), a.mT, atol=1e-12)


def test_agrees_with_scipy() -> None:
    expected = Rotation.from_rotvec(ROTVEC.numpy())
    np.testing.assert_allclose(ROTMAT.numpy(), expected.as_matrix(), atol=1e-12)
    quat_wxyz = rot.rotvec_to_quat_wxyz(ROTVEC).numpy()
    quat_xyzw = expected.as_quat(canonical=True)
    np.testing.assert_allclose(quat_wxyz, quat_xyzw[:, [3, 0, 1, 2]], atol=1e-12)


@pytest.mark.parametrize("form", ["quat_wxyz", "rot6d_columns", "rot6d_interleaved", "rot6d_rows"])
def test_matrix_survives_the_way_there_and_back(form: str) -> None:
    there = getattr(rot, f"rotmat_to_{form}")
    back = getattr(rot, f"{form}_to_rotmat")
    assert torch.allclose(back(there(ROTMAT)), ROTMAT, atol=1e-12)


def test_rotvec_survives_the_way_there_and_back() -> None:
    assert torch.allclose(rot.rotmat_to_rotvec(ROTMAT), ROTVEC, atol=1e-10)
    quat_wxyz = rot.rotvec_to_quat_wxyz(ROTVEC)
    assert torch.allclose(rot.quat_wxyz_to_rotvec(-quat_wxyz), ROTVEC, atol=1e-10)


def test_quarter_turn_about_z_takes_x_to_y() -> None:
    turn = rot.rotvec_to_rotmat(torch.tensor([0.0, 0.0, np.pi / 2]))
    assert torch.allclose(turn @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), atol=1e-6)


def test_the_three_six_number_layouts_differ() -> None:
    turn = torch.arange(9.0).reshape(3, 3)  # not a rotation: shows which entries are taken
    assert rot.rotmat_to_rot6d_columns(turn).tolist() == [0, 3, 6, 1, 4, 7]
    assert rot.rotmat_to_rot6d_interleaved(turn).tolist() == [0, 1, 3, 4, 6, 7]
    assert rot.rotmat_to_rot6d_rows(turn).tolist() == [0, 1, 2, 3, 4, 5]

    numbers = rot.rotmat_to_rot6d_columns(ROTMAT)
    by_columns = rot.rot6d_columns_to_rotmat(numbers)
    assert torch.allclose(rot.rot6d_rows_to_rotmat(numbers), by_columns.mT, atol=1e-12)
    between = rot.geodesic_angle_rad(rot.rot6d_interleaved_to_rotmat(numbers), by_columns)
    assert between.median() > 0.5


def test_six_arbitrary_numbers_give_a_rotation_along_the_first_three() -> None:
    numbers = torch.randn(50, 6, dtype=torch.float64)
    turn = rot.rot6d_columns_to_rotmat(numbers)
    assert torch.allclose(turn @ turn.mT, EYE.expand(50, 3, 3), atol=1e-10)
    assert torch.allclose(turn[:, :, 0], torch.nn.functional.normalize(numbers[:, :3]), atol=1e-12)


def test_geodesic_angle_is_the_length_of_the_turn_between() -> None:
    angle = rot.geodesic_angle_rad(ROTMAT, EYE)
    assert torch.allclose(angle, ROTVEC.norm(dim=-1), atol=1e-6)


def test_slerp_shares_the_turn() -> None:
    start, end = ROTMAT[:50], ROTMAT[50:100]
    whole = rot.geodesic_angle_rad(start, end)
    third = rot.rotmat_slerp(start, end, 1 / 3)
    assert torch.allclose(rot.geodesic_angle_rad(start, third), whole / 3, atol=1e-6)
    assert torch.allclose(rot.rotmat_slerp(start, end, 0.0), start, atol=1e-9)
    assert torch.allclose(rot.rotmat_slerp(start, end, torch.ones(50)), end, atol=1e-9)
    by_vector = rot.rotvec_slerp(ROTVEC[:50], ROTVEC[50:100], 1 / 3)
    assert torch.allclose(rot.rotvec_to_rotmat(by_vector), third, atol=1e-9)


def test_rotation_between_vectors_is_the_smallest_one() -> None:
    start, end = torch.randn(2, 100, 3, dtype=torch.float64)
    turn = rot.rotmat_between_vectors(start, end)
    turned = (turn @ torch.nn.functional.normalize(start)[..., None])[..., 0]
    assert torch.allclose(turned, torch.nn.functional.normalize(end), atol=1e-9)
    cosine = torch.nn.functional.cosine_similarity(start, end)
    assert torch.allclose(rot.geodesic_angle_rad(turn, EYE), torch.acos(cosine), atol=1e-6)


def test_opposite_and_equal_vectors_still_give_a_rotation() -> None:
    start = torch.cat([torch.eye(3), torch.randn(20, 3)]).double()
    turn = rot.rotmat_between_vectors(start, -start)
    assert torch.allclose((turn @ start[..., None])[..., 0], -start, atol=1e-9)
    assert torch.allclose(torch.linalg.det(turn), torch.ones(23).double(), atol=1e-9)
    still = rot.rotmat_between_vectors(start, 2 * start)
    assert torch.allclose(still, EYE.expand(23, 3, 3), atol=1e-9)


def test_gradients_exist_at_rest_and_match_finite_differences() -> None:
    at_rest = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rot.rotvec_to_rotmat, (at_rest,))
    some = ROTVEC[:3].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v: rot.rotmat_to_rotvec(rot.rotvec_to_rotmat(v)), (some,), atol=1e-5
    )
    vectors = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: rot.rotmat_between_vectors(v[0], v[1]), (vectors,))


def test_derivative_of_a_rotvec_by_a_turn_matches_differences() -> None:
    rotvec = torch.cat([ROTVEC[:50], 1e-3 * ROTVEC[:5], torch.zeros(1, 3, dtype=torch.float64)])
    rotvec = rotvec[rotvec.norm(dim=1) < 3.1]
    by_turn, size = rot.rotvec_by_turn(rotvec), 1e-6
    for axis in range(3):
        turn = torch.zeros(3, dtype=torch.float64)
        turn[axis] = size
        ahead, behind = (
            rot.rotmat_to_rotvec(rot.rotvec_to_rotmat(rotvec) @ rot.rotvec_to_rotmat(sign * turn))
            for sign in (1, -1)
        )
        expected = (ahead - behind) / (2 * size)
        torch.testing.assert_close(by_turn[..., axis], expected, atol=2e-6, rtol=0)

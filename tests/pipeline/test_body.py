"""The body model against an independent skinning, against smplx, and against itself."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pipeline.body import BodyModel, load_body
from pipeline.body_file import EMBEDDED_PATH

BETAS = torch.from_numpy(np.random.default_rng(1).normal(size=(6, 10))).float()
POSE = torch.from_numpy(np.random.default_rng(2).normal(size=(6, 24, 3)) * 0.6).float()
SHIFT_M = torch.from_numpy(np.random.default_rng(3).normal(size=(6, 3))).float()
TOLERANCE_M = 1e-6


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body("embedded")


@pytest.fixture(scope="module")
def bending(body: BodyModel) -> BodyModel:
    """The embedded body with pose corrections of about a centimetre."""
    directions = torch.from_numpy(np.random.default_rng(4).normal(size=(6890, 3, 207)) * 0.001)
    return replace(body, posedirs=directions.float())


def skinned_by_definition(
    body: BodyModel, betas: np.ndarray, pose_rotvec: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """SMPL's equations for one body, written out joint by joint in double precision."""
    rest = body.v_template_m.double().numpy() + body.shapedirs.double().numpy() @ betas
    joints = body.J_regressor.double().numpy() @ rest
    turns = Rotation.from_rotvec(pose_rotvec).as_matrix()
    if body.posedirs is not None:
        rest = rest + body.posedirs.double().numpy() @ (turns[1:] - np.eye(3)).ravel()
    chain = []
    for joint, parent in enumerate(body.parents):
        step = np.eye(4)
        step[:3, :3] = turns[joint]
        step[:3, 3] = joints[joint] - (joints[parent] if joint else 0)
        chain.append(chain[parent] @ step if joint else step)
    vertices = np.zeros_like(rest)
    for joint, motion in enumerate(chain):
        moved = (rest - joints[joint]) @ motion[:3, :3].T + motion[:3, 3]
        vertices += body.weights.double().numpy()[:, joint, None] * moved
    return vertices, np.stack([motion[:3, 3] for motion in chain])


@pytest.mark.parametrize("name", ["body", "bending"])
def test_equals_the_definition(name: str, request: pytest.FixtureRequest) -> None:
    body = request.getfixturevalue(name)
    posed = body.with_shape(BETAS).with_pose(POSE, SHIFT_M)
    vertices_m, joints_m = posed.vertices(), posed.joints_m
    for i in range(3):
        expected, joints = skinned_by_definition(
            body, BETAS[i].double().numpy(), POSE[i].double().numpy()
        )
        shift_m = SHIFT_M[i].double().numpy()
        np.testing.assert_allclose(vertices_m[i], expected + shift_m, atol=2 * TOLERANCE_M)
        np.testing.assert_allclose(joints_m[i], joints + shift_m, atol=2 * TOLERANCE_M)


@pytest.mark.parametrize("name", ["body", "bending"])
def test_one_shape_in_many_poses_equals_one_at_a_time(
    name: str, request: pytest.FixtureRequest
) -> None:
    shaped = request.getfixturevalue(name).with_shape(BETAS[0])
    together = shaped.with_pose(POSE, SHIFT_M).vertices()
    for i in range(6):
        alone = shaped.with_pose(POSE[i], SHIFT_M[i]).vertices()
        torch.testing.assert_close(together[i], alone, atol=TOLERANCE_M, rtol=0)


def test_equals_smplx_on_the_same_file(bending: BodyModel, tmp_path: Path) -> None:
    smplx = pytest.importorskip("smplx", reason="smplx is the oracle here and not installed")
    assert bending.posedirs is not None
    content = {
        "v_template": bending.v_template_m.numpy(),
        "shapedirs": bending.shapedirs.numpy(),
        "posedirs": bending.posedirs.numpy(),
        "J_regressor": bending.J_regressor.numpy(),
        "weights": bending.weights.numpy(),
        "kintree_table": np.array([bending.parents, range(24)]).astype(np.uint32),
        "f": bending.faces.astype(np.uint32),
    }
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(content, protocol=2))

    expected = smplx.SMPL(str(path))(
        betas=BETAS, global_orient=POSE[:, 0], body_pose=POSE[:, 1:].flatten(1), transl=SHIFT_M
    )
    posed = load_body(path).with_shape(BETAS).with_pose(POSE, SHIFT_M)
    assert (posed.vertices() - expected.vertices).abs().max() < TOLERANCE_M
    assert (posed.joints_m - expected.joints[:, :24]).abs().max() < TOLERANCE_M


def test_subset_and_matrices_give_the_same_points(bending: BodyModel) -> None:
    shaped = bending.with_shape(BETAS)
    posed = shaped.with_pose(POSE)
    subset = torch.tensor([3216, 0, 6889])
    torch.testing.assert_close(posed.vertices(subset), posed.vertices()[:, subset])
    turns = torch.from_numpy(Rotation.from_rotvec(POSE.reshape(-1, 3)).as_matrix())
    by_matrix = shaped.with_pose(pose_rotmat=turns.reshape(6, 24, 3, 3).float())
    torch.testing.assert_close(by_matrix.joints_m, posed.joints_m, atol=1e-5, rtol=0)


def test_leading_axes_broadcast(body: BodyModel) -> None:
    posed = body.with_shape(BETAS[:2, None]).with_pose(POSE[:3], SHIFT_M[0])
    assert posed.joints_m.shape == (2, 3, 24, 3)
    assert posed.vertices().shape == (2, 3, 6890, 3)
    one = body.with_shape(BETAS[1]).with_pose(POSE[2], SHIFT_M[0])
    torch.testing.assert_close(posed.vertices()[1, 2], one.vertices(), atol=1e-5, rtol=0)
    many_places = body.with_shape(BETAS[0]).with_pose(POSE[0], SHIFT_M)
    assert many_places.vertices().shape == (6, 6890, 3)
    turned = body.with_shape(BETAS[0]).with_pose(POSE).global_rotmat
    torch.testing.assert_close(turned @ turned.mT, torch.eye(3).expand(6, 24, 3, 3))


def test_no_pose_is_the_rest_pose(body: BodyModel) -> None:
    shaped = body.with_shape(BETAS[0])
    torch.testing.assert_close(shaped.with_pose().vertices(), shaped.vertices_rest_m)
    regressed = body.J_regressor @ shaped.vertices_rest_m
    torch.testing.assert_close(shaped.joints_rest_m, regressed, atol=TOLERANCE_M, rtol=0)


def test_gradients_match_finite_differences(bending: BodyModel) -> None:
    body = bending.to(dtype=torch.float64)
    betas = BETAS[0].double().requires_grad_()
    pose = POSE[:2].double().requires_grad_()
    probe = torch.from_numpy(np.random.default_rng(5).normal(size=(2, 6890, 3)))

    def cost(betas: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
        posed = body.with_shape(betas).with_pose(pose)
        return (posed.vertices() * probe).sum() + posed.joints_m.square().sum()

    slopes = torch.autograd.grad(cost(betas, pose), (betas, pose))
    step = 1e-5
    for slope, value, place in ((slopes[0], betas, (3,)), (slopes[1], pose, (1, 16, 2))):
        delta = torch.zeros_like(value)
        delta[place] = step
        arguments = [
            (betas, pose + s) if value is pose else (betas + s, pose) for s in (delta, -delta)
        ]
        up, down = (float(cost(*a).detach()) for a in arguments)
        assert float(slope[place]) == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_many_poses_of_one_shape_have_the_same_gradients(body: BodyModel) -> None:
    pose = POSE.clone().requires_grad_()
    betas = BETAS[0].clone().requires_grad_()
    fast = body.with_shape(betas).with_pose(pose).vertices()
    slow = body.with_shape(betas.expand(6, 10)).with_pose(pose).vertices()
    for a, b in zip(
        torch.autograd.grad(fast[:, 50].sum(), (betas, pose)),
        torch.autograd.grad(slow[:, 50].sum(), (betas, pose)),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_embedded_body_is_a_closed_surface_without_holes(body: BodyModel) -> None:
    faces = body.faces
    assert (len(body.v_template_m), len(faces)) == (6890, 13776)
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = {(int(a), int(b)) for a, b in directed}
    assert len(edges) == len(directed), "an edge is met twice in the same direction"
    assert all((b, a) in edges for a, b in edges), "an edge has a face on one side only"
    assert len(np.unique(faces)) == 6890
    assert 6890 - len(edges) // 2 + len(faces) == 2  # Euler: one sphere
    a, b, c = body.v_template_m.numpy()[faces].transpose(1, 0, 2)
    litres = 1000 * (a * np.cross(b, c)).sum() / 6
    assert 55 < litres < 70, "faces point outwards and the volume is a person's"


def test_embedded_body_is_a_person_at_rest(body: BodyModel) -> None:
    weights = body.weights
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(1), torch.ones(6890), atol=1e-6, rtol=0)
    torch.testing.assert_close(body.J_regressor.sum(1), torch.ones(24), atol=1e-6, rtol=0)
    assert body.posedirs is None
    joints = body.J_template_m
    assert float(np.ptp(body.v_template_m.numpy()[:, 1])) == pytest.approx(1.71, abs=0.02)
    leg_m = (joints[[1, 4]] - joints[[4, 7]]).norm(dim=1).sum()
    assert float(leg_m) == pytest.approx(0.833, abs=0.003)
    mirrored = joints[[2, 5, 8, 11, 14, 17, 19, 21, 23]] * torch.tensor([-1.0, 1, 1])
    assert (joints[[1, 4, 7, 10, 13, 16, 18, 20, 22]] - mirrored).norm(dim=1).max() < 0.002
    assert joints[16, 0] > 0.1, "left is +X"
    tall = body.with_shape(torch.eye(10)[0]).vertices_rest_m
    assert float(np.ptp(tall.numpy()[:, 1])) > 1.75


def test_landmarks_lie_where_readers_of_smpl_look_for_them(body: BodyModel) -> None:
    vertices, joints = body.v_template_m, body.J_template_m
    left = {"thumb": 2746, "index": 2319, "middle": 2445, "ring": 2556, "pinky": 2673}
    tips = vertices[list(left.values())]
    assert (tips[1:, 2].diff() < -0.01).all(), "fingers lie side by side, index foremost"
    assert (tips[2, 0] >= tips[:, 0]).all(), "the middle finger reaches furthest"
    assert ((tips - joints[20]).norm(dim=1) > 0.09).all()
    nose, eye, ear, toe, heel = vertices[[332, 2800, 583, 3216, 3387]]
    assert nose[2] > eye[2] > ear[2]
    assert ear[0] > eye[0] > nose[0].abs()
    assert toe[2] > joints[10, 2] > heel[2]


def test_name_and_digest_travel_with_the_body(body: BodyModel) -> None:
    assert body.name == "mh24-v1"
    assert len(body.sha256) == 64
    assert EMBEDDED_PATH.stat().st_size < 1.2e6

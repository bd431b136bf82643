"""Fitted bodies: exact derivatives, poses found again to millimetres, the command, its errors."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._spin_smplify import tiny_body
from benchmarks.random_bodies import random_bodies
from pipeline.body import load_body
from pipeline.body_fit import BodyState, FitTarget, FitWeights, fit_body, fit_terms
from pipeline.body_fit.jacobian import BodyMotion
from pipeline.body_fit.normal import normal_equations
from pipeline.errors import EXIT_INPUT, EXIT_MISSING
from pipeline.projection import project_points
from pipeline.rotations import rotvec_to_rotmat

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "spin" / "spin_smplify.npz"
K_PX = torch.tensor([[1500.0, 0, 960], [0, 1400, 540], [0, 0, 1]], dtype=torch.float64)
MM = 1000.0


@pytest.fixture(scope="module")
def body():
    return load_body().to(dtype=torch.float64)


@pytest.fixture(scope="module")
def tiny():
    """96 vertices that do have pose corrections."""
    return tiny_body(GoldenFile.open(GOLDEN), torch.float64)


def _one_person(count, seed=0):
    """One shape, many poses."""
    state = random_bodies(count, seed)
    return BodyState(state.pose_rotmat, state.betas[:1].expand(count, 10), state.t_m)


def _standing(count, seed=0):
    """Upright in a camera's axes, all facings."""
    state = _one_person(count, seed)
    turns = torch.zeros(count, 3, dtype=torch.float64)
    turns[:, 1] = torch.linspace(0, 2 * math.pi, count + 1)[:-1]
    upright = rotvec_to_rotmat(torch.tensor([math.pi, 0, 0], dtype=torch.float64))
    pose = state.pose_rotmat.clone()
    pose[:, 0] = upright @ rotvec_to_rotmat(turns)
    return BodyState(pose, 0.5 * state.betas, 0.2 * state.t_m + pose.new_tensor([0, 0, 4]))


def _errors_mm(body, fit, wanted):
    """Mean error of the vertices and of the joints of each body."""
    found = BodyState(rotvec_to_rotmat(fit.pose_rotvec), fit.betas, fit.t_m).posed(body)
    return (
        MM * (found.vertices() - wanted.vertices()).norm(dim=-1).mean(1),
        MM * (found.joints_m - wanted.joints_m).norm(dim=-1).mean(1),
    )


def _moved(state, ways):
    turn = rotvec_to_rotmat(ways[:, 3:75].unflatten(1, (24, 3)))
    return BodyState(state.pose_rotmat @ turn, state.betas + ways[:, 75:], state.t_m + ways[:, :3])


def test_derivatives_are_those_of_autograd(tiny):
    state, motion = random_bodies(2, seed=1), BodyMotion(tiny, torch.arange(0, 96, 7))
    zero = torch.zeros(2, 85, dtype=torch.float64)
    for moves, points in (
        (motion.vertices(state), lambda posed: posed.vertices(motion.rows)),
        (motion.joints(state), lambda posed: posed.joints_m),
    ):
        wanted = torch.autograd.functional.jacobian(
            lambda ways, points=points: points(_moved(state, ways).posed(tiny)).sum(0), zero
        )
        assert torch.allclose(moves.points_m, points(state.posed(tiny)), atol=1e-12)
        assert torch.allclose(moves.by_way, wanted.permute(2, 3, 1, 0), atol=1e-10)


def test_the_gradient_is_that_of_the_objective(tiny):
    state, truth = _standing(3, seed=2), _standing(3, seed=3).posed(tiny)
    rng = torch.Generator().manual_seed(0)
    target = FitTarget(
        truth.vertices(),
        truth.joints_m,
        project_points(truth.joints_m, K_PX),
        torch.rand(3, 24, generator=rng, dtype=torch.float64),
        K_PX,
    )
    target.vertices_m[0, :9] = torch.nan
    weights = FitWeights(1.0, 2.0, 1e-5, 1e-3, 1e-2)
    ways = torch.zeros(3, 85, dtype=torch.float64, requires_grad=True)
    total = fit_terms(tiny, _moved(state, ways), target, weights).total.sum()
    (wanted,) = torch.autograd.grad(total, ways)
    normal = normal_equations(BodyMotion(tiny, torch.arange(96)), state, target, weights)
    assert torch.allclose(2 * normal.gradient, wanted, rtol=1e-8, atol=1e-9)


def test_terms_are_means_of_squares_in_metres_and_pixels(body):
    state = _standing(2)
    posed = state.posed(body)
    shift = torch.tensor([0.01, 0.0, 0.0], dtype=torch.float64)
    target = FitTarget(posed.vertices() + shift, posed.joints_m + 2 * shift)
    terms = fit_terms(body, state, target, FitWeights(joints=3.0, betas=0.5))
    assert torch.allclose(terms.vertices, torch.full((2,), 1e-4, dtype=torch.float64))
    assert torch.allclose(terms.joints, torch.full((2,), 3 * 4e-4, dtype=torch.float64))
    assert torch.allclose(terms.betas, 0.5 * (state.betas**2).sum(1))
    assert (terms.px == 0).all()


def test_bodies_posed_at_random_are_found_again_from_vertices(body):
    truth = random_bodies(6, seed=4)
    posed = truth.posed(body)
    fit = fit_body(body, FitTarget(vertices_m=posed.vertices()), one_shape=False)
    vertices_mm, joints_mm = _errors_mm(body, fit, posed)
    assert vertices_mm.max() < 0.1
    assert joints_mm.max() < 0.1
    assert (fit.betas - truth.betas).abs().max() < 0.1
    assert torch.allclose(fit.vertices_mm, vertices_mm, atol=1e-6)


def test_bodies_posed_at_random_are_found_again_from_joints(body):
    posed = random_bodies(6, seed=5).posed(body)
    fit = fit_body(body, FitTarget(joints_m=posed.joints_m), one_shape=False)
    vertices_mm, joints_mm = _errors_mm(body, fit, posed)
    assert joints_mm.max() < 0.3
    # Joints do not tell how a limb is twisted; the skin stays within that.
    assert 1 < vertices_mm.max() < 80


def test_a_body_with_pose_corrections_is_found_again(tiny):
    posed = random_bodies(4, seed=6, spread_betas=0.5).posed(tiny)
    fit = fit_body(tiny, FitTarget(vertices_m=posed.vertices()), one_shape=False)
    assert _errors_mm(tiny, fit, posed)[0].max() < 1


def test_one_person_keeps_one_shape(body):
    truth = _one_person(5, seed=7)
    fit = fit_body(body, FitTarget(joints_m=truth.posed(body).joints_m))
    assert torch.equal(fit.betas, fit.betas[:1].expand(5, 10))
    assert _errors_mm(body, fit, truth.posed(body))[1].max() < 0.3


def test_bodies_of_their_own_do_not_feel_each_other(body):
    joints_m = random_bodies(3, seed=8).posed(body).joints_m
    together = fit_body(body, FitTarget(joints_m=joints_m), one_shape=False)
    alone = fit_body(body, FitTarget(joints_m=joints_m[1:2]), one_shape=False)
    assert torch.allclose(together.joints_m[1:2], alone.joints_m, atol=1e-6)


def test_vertices_that_were_not_seen_do_not_matter(body):
    posed = _one_person(2, seed=9).posed(body)
    vertices_m = posed.vertices().clone()
    hidden = torch.randperm(vertices_m.shape[1], generator=torch.Generator().manual_seed(0))[:4000]
    vertices_m[:, hidden] = torch.nan
    fit = fit_body(body, FitTarget(vertices_m=vertices_m))
    assert _errors_mm(body, fit, posed)[0].max() < 0.2


def test_noise_of_vertices_averages_out(body):
    posed = _one_person(2, seed=10).posed(body)
    noise = torch.randn(posed.vertices().shape, generator=torch.Generator().manual_seed(0))
    fit = fit_body(body, FitTarget(vertices_m=posed.vertices() + 0.01 * noise.double()))
    assert _errors_mm(body, fit, posed)[0].max() < 3
    assert fit.vertices_mm.min() > 10


def test_pixels_correct_joints_and_hidden_ones_are_ignored(body):
    truth = _standing(4, seed=11)
    posed = truth.posed(body)
    joints_px = project_points(posed.joints_m, K_PX)
    visibility = torch.ones(4, 24, dtype=torch.float64)
    visibility[:, 20], joints_px[:, 20] = 0, 5000
    target = FitTarget(None, posed.joints_m, joints_px, visibility, K_PX)
    fit = fit_body(body, target)
    assert _errors_mm(body, fit, posed)[1].max() < 0.3
    assert fit.joints_px.max() < 0.1


def test_pixels_alone_are_met_in_the_picture(body):
    truth = _standing(8, seed=12)
    joints_px = project_points(truth.posed(body).joints_m, K_PX)
    fit = fit_body(body, FitTarget(joints_px=joints_px, K_px=K_PX))
    assert fit.joints_px.max() < 3
    assert (fit.t_m[:, 2] > 1).all()


def test_the_command_writes_a_superset_of_amass(body, tmp_path, humans4d):
    posed = _standing(3, seed=13).posed(body)
    arrays = {"vertices_m": posed.vertices().numpy(), "joints_m": posed.joints_m.numpy()}
    np.savez(tmp_path / "scan.npz", mocap_framerate=50, **arrays)
    code, printed = humans4d("body", "fit", tmp_path / "scan.npz")
    assert code == 0
    assert "vertices: 0.0" in printed and "3D joints: 0.0" in printed
    with np.load(tmp_path / "scan_fit.npz") as file:
        written = dict(file)
    assert written["poses"].shape == (3, 72)
    assert (written["trans"].shape, written["betas"].shape) == ((3, 3), (10,))
    assert (str(written["gender"]), float(written["mocap_framerate"])) == ("neutral", 50.0)
    pose = torch.from_numpy(written["poses"]).unflatten(1, (24, 3))
    shaped = load_body().with_shape(torch.from_numpy(written["betas"]))
    found = shaped.with_pose(pose, torch.from_numpy(written["trans"])).vertices()
    error_mm = MM * (found - posed.vertices()).norm(dim=-1).mean(1).numpy()
    assert error_mm.max() < 0.1
    assert np.allclose(error_mm, written["residual_vertices_mm"], atol=0.01)


JOINTS = np.zeros((2, 24, 3)) + np.linspace(0, 1, 24)[:, None]
PX = np.zeros((2, 24, 2)) + np.linspace(0, 500, 24)[:, None]
K = K_PX.numpy()


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({}, "holds nothing to fit to"),
        ({"joint_m": JOINTS}, "'joint_m' is not known"),
        ({"joints_m": JOINTS[0]}, "'joints_m' has the shape (24, 3)"),
        ({"joints_m": JOINTS[:, :17]}, "'joints_m' has the shape (2, 17, 3)"),
        ({"joints_m": JOINTS[:0]}, "'joints_m' has the shape (0, 24, 3)"),
        ({"vertices_m": np.zeros((2, 100, 3))}, "expected (2, 6890, 3)"),
        ({"joints_m": JOINTS.astype(str)}, "'joints_m' is <U"),
        ({"joints_m": JOINTS + np.inf}, "'joints_m' holds infinite"),
        ({"joints_m": JOINTS * 1000}, "'joints_m' extends over 1000 m"),
        ({"joints_m": JOINTS * np.array([[[1.0]], [[np.nan]]])}, "frame 1 sees 0 points"),
        ({"joints_px": PX}, "'K_px' is missing"),
        ({"joints_px": PX, "K_px": -K}, "'K_px' is no camera"),
        ({"joints_px": PX, "K_px": K[:2]}, "'K_px' has the shape (2, 3)"),
        ({"joints_m": JOINTS, "K_px": K}, "'K_px' belongs to 'joints_px'"),
        ({"joints_px": PX, "K_px": K, "visibility": -PX[..., 0] - 1}, "'visibility' must"),
        ({"joints_px": PX, "K_px": K, "visibility": 0 * PX[..., 0]}, "frame 0 sees 0 points"),
        ({"joints_m": JOINTS, "weights": np.ones(3)}, "'weights' has the shape (3,)"),
        ({"joints_m": JOINTS, "weights": np.full(5, np.nan)}, "'weights' must"),
        ({"joints_m": JOINTS, "mocap_framerate": 0}, "'mocap_framerate' must"),
    ],
)
def test_a_target_that_cannot_be_used_is_told_in_a_line(tmp_path, humans4d, arrays, told):
    np.savez(tmp_path / "t.npz", **arrays)
    code, printed = humans4d("body", "fit", tmp_path / "t.npz")
    assert code == EXIT_INPUT
    assert told in printed
    assert not (tmp_path / "t_fit.npz").exists()


def test_a_file_that_is_no_archive_is_told(tmp_path, humans4d):
    assert humans4d("body", "fit", tmp_path / "nowhere.npz")[0] == EXIT_MISSING
    (tmp_path / "text.npz").write_text("vertices")
    np.save(tmp_path / "single.npy", JOINTS)
    np.savez(tmp_path / "objects.npz", joints_m=np.array([{}]))
    for name in ("text.npz", "single.npy", "objects.npz"):
        code, printed = humans4d("body", "fit", tmp_path / name)
        assert (code, ".npz file" in printed) == (EXIT_INPUT, True), printed

"""SMPLify against SPIN's official losses and optimiser, on a tiny made-up body."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from pipeline.body import BodyModel
from pipeline.camera import translation_least_squares
from pipeline.rotations import cross_matrix
from pipeline.smplify_in_loop import InLoopFit, InLoopProblem, fit_in_loop
from pipeline.smplify_prior import make_pose_prior
from pipeline.smplify_terms import angle_prior, geman_mcclure

FOCAL_PX = 5000.0
TINY = 1e-9
# fmt: off
# 49 points among the 24 joints, 21 vertices and 9 regressed points of a body, as SPIN picks them.
PICKED = (
    24, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
    8, 5, 45, 46, 4, 7, 21, 19, 17, 16, 18, 20, 47, 48, 49, 50, 51, 52, 53, 24, 26, 25, 28, 27,
)
# fmt: on
DATA_POINTS = slice(25, None)
"""All but OpenPose's."""
PRECISIONS = ((torch.float32, ""), (torch.float64, "_f64"))


def check_smplify(golden: GoldenFile) -> Iterator[Comparison]:
    """Body, every term, gradients, and whole runs; in float32 and in float64."""
    for dtype, ending in PRECISIONS:
        yield from _check_body(golden, dtype, ending)
        yield from _check_terms(golden, dtype, ending)
        yield from _check_gradients(golden, dtype, ending)
    yield _check_first_translation(golden)
    for name in ("run1", "run5", "run100"):
        for suffix in ("", "_pre0"):
            yield from _check_run(golden, torch.float32, f"{name}{suffix}", "")
            if f"{name}{suffix}_pose_f64" in golden.arrays:
                yield from _check_run(golden, torch.float64, f"{name}{suffix}", "_f64")


def _tensor(golden: GoldenFile, name: str, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(golden[name]).to(dtype)


def tiny_body(golden: GoldenFile, dtype: torch.dtype) -> BodyModel:
    """The made-up body of 96 vertices."""
    names = ("shapedirs", "posedirs", "J_regressor", "weights")
    return BodyModel(
        name="tiny",
        sha256="",
        v_template_m=_tensor(golden, "body_v_template", dtype),
        parents=tuple(int(parent) for parent in golden["body_parents"]),
        faces=np.zeros((0, 3), dtype=np.int32),
        **{name: _tensor(golden, f"body_{name}", dtype) for name in names},
    )


def official_rotmat(rotvec: Tensor) -> Tensor:
    """Rotations as SPIN makes them: it measures the angle 1e-8 aside, which float64 shows."""
    angle = (rotvec + 1e-8).norm(dim=-1)[..., None, None]
    cross = cross_matrix(rotvec) / angle
    eye = torch.eye(3, dtype=rotvec.dtype)
    return eye + torch.sin(angle) * cross + (1 - torch.cos(angle)) * (cross @ cross)


def problem_and_fit(
    golden: GoldenFile, dtype: torch.dtype
) -> tuple[InLoopProblem, InLoopFit, BodyModel]:
    """The four samples."""
    body = tiny_body(golden, dtype)
    regressor = _tensor(golden, "body_J_regressor_extra", dtype)
    picked = torch.from_numpy(golden["body_extra_vertex_ids"])

    def points(pose_rotvec: Tensor, betas: Tensor) -> Tensor:
        posed = body.with_shape(betas).with_pose(pose_rotmat=official_rotmat(pose_rotvec))
        vertices = posed.vertices()
        every = torch.cat([posed.joints_m, vertices[:, picked], regressor @ vertices], 1)
        return every[:, PICKED]

    K_px = torch.eye(3, dtype=dtype).repeat(4, 1, 1)
    K_px[:, 0, 0] = K_px[:, 1, 1] = FOCAL_PX
    K_px[:, :2, 2] = _tensor(golden, "camera_center", dtype)
    mixture = (golden[f"gmm_{name}"] for name in ("means", "covars", "weights"))
    prior = make_pose_prior(*mixture).to(dtype=dtype)
    problem = InLoopProblem(points, _tensor(golden, "keypoints_2d", dtype), K_px, prior)
    pose = _tensor(golden, "pose", dtype).unflatten(1, (24, 3))
    fit = InLoopFit(pose, _tensor(golden, "betas", dtype), _tensor(golden, "cam_t", dtype))
    return problem, fit, body


def _check_body(golden: GoldenFile, dtype: torch.dtype, ending: str) -> Iterator[Comparison]:
    problem, fit, body = problem_and_fit(golden, dtype)
    length_m, length_px = (1e-12, 1e-8) if ending else (2e-6, 2e-4)
    posed = body.with_shape(fit.betas).with_pose(pose_rotmat=official_rotmat(fit.pose_rotvec))
    points = problem.body_points(fit.pose_rotvec, fit.betas)
    yield golden.compare(f"vertices{ending}", posed.vertices(), length_m)
    yield golden.compare(f"model_joints{ending}", points, length_m)
    yield golden.compare(f"projected{ending}", problem.projected_px(fit), length_px)


def _check_terms(golden: GoldenFile, dtype: torch.dtype, ending: str) -> Iterator[Comparison]:
    problem, fit, _ = problem_and_fit(golden, dtype)
    terms, pose = problem.body_terms(fit), fit.pose_rotvec[:, 1:]
    errors_px = _tensor(golden, "gmof_x", dtype)
    energies = problem.prior.energies(pose.flatten(1))
    estimate = _tensor(golden, "cam_t_est", dtype)
    camera = problem.camera_terms(fit, estimate)
    loose, strict, exact = (1e-10, 1e-10, 1e-12) if ending else (2e-6, 1e-6, 1e-6)
    for name, found, tolerance in (
        ("gmof_y_sigma100", geman_mcclure(errors_px, problem.weights.robust_px), strict),
        ("total", terms.total, loose),
        ("term_reprojection", terms.reprojection.sum(1), loose),
        ("term_gmm", terms.pose_prior, loose),
        ("term_angle", terms.angle_prior, exact),
        ("term_shape", terms.shape_prior, exact),
        ("angle_prior_raw", angle_prior(pose), exact),
        ("gmm_raw_all_components", energies, loose),
        ("gmm_raw", problem.prior.energy(pose.flatten(1)), strict),
        ("camera_total", camera.total, loose),
        ("camera_reprojection", camera.reprojection, 1e-10 if ending else 3e-6),
    ):
        yield golden.compare(f"{name}{ending}", found, tolerance, relative_from=TINY)
    for name, found in (
        ("reprojection_per_joint", terms.reprojection),
        ("fitting_loss", problem.loss(fit)),
    ):
        yield _to_largest(golden, f"{name}{ending}", found, 1e-10 if ending else 1e-6)
    kept = problem.without_ignored().keypoints_px
    yield golden.compare("fitting_loss_keypoints_after", kept, 0)
    yield golden.compare("run_keypoints_after", kept, 0)


def _check_gradients(golden: GoldenFile, dtype: torch.dtype, ending: str) -> Iterator[Comparison]:
    problem, fit, _ = problem_and_fit(golden, dtype)
    unknowns = [fit.pose_rotvec.requires_grad_(), fit.betas.requires_grad_()]
    pose, betas = torch.autograd.grad(problem.body_terms(fit).total.sum(), unknowns)
    estimate = _tensor(golden, "cam_t_est", dtype)
    unknowns = [fit.pose_rotvec, fit.t_m.requires_grad_()]
    total = problem.camera_terms(fit, estimate).total.sum()
    camera_pose, camera_t = torch.autograd.grad(total, unknowns)
    body_part, camera_part = (1e-10, 1e-10) if ending else (2e-6, 3e-6)
    for name, found, tolerance in (
        ("body_global_orient", pose[:, 0], body_part),
        ("body_body_pose", pose[:, 1:].flatten(1), body_part),
        ("body_betas", betas, body_part),
        ("camera_global_orient", camera_pose[:, 0], camera_part),
        ("camera_cam_t", camera_t, camera_part),
    ):
        yield _to_largest(golden, f"grad_{name}{ending}", found, tolerance)


def _check_first_translation(golden: GoldenFile) -> Comparison:
    keypoints_px = golden["est_translation_kp"][:, DATA_POINTS].astype(np.float64)
    K_px = np.diag([FOCAL_PX, FOCAL_PX, 1.0])
    K_px[:2, 2] = golden["camera_center"][0]
    points_m = golden["est_translation_joints"][:, DATA_POINTS]
    seen_px, confidence = keypoints_px[..., :2], keypoints_px[..., 2]
    found = translation_least_squares(points_m, seen_px, confidence, K_px)
    return golden.compare("est_translation", found, 5e-5)


def _check_run(
    golden: GoldenFile, dtype: torch.dtype, name: str, ending: str
) -> Iterator[Comparison]:
    problem, start, _ = problem_and_fit(golden, dtype)
    if name.endswith("_pre0"):
        problem = problem.without_ignored()
    fit = fit_in_loop(problem, start, steps=int(name.removesuffix("_pre0").removeprefix("run")))
    yield golden.compare(f"{name}_pose{ending}", fit.pose_rotvec.flatten(1), 2e-5)
    yield golden.compare(f"{name}_betas{ending}", fit.betas, 2e-5)
    yield golden.compare(f"{name}_cam_t{ending}", fit.t_m, 5e-5)
    yield _to_largest(golden, f"{name}_reprojection{ending}", problem.loss(fit), 2e-6)
    if not name.endswith("_pre0"):
        joints = problem.body_points(fit.pose_rotvec, fit.betas)
        yield golden.compare(f"{name}_joints{ending}", joints, 3e-5)


def _to_largest(golden: GoldenFile, name: str, found: Tensor, tolerance: float) -> Comparison:
    """Differences relative to the largest number of the array."""
    expected = golden[name]
    largest = float(np.abs(expected).max())
    title = f"{golden.path.stem}: {name}"
    return compare(title, found.detach(), expected, tolerance, relative_from=largest)

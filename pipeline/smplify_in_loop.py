"""SMPLify as SPIN runs it in its training loop: one body, one picture, two stages of Adam."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.projection import project_points
from pipeline.smplify_prior import PosePrior
from pipeline.smplify_terms import (
    SPIN_WEIGHTS,
    BodyTerms,
    CameraTerms,
    SmplifyWeights,
    body_terms,
    camera_terms,
    reprojection,
)

STEPS, STEP_SIZE = 100, 1e-2
"""Published: steps of each stage, learning rate of Adam."""
# Of the 49 points: OpenPose's 25, then 24 of the data sets.
OPENPOSE_TORSO, DATA_TORSO = (9, 12, 2, 5), (27, 28, 33, 34)
"""Right hip, left hip, right shoulder, left shoulder."""
IGNORED = (1, 9, 12, 27, 28)
"""OpenPose's neck and hips, the data sets' hips: they mean other places than the body's."""

BodyPoints = Callable[[Float[Tensor, "n 24 3"], Float[Tensor, "n 10"]], Float[Tensor, "n 49 3"]]
"""The 49 points (metres) of bodies in a pose and shape, before their translation."""


@dataclass(frozen=True)
class InLoopFit:
    """Bodies and where they stand."""

    pose_rotvec: Float[Tensor, "n 24 3"]
    betas: Float[Tensor, "n 10"]
    t_m: Float[Tensor, "n 3"]


@dataclass(frozen=True)
class InLoopProblem:
    """What is fitted to what."""

    body_points: BodyPoints
    keypoints_px: Float[Tensor, "n 49 3"]
    """x, y in crop pixels, confidence."""
    K_px: Float[Tensor, "*#n 3 3"]
    prior: PosePrior
    weights: SmplifyWeights = SPIN_WEIGHTS

    def projected_px(self, fit: InLoopFit) -> Float[Tensor, "n 49 2"]:
        """The body's points in the picture."""
        points_m = self.body_points(fit.pose_rotvec, fit.betas) + fit.t_m[:, None]
        return project_points(points_m, self.K_px)

    def camera_terms(self, fit: InLoopFit, first_t_m: Tensor) -> CameraTerms:
        """Objective of the first stage, by OpenPose's torso where all four points are there."""
        openpose = self.keypoints_px[:, OPENPOSE_TORSO]
        complete = (openpose[..., 2] > 0).all(-1)[:, None, None]
        projected = self.projected_px(fit)
        found = torch.where(complete, projected[:, OPENPOSE_TORSO], projected[:, DATA_TORSO])
        seen = torch.where(complete, openpose, self.keypoints_px[:, DATA_TORSO])
        return camera_terms(found, seen[..., :2], fit.t_m, first_t_m, self.weights)

    def body_terms(self, fit: InLoopFit) -> BodyTerms:
        """Objective of the second stage; no point is left out here, see `without_ignored`."""
        pose = fit.pose_rotvec[:, 1:]
        projected = self.projected_px(fit)
        return body_terms(projected, self.keypoints_px, pose, fit.betas, self.prior, self.weights)

    def without_ignored(self) -> "InLoopProblem":
        """The same with the confidence of hips and neck at 0."""
        keypoints_px = self.keypoints_px.clone()
        keypoints_px[:, IGNORED, 2] = 0
        return InLoopProblem(self.body_points, keypoints_px, self.K_px, self.prior, self.weights)

    def loss(self, fit: InLoopFit) -> Float[Tensor, "n 49"]:
        """By which SPIN chooses between two fits: their robust reprojection, of every point."""
        kept = self.without_ignored()
        return reprojection(kept.projected_px(fit), kept.keypoints_px, self.weights.robust_px)


def fit_in_loop(problem: InLoopProblem, start: InLoopFit, steps: int = STEPS) -> InLoopFit:
    """Turn and place the bodies by their torsos, then fit pose and shape.

    In SPIN's training step the ignored points are already at confidence 0 when the first stage
    looks for OpenPose's torso, so that the data sets' torso is always used: give
    `problem.without_ignored()` for that.
    """
    root = start.pose_rotvec[:, :1].clone().requires_grad_()
    body = start.pose_rotvec[:, 1:].clone()
    t_m = start.t_m.clone().requires_grad_()

    def placed() -> Tensor:
        fit = InLoopFit(torch.cat([root, body], 1), start.betas, t_m)
        return problem.camera_terms(fit, start.t_m).total.sum()

    _descend(placed, [root, t_m], steps)
    t_m, betas = t_m.detach(), start.betas.clone().requires_grad_()
    body.requires_grad_()
    kept = problem.without_ignored()

    def fitted() -> Tensor:
        fit = InLoopFit(torch.cat([root, body], 1), betas, t_m)
        return kept.body_terms(fit).total.sum()

    _descend(fitted, [body, betas, root], steps)
    return InLoopFit(torch.cat([root, body], 1).detach(), betas.detach(), t_m)


def _descend(objective: Callable[[], Tensor], unknowns: list[Tensor], steps: int) -> None:
    adam = torch.optim.Adam(unknowns, lr=STEP_SIZE, betas=(0.9, 0.999))
    for _ in range(steps):
        adam.zero_grad()
        objective().backward()
        adam.step()

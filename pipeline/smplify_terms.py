"""SMPLify's objective, term by term, with the weights that SPIN publishes for it.

Bogo et al. 2016, "Keep it SMPL"; run in the loop by Kolotouros et al. 2019, "Learning to
Reconstruct 3D Human Pose and Shape via Model-fitting in the Loop" (SPIN). All on tensors, batched
over bodies, differentiable. Lengths of errors are pixels of a crop of 224 x 224, as published:
elsewhere, scale `SmplifyWeights.robust_px` with the size of the body in the picture.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.skeletons import SMPL24
from pipeline.smplify_prior import PosePrior


@dataclass(frozen=True)
class SmplifyWeights:
    """Published weights. Each is squared before it multiplies its term."""

    robust_px: float = 100.0
    """Errors much larger than this no longer pull (sigma of Geman-McClure)."""
    pose_prior: float = 4.78
    angle_prior: float = 15.2
    shape_prior: float = 5.0
    camera_depth: float = 100.0
    """Of metres by which the camera stage moves the body from its first depth."""


SPIN_WEIGHTS = SmplifyWeights()

ANGLE_OF_POSE = 0.317
"""SMPLify's angle prior weighs this much for each unit of its pose prior."""
SMPLIFY_ROUNDS = tuple(
    SmplifyWeights(pose_prior=pose, angle_prior=ANGLE_OF_POSE * pose, shape_prior=shape)
    for pose, shape in ((404.0, 100.0), (404.0, 50.0), (57.4, 10.0), (4.78, 5.0))
)
"""Bogo et al.'s rounds: first to the prior's poses, then to the picture."""


@dataclass(frozen=True)
class BodyTerms:
    """Weighted terms of the body stage, for each body."""

    reprojection: Float[Tensor, "*n k"]
    """For each point, px^2."""
    pose_prior: Float[Tensor, "*n"]
    angle_prior: Float[Tensor, "*n"]
    shape_prior: Float[Tensor, "*n"]

    @property
    def total(self) -> Float[Tensor, "*n"]:
        """The objective."""
        return self.reprojection.sum(-1) + self.pose_prior + self.angle_prior + self.shape_prior


@dataclass(frozen=True)
class CameraTerms:
    """Weighted terms of the camera stage, for each body."""

    reprojection: Float[Tensor, "*n"]
    """px^2"""
    depth: Float[Tensor, "*n"]

    @property
    def total(self) -> Float[Tensor, "*n"]:
        """The objective."""
        return self.reprojection + self.depth


def body_terms(
    projected_px: Float[Tensor, "*n k 2"],
    keypoints_px: Float[Tensor, "*n k 3"],
    body_pose_rotvec: Float[Tensor, "*n 23 3"],
    betas: Float[Tensor, "*n 10"],
    prior: PosePrior,
    weights: SmplifyWeights = SPIN_WEIGHTS,
) -> BodyTerms:
    """Terms of the body stage.

    Args:
        projected_px: Points of the body in the picture.
        keypoints_px: x, y, confidence of what was seen; confidence 0 ignores a point.
        body_pose_rotvec: Joints 1 to 23.
        betas: Shape.
        prior: Poses people take.
        weights: Published ones unless given.
    """
    return BodyTerms(
        reprojection(projected_px, keypoints_px, weights.robust_px),
        weights.pose_prior**2 * prior.energy(body_pose_rotvec.flatten(-2)),
        weights.angle_prior**2 * angle_prior(body_pose_rotvec).sum(-1),
        weights.shape_prior**2 * shape_prior(betas),
    )


def camera_terms(
    projected_px: Float[Tensor, "*n k 2"],
    seen_px: Float[Tensor, "*n k 2"],
    t_m: Float[Tensor, "*n 3"],
    first_t_m: Float[Tensor, "*n 3"],
    weights: SmplifyWeights = SPIN_WEIGHTS,
) -> CameraTerms:
    """Terms of the camera stage: hips and shoulders only, whatever their confidence."""
    squared = (projected_px - seen_px) ** 2
    depth = (t_m[..., 2] - first_t_m[..., 2]) ** 2
    return CameraTerms(squared.sum((-1, -2)), weights.camera_depth**2 * depth)


def reprojection(
    projected_px: Float[Tensor, "*n k 2"], keypoints_px: Float[Tensor, "*n k 3"], robust_px: float
) -> Float[Tensor, "*n k"]:
    """Robust squared distance in the picture, each point times its confidence squared."""
    error = geman_mcclure(projected_px - keypoints_px[..., :2], robust_px)
    return keypoints_px[..., 2] ** 2 * error.sum(-1)


def geman_mcclure(error: Float[Tensor, "*n"], scale: float) -> Float[Tensor, "*n"]:
    """Error squared where it is small against `scale`, never above `scale` squared."""
    squared = error**2
    return scale**2 * squared / (scale**2 + squared)


# Joints 1 to 23, axis, and the sign with which it bends the wrong way.
_HINGES = (
    ("left_elbow", 1, 1.0),
    ("right_elbow", 1, -1.0),
    ("left_knee", 0, -1.0),
    ("right_knee", 0, -1.0),
)
_JOINTS = [SMPL24.index(joint) - 1 for joint, _, _ in _HINGES]
_AXES = [axis for _, axis, _ in _HINGES]
_SIGNS = [sign for _, _, sign in _HINGES]


def angle_prior(body_pose_rotvec: Float[Tensor, "*n 23 3"]) -> Float[Tensor, "*n 4"]:
    """Exponential cost of elbows (left, right) and knees (left, right) bent the wrong way."""
    wrong = body_pose_rotvec[..., _JOINTS, _AXES] * body_pose_rotvec.new_tensor(_SIGNS)
    return torch.exp(wrong) ** 2


def shape_prior(betas: Float[Tensor, "*n 10"]) -> Float[Tensor, "*n"]:
    """Squared length of the shape coefficients."""
    return (betas**2).sum(-1)

"""Gradient and curvature (Gauss-Newton) of the objective, frame by frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.body_fit.jacobian import WAYS, BodyMotion, Moves
from pipeline.body_fit.losses import NEAREST_M, BodyState, FitTarget, FitWeights
from pipeline.projection import project_points
from pipeline.rotations import rotmat_to_rotvec

CHUNK_VALUES = 4_000_000
"""Derivatives held at a time: frames are taken in chunks."""


@dataclass(frozen=True)
class Normal:
    """Halves of the first and second derivatives by the 85 ways."""

    gradient: Float[Tensor, "t 85"]
    curvature: Float[Tensor, "t 85 85"]


def normal_equations(
    motion: BodyMotion, state: BodyState, target: FitTarget, weights: FitWeights
) -> Normal:
    """Of `fit_terms`, exact but for the curvature that vanishes with the residuals."""
    points = len(motion.rows) if target.vertices_m is not None else 24
    size = max(1, CHUNK_VALUES // (WAYS * 3 * points))
    chunks = [slice(start, start + size) for start in range(0, len(target), size)]
    parts = [_normal(motion, state.cut(c), target.cut(c), weights) for c in chunks]
    return Normal(
        torch.cat([part.gradient for part in parts]), torch.cat([part.curvature for part in parts])
    )


def _normal(motion: BodyMotion, state: BodyState, target: FitTarget, weights: FitWeights) -> Normal:
    gradient, curvature = _regularised(state, weights)
    vertices, joints, px = target.shares
    if target.vertices_m is not None and vertices is not None:
        moves = motion.vertices(state)
        away = (moves.points_m - target.vertices_m).mT
        _add(gradient, curvature, moves.by_way, away, weights.vertices * vertices)
    if joints is None and px is None:
        return Normal(gradient, curvature)
    moves = motion.joints(state)
    if target.joints_m is not None and joints is not None:
        away = (moves.points_m - target.joints_m).mT
        _add(gradient, curvature, moves.by_way, away, weights.joints * joints)
    if target.joints_px is not None and target.K_px is not None and px is not None:
        away = (project_points(moves.points_m, target.K_px, NEAREST_M) - target.joints_px).mT
        by_way = _in_picture(moves, target.K_px)
        _add(gradient, curvature, by_way, away, weights.px * px)
    return Normal(gradient, curvature)


def _regularised(state: BodyState, weights: FitWeights) -> tuple[Tensor, Tensor]:
    """Of shape and pose: the angle grows fastest along itself, whatever the rotation is."""
    angles = rotmat_to_rotvec(state.pose_rotmat[:, 1:]).flatten(1)
    nothing = angles.new_zeros(len(angles), 6)
    gradient = torch.cat([nothing, weights.pose * angles, weights.betas * state.betas], 1)
    diagonal = angles.new_zeros(WAYS)
    diagonal[6:75], diagonal[75:] = weights.pose, weights.betas
    return gradient, torch.diag(diagonal).repeat(len(angles), 1, 1)


def _add(gradient: Tensor, curvature: Tensor, by_way: Tensor, away: Tensor, share: Tensor) -> None:
    """Add a term: derivatives (t, 85, c, n), residuals (t, c, n), shares (t, n)."""
    root = share.sqrt()[:, None]
    scaled = (by_way * root[:, None]).flatten(2)
    residual = torch.where(root > 0, away * root, torch.zeros_like(away)).flatten(1)
    gradient += (scaled @ residual[..., None])[..., 0]
    curvature += scaled @ scaled.mT


def _in_picture(moves: Moves, K_px: Tensor) -> Tensor:
    """(t, 85, 2, n) pixels for each way to move."""
    depth_m = moves.points_m[..., 2].clamp_min(NEAREST_M)[:, None, None]
    free = (moves.points_m[..., 2] > NEAREST_M)[:, None, None]
    ray = moves.points_m[..., :2].mT[:, None] / depth_m
    shift = moves.by_way[:, :, :2] - ray * moves.by_way[:, :, 2:] * free
    return K_px[..., None, :2, :2] @ (shift / depth_m)

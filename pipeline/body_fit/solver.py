"""Levenberg-Marquardt on many bodies at once, each with its own shape or all with one.

Bodies with their own shapes are fitted each on its own: a step that helps one is taken by that
one. With one shape the frames are eliminated first (Schur complement), so that time grows with
their number, not with its cube.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.body_fit.jacobian import BodyMotion
from pipeline.body_fit.losses import BodyState, FitTarget, FitWeights, fit_terms
from pipeline.body_fit.normal import Normal, normal_equations
from pipeline.rotations import rotvec_to_rotmat

FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-9, 1e4
SMALLEST_CURVATURE = 1e-9
"""Square metres for a unit of any way to move: less is as good as free."""
CHUNK_FRAMES = 50
"""Frames posed at a time, so that memory does not grow with them."""
OWN = 75
"""Ways to move that are the frame's own; the rest is shape."""


@dataclass(frozen=True)
class Stop:
    """When to stop."""

    iterations: int = 50
    gain: float = 1e-4
    """A step that gains less than this share of the objective is the last."""


def minimise(
    motion: BodyMotion,
    start: BodyState,
    target: FitTarget,
    weights: FitWeights,
    *,
    one_shape: bool,
    stop: Stop,
) -> tuple[BodyState, int]:
    """Fit from a start; also how many steps were tried."""
    rows = motion.rows if target.vertices_m is not None else None

    def cost_of(state: BodyState) -> Tensor:
        chunks = [slice(n, n + CHUNK_FRAMES) for n in range(0, len(target), CHUNK_FRAMES)]
        cost = torch.cat(
            [
                fit_terms(motion.body, state.cut(c), target.cut(c), weights, rows).total
                for c in chunks
            ]
        )
        return cost.sum().expand(len(cost)) if one_shape else cost

    state, cost = start, cost_of(start)
    damping = torch.full_like(cost, FIRST_DAMPING)
    busy = torch.ones_like(cost, dtype=torch.bool)
    normal = normal_equations(motion, state, target, weights)
    for tried in range(1, stop.iterations + 1):
        step = _step(normal, damping, one_shape=one_shape)
        moved = _moved(state, step)
        moved_cost = cost_of(moved)
        better = busy & (moved_cost < cost)
        gain = torch.where(better, (cost - moved_cost) / cost, torch.inf)
        state, cost = _chosen(better, moved, state), torch.where(better, moved_cost, cost)
        damping = torch.where(better, damping / 5, damping * 10).clamp_min(LEAST_DAMPING)
        busy &= (gain > stop.gain) & (damping < MOST_DAMPING)
        if not busy.any():
            return state, tried
        if better.any():
            normal = normal_equations(motion, state, target, weights)
    return state, stop.iterations


def _step(normal: Normal, damping: Tensor, *, one_shape: bool) -> Tensor:
    diagonal = normal.curvature.diagonal(dim1=1, dim2=2) + SMALLEST_CURVATURE
    H = normal.curvature + torch.diag_embed(damping[:, None] * diagonal)
    if not one_shape:
        return _solve(H, -normal.gradient[..., None])[..., 0]
    border = H[:, :OWN, OWN:]
    right = torch.cat([-normal.gradient[:, :OWN, None], border], -1)
    solved = _solve(H[:, :OWN, :OWN], right)
    free, pulled = solved[..., :1], solved[..., 1:]
    corner = (H[:, OWN:, OWN:] - border.mT @ pulled).sum(0)
    wanted = (-normal.gradient[:, OWN:, None] - border.mT @ free).sum(0)
    shape = _solve(corner, wanted)
    own = (free - pulled @ shape)[..., 0]
    return torch.cat([own, shape.mT.expand(len(own), -1)], 1)


def _solve(H: Tensor, right: Tensor) -> Tensor:
    """Solve scaled to a diagonal of ones: metres, radians and betas differ by powers of ten."""
    scale = (H.diagonal(dim1=-2, dim2=-1) + SMALLEST_CURVATURE**2).rsqrt()
    scaled = H * scale[..., None] * scale[..., None, :]
    eye = LEAST_DAMPING * torch.eye(H.shape[-1]).to(H)
    return torch.linalg.solve(scaled + eye, right * scale[..., None]) * scale[..., None]


def _moved(state: BodyState, step: Tensor) -> BodyState:
    turn = rotvec_to_rotmat(step[:, 3:OWN].unflatten(1, (24, 3)))
    return BodyState(state.pose_rotmat @ turn, state.betas + step[:, OWN:], state.t_m + step[:, :3])


def _chosen(better: Tensor, moved: BodyState, state: BodyState) -> BodyState:
    return BodyState(
        torch.where(better[:, None, None, None], moved.pose_rotmat, state.pose_rotmat),
        torch.where(better[:, None], moved.betas, state.betas),
        torch.where(better[:, None], moved.t_m, state.t_m),
    )

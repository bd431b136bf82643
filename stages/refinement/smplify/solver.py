"""Levenberg-Marquardt on many frames at once.

Every frame has its own unknowns. Smoothness couples a frame with the next two, so the normal
equations form a narrow band; what stays the same over the sequence (the build) couples with every
frame, so it is eliminated frame by frame. Either way a step costs time and memory in proportion to
the number of frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stages.refinement.smplify.band import solve_band
from stages.refinement.smplify.chain import Motion
from stages.refinement.smplify.normal import Normal
from stages.refinement.smplify.smoothness import Smoothness
from stages.refinement.smplify.terms import FrameTerms

FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-7, 1e6
SMALLEST_CURVATURE = 1e-3
TOLERANCE = 1e-3
"""A step that gains less than this share of the cost is the last."""


@dataclass(frozen=True)
class Fitted:
    """Outcome of a fit."""

    motion: Motion
    cost: float
    converged: bool
    """False if the iterations ran out first."""


@dataclass(frozen=True)
class _Step:
    frames: Tensor
    """(t, d)"""
    build: Tensor
    """(28,)"""


def fit_motion(
    start: Motion, terms: FrameTerms, smoothness: Smoothness | None, iterations: int
) -> Fitted:
    """Fit pose and place of consecutive frames; the build stays."""

    def cost(motion: Motion) -> float:
        smooth = float(smoothness.cost(motion)) if smoothness is not None else 0.0
        return float(terms.cost(motion).sum()) + smooth

    def step(normal: Normal, motion: Motion, damping: float) -> _Step:
        gradient = normal.g if smoothness is None else normal.g + smoothness.gradient(motion)
        if smoothness is None:
            apart = [torch.zeros_like(gradient[k:]) for k in range(3)]
        else:
            apart = smoothness.diagonals(len(gradient))
        curvature = normal.H.diagonal(dim1=1, dim2=2) + apart[0]
        H = normal.H + torch.diag_embed(apart[0] + _damping(curvature, damping))
        solved = solve_band(H, apart[1], apart[2], -gradient)
        # Where rounding spoils the equations nothing moves, and the next try is damped more.
        frames = torch.zeros_like(gradient) if solved is None else solved
        return _Step(frames, torch.zeros_like(motion.build))

    return _minimise(start, terms, cost, step, with_build=False, iterations=iterations)


def fit_build(start: Motion, terms: FrameTerms, iterations: int) -> Fitted:
    """Fit the build together with pose and place of frames that stand each on its own."""

    def cost(motion: Motion) -> float:
        return float(terms.cost(motion).sum())

    def step(normal: Normal, motion: Motion, damping: float) -> _Step:
        assert normal.Hb is not None
        H = normal.H + torch.diag_embed(_damping(normal.H.diagonal(dim1=1, dim2=2), damping))
        solved = torch.linalg.solve(H, torch.cat([-normal.g[..., None], normal.Hb], -1))
        free, pulled = solved[..., 0], solved[..., 1:]
        corner = normal.Hbb + torch.diag(_damping(normal.Hbb.diagonal(), damping))
        corner = corner - torch.einsum("tda,tdb->ab", normal.Hb, pulled)
        right = -normal.gb - torch.einsum("tda,td->a", normal.Hb, free)
        build = torch.linalg.solve(corner, right)
        return _Step(free - pulled @ build, build)

    return _minimise(start, terms, cost, step, with_build=True, iterations=iterations)


def _minimise(
    start: Motion,
    terms: FrameTerms,
    cost_of: Callable[[Motion], float],
    step_of: Callable[[Normal, Motion, float], _Step],
    *,
    with_build: bool,
    iterations: int,
) -> Fitted:
    motion, cost, damping = start, cost_of(start), FIRST_DAMPING
    normal = terms(motion, with_build)
    for _ in range(iterations):
        step = step_of(normal, motion, damping)
        moved = motion.moved(step.frames, step.build, terms.chain.dofs)
        moved_cost = cost_of(moved)
        if not moved_cost < cost:
            damping *= 10
            if damping > MOST_DAMPING:
                return Fitted(motion, cost, True)
            continue
        gain, motion, cost = (cost - moved_cost) / cost, moved, moved_cost
        if gain < TOLERANCE:
            return Fitted(motion, cost, True)
        damping = max(damping / 5, LEAST_DAMPING)
        normal = terms(motion, with_build)
    return Fitted(motion, cost, False)


def _damping(curvature: Tensor, damping: float) -> Tensor:
    return damping * (curvature + SMALLEST_CURVATURE) + LEAST_DAMPING

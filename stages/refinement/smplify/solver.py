"""Levenberg-Marquardt on many frames at once.

Every frame has its own unknowns. Smoothness couples a frame with the next two, so the normal
equations form a narrow band; what stays the same over the sequence (the build) couples with every
frame, so it is eliminated frame by frame. Either way a step costs time and memory in proportion to
the number of frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import LinAlgError, solveh_banded
from torch import Tensor

from stages.refinement.smplify.chain import Motion
from stages.refinement.smplify.terms import FrameTerms, Normal, Smoothness

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
        solved = _solve_band(_band(normal.H, smoothness, damping), -gradient.flatten().numpy())
        return _Step(torch.from_numpy(solved).view_as(gradient), torch.zeros_like(motion.build))

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


def _band(H: Tensor, smoothness: Smoothness | None, damping: float) -> np.ndarray:
    """Upper band storage of LAPACK: band[u + i - j, j] holds entry (i, j)."""
    frames, d, _ = H.shape
    u = 2 * d if smoothness is not None else d - 1
    band = np.zeros((u + 1, frames, d))
    i, j = np.triu_indices(d)
    band[u + i - j, :, j] = H.numpy()[:, i, j].T
    if smoothness is not None:
        for apart, diagonal in enumerate(smoothness.diagonals(frames)):
            band[u - apart * d, apart:] += diagonal.numpy()
    band[u] += _damping(torch.from_numpy(band[u]), damping).numpy()
    return band.reshape(u + 1, frames * d)


def _solve_band(band: np.ndarray, right: np.ndarray) -> np.ndarray:
    try:
        return solveh_banded(band, right, overwrite_ab=True, check_finite=False)
    except LinAlgError:  # not positive definite to rounding: the next, more damped step will be
        return np.zeros_like(right)

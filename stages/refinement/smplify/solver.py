"""Levenberg-Marquardt over a whole sequence at once.

Every frame has its own unknowns, smoothness couples a frame with the next two: the normal
equations form a narrow band, so a step costs time and memory in proportion to the frames. Shape
is a border of a few columns around the band.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import LinAlgError, solveh_banded
from torch import Tensor

from stages.refinement.smplify.chain import Motion
from stages.refinement.smplify.terms import FrameTerms, Normal, Smoothness

FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-7, 1e6


@dataclass(frozen=True)
class Fitted:
    """Outcome of a fit."""

    motion: Motion
    cost: float
    iterations: int
    converged: bool
    """False if the iterations ran out first."""


def minimise(
    start: Motion,
    frame_terms: FrameTerms,
    smoothness: Smoothness | None,
    *,
    with_build: bool,
    iterations: int,
    tolerance: float = 1e-4,
) -> Fitted:
    """Lower the cost until a step gains less than `tolerance` of it."""
    dofs = frame_terms.chain.dofs

    def total(motion: Motion) -> float:
        smooth = smoothness.cost(motion) if smoothness else torch.zeros(())
        return float(frame_terms.cost(motion).sum() + smooth)

    motion, cost, damping, done = start, total(start), FIRST_DAMPING, 0
    normal = frame_terms(motion, with_build)
    while done < iterations and damping < MOST_DAMPING:
        done += 1
        step, build_step = _step(normal, motion, smoothness, damping)
        moved = motion.moved(step, build_step, dofs)
        moved_cost = total(moved)
        if not moved_cost < cost:
            damping = max(damping, LEAST_DAMPING) * 10
            continue
        gain, motion, cost = (cost - moved_cost) / cost, moved, moved_cost
        damping = max(damping / 5, LEAST_DAMPING)
        if gain < tolerance:
            return Fitted(motion, cost, done, True)
        normal = frame_terms(motion, with_build)
    return Fitted(motion, cost, done, damping >= MOST_DAMPING)


def _step(
    normal: Normal, motion: Motion, smoothness: Smoothness | None, damping: float
) -> tuple[Tensor, Tensor]:
    frames, d = normal.g.shape
    gradient, band = normal.g, _band(normal.H, smoothness, damping)
    if smoothness is not None:
        gradient = gradient + smoothness.gradient(motion)
    right = -gradient.reshape(-1, 1).numpy()
    if normal.Hb is None:
        return torch.from_numpy(_solve(band, right)).view(frames, d), torch.zeros_like(normal.gb)
    border = normal.Hb.reshape(frames * d, -1).numpy()
    solved = _solve(band, np.concatenate([right, border], axis=1))
    free, pulled = solved[:, :1], solved[:, 1:]
    corner = normal.Hbb.numpy() * (1 + damping * np.eye(len(normal.gb))) - border.T @ pulled
    build_step = np.linalg.solve(corner, -normal.gb.numpy()[:, None] - border.T @ free)
    step = torch.from_numpy(free - pulled @ build_step).view(frames, d)
    return step, torch.from_numpy(build_step[:, 0])


def _solve(band: np.ndarray, right: np.ndarray) -> np.ndarray:
    try:
        return solveh_banded(band, right, check_finite=False)
    except LinAlgError:  # not positive definite to rounding: a step too small to matter
        return np.zeros_like(right)


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
    band[u] += damping * (band[u] + 1e-3) + 1e-9
    return band.reshape(u + 1, frames * d)

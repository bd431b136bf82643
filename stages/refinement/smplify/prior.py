"""Poses people take, as a term of the fit: the best component of a mixture of Gaussians.

SMPLify's prior (Bogo et al. 2016, eq. 5) over the ways to move of `Dofs`: -log of the component
that says least, a square that suits Gauss-Newton. Trained by `train_prior`.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.rotations import rotvec_by_turn
from pipeline.smplify_prior import PRIOR_PATH
from stages.refinement.smplify.dofs import Dofs
from stages.refinement.smplify.normal import Normal

TURNS = 3
"""The first ways to turn are those of the pelvis, which the prior leaves alone."""


@dataclass(frozen=True)
class DofPrior:
    """Components over the p ways to move but place and pelvis."""

    means_rad: Float[Tensor, "c p"]
    roots: Float[Tensor, "c p p"]
    """Precision = root @ root.T, so that |root.T (x - mean)|^2 is the Mahalanobis distance."""
    offsets: Float[Tensor, " c"]
    """What a component costs at its mean; 0 for the best."""

    def residuals(self, angles_rad: Float[Tensor, "t p"]) -> Float[Tensor, "t c p"]:
        """Of every component; its square plus the offset is -2 log of its share, but a constant."""
        away = angles_rad[None] - self.means_rad[:, None]
        return (away @ self.roots).transpose(0, 1)

    def best(self, angles_rad: Float[Tensor, "t p"]) -> "Best":
        """The component that costs least."""
        residuals = self.residuals(angles_rad)
        costs = residuals.square().sum(-1) + self.offsets
        cost, component = costs.min(1)
        return Best(residuals[torch.arange(len(cost)), component], component, cost)


@dataclass(frozen=True)
class Best:
    """Of every frame."""

    residual: Float[Tensor, "t p"]
    component: Int64[Tensor, " t"]
    cost: Float[Tensor, " t"]


def make_dof_prior(means_rad: np.ndarray, covars: np.ndarray, weights: np.ndarray) -> DofPrior:
    """The prior of a mixture, in float64."""
    spread = torch.from_numpy(np.asarray(covars, dtype=np.float64))
    roots = torch.linalg.cholesky(torch.linalg.inv(spread))
    log_root = roots.diagonal(dim1=1, dim2=2).log().sum(1)
    shares = torch.from_numpy(np.asarray(weights, dtype=np.float64))
    offsets = -2 * (shares.log() + log_root)
    means = torch.from_numpy(np.asarray(means_rad, dtype=np.float64))
    return DofPrior(means, roots, offsets - offsets.min())


@cache
def shipped_dof_prior() -> DofPrior:
    """The prior that comes with the project."""
    with np.load(PRIOR_PATH, allow_pickle=False) as file:
        return make_dof_prior(*(file[f"dof_{key}"] for key in ("means", "covars", "weights")))


class PriorTerm:
    """The prior on every frame of a motion."""

    def __init__(self, prior: DofPrior, dofs: Dofs, weight: Tensor) -> None:
        self.prior, self.dofs, self.weight = prior, dofs, weight

    def cost(self, rotvec: Tensor) -> Tensor:
        """Of every frame (t,), at joint rotations (t, 24, 3)."""
        angles_rad = self.dofs.angles_rad(rotvec)
        return self.weight * self.prior.best(angles_rad[:, TURNS:]).cost

    def add(self, normal: Normal, rotvec: Tensor) -> None:
        """To the normal equations, with the true derivative of the angles."""
        best = self.prior.best(self.dofs.angles_rad(rotvec)[:, TURNS:])
        by_step = self.dofs.angles_by_step(rotvec_by_turn(rotvec))[:, TURNS:, TURNS:]
        J = by_step.mT @ self.prior.roots[best.component]
        J *= self.weight.sqrt()[:, None, None]
        residual = best.residual * self.weight.sqrt()[:, None]
        first = 3 + TURNS
        normal.H[:, first:, first:] += J @ J.mT
        normal.g[:, first:] += (J @ residual[..., None])[..., 0]
        normal.cost += self.weight * best.cost

"""A mixture of Gaussians fitted by expectation-maximisation; used in training only."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

NEAREST_MEANS_ROUNDS = 20
SMALLEST_COUNT = 1e-9


@dataclass(frozen=True)
class Mixture:
    """Densities of c components over d numbers."""

    means: Float[Tensor, "c d"]
    covars: Float[Tensor, "c d d"]
    weights: Float[Tensor, " c"]

    def component_log_density(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Logarithm of weight times density of every component."""
        root = torch.linalg.cholesky(self.covars)
        away = (x[None] - self.means[:, None]).mT
        squared = torch.linalg.solve_triangular(root, away, upper=False).square().sum(1)
        log_det = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)
        size = x.shape[1] * math.log(2 * math.pi) + log_det
        return self.weights.log() - 0.5 * (squared + size[:, None]).mT

    def log_density(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Of the whole mixture."""
        return self.component_log_density(x).logsumexp(1)


def fit_mixture(
    x: Float[Tensor, "n d"],
    sample_weight: Float[Tensor, " n"],
    components: int,
    floor: float,
    iterations: int,
    seed: int,
) -> Mixture:
    """Weighted EM from k-means (started as k-means++).

    Args:
        x: samples.
        sample_weight: how much each counts.
        components: how many Gaussians.
        floor: standard deviation added to every direction, so that none gets flat.
        iterations: of EM.
        seed: of the start.
    """
    rng = torch.Generator().manual_seed(seed)
    nearest = _k_means(x, sample_weight, components, rng)
    share = torch.nn.functional.one_hot(nearest, components).to(x)
    mixture = _fitted(x, share * sample_weight[:, None], floor)
    for _ in range(iterations):
        logs = mixture.component_log_density(x)
        share = (logs - logs.logsumexp(1, keepdim=True)).exp()
        mixture = _fitted(x, share * sample_weight[:, None], floor)
    return mixture


def _fitted(x: Tensor, share: Tensor, floor: float) -> Mixture:
    counts = share.sum(0).clamp_min(SMALLEST_COUNT)
    means = share.mT @ x / counts[:, None]
    covars = []
    for k, count in enumerate(counts):
        away = x - means[k]
        covars.append((away * share[:, k : k + 1]).mT @ away / count)
    widened = torch.stack(covars) + floor**2 * torch.eye(x.shape[1], dtype=x.dtype)
    return Mixture(means, widened, counts / counts.sum())


def _k_means(x: Tensor, weight: Tensor, components: int, rng: torch.Generator) -> Tensor:
    """(n,) the cluster of every sample."""
    means = x[torch.multinomial(weight, 1, generator=rng)]
    while len(means) < components:
        far = _squared(x, means).amin(1).clamp_min(0) * weight
        means = torch.cat([means, x[torch.multinomial(far, 1, generator=rng)]])
    for _ in range(NEAREST_MEANS_ROUNDS):
        share = torch.nn.functional.one_hot(_squared(x, means).argmin(1), components).to(x)
        share = share * weight[:, None]
        filled = share.sum(0) > 0
        found = share.mT @ x / share.sum(0).clamp_min(SMALLEST_COUNT)[:, None]
        means = torch.where(filled[:, None], found, means)
    return _squared(x, means).argmin(1)


def _squared(x: Tensor, means: Tensor) -> Tensor:
    return x.square().sum(1, keepdim=True) - 2 * x @ means.mT + means.square().sum(1)

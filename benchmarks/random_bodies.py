"""Bodies posed at random within human limits: every joint, any facing, any of a range of shapes."""

import torch

from pipeline.body_fit import BodyState
from pipeline.rotations import rotvec_to_rotmat
from stages.refinement.smplify.dofs import make_dofs

LOOSE_DEG = 8.0
"""Every axis of every joint is also turned by up to this much, those without a range of their own
(toes, hands) included."""


def random_bodies(count: int, seed: int, *, spread_betas: float = 1.0) -> BodyState:
    """Poses uniform over the ranges of the joints, roots uniform over all rotations; float64."""
    rng, dofs = torch.Generator().manual_seed(seed), make_dofs()

    def uniform(*size: int) -> torch.Tensor:
        return 2 * torch.rand(*size, generator=rng, dtype=torch.float64) - 1

    low, high = dofs.low_rad[3:], dofs.high_rad[3:]
    ways = (low + high) / 2 + (high - low) / 2 * uniform(count, len(low))
    pose = dofs.local_turns(torch.cat([torch.zeros(count, 3, dtype=torch.float64), ways], 1))
    pose = pose + torch.deg2rad(torch.tensor(LOOSE_DEG)) * uniform(count, 24, 3)
    rotmat = rotvec_to_rotmat(pose)
    rotmat[:, 0] = torch.linalg.qr(torch.randn(count, 3, 3, generator=rng, dtype=torch.float64))[0]
    rotmat[:, 0] *= torch.linalg.det(rotmat[:, 0])[:, None, None]
    betas = spread_betas * torch.randn(count, 10, generator=rng, dtype=torch.float64)
    return BodyState(rotmat, betas, 2 * uniform(count, 3) + betas.new_tensor([0, 0, 5]))

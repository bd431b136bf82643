"""Acceleration of every way to move, as a term of the fit."""

import torch
from torch import Tensor

from pipeline.rotations import rotmat_to_rotvec
from stages.refinement.smplify.chain import Chain, Motion
from stages.refinement.smplify.observed import REFERENCE_FPS
from stages.refinement.smplify.weights import Weights


class Smoothness:
    """Acceleration of every way to move, over uneven frame times: second differences.

    Steps of neighbouring frames add to the residual as they are, which neglects how little a
    joint turns from frame to frame.
    """

    def __init__(self, chain: Chain, time_s: Tensor, weights: Weights) -> None:
        self.dofs = chain.dofs
        step_s = torch.diff(time_s)
        middle_s = (step_s[1:] + step_s[:-1]) / 2
        before, after = 1 / (step_s[:-1] * middle_s), 1 / (step_s[1:] * middle_s)
        self.stencil = torch.stack([before, -before - after, after])
        """(3, t - 2) how much three neighbouring frames add to an acceleration."""
        spread = torch.full((self.dofs.count,), weights.rotation_accel_rad_s2, dtype=torch.float64)
        spread[:3] = weights.place_accel_m_s2
        self.weight = middle_s[:, None] * REFERENCE_FPS / spread**2
        self.step_s, self.middle_s = step_s[:, None], middle_s[:, None]

    def acceleration(self, motion: Motion) -> Tensor:
        """(t - 2, d) in m/s2 and rad/s2."""
        turn = rotmat_to_rotvec(motion.local_rotmat[:-1].mT @ motion.local_rotmat[1:])
        steps = torch.cat([torch.diff(motion.t_m, dim=0), self.dofs.angles_rad(turn)], 1)
        return torch.diff(steps / self.step_s, dim=0) / self.middle_s

    def cost(self, motion: Motion) -> Tensor:
        """Sum over the sequence."""
        return (self.weight * self.acceleration(motion) ** 2).sum()

    def gradient(self, motion: Motion) -> Tensor:
        """(t, d) derivative of half the cost."""
        pull = self.weight * self.acceleration(motion)
        gradient = torch.zeros((len(motion.t_m), self.dofs.count), dtype=torch.float64)
        for k in range(3):
            gradient[k : k + len(pull)] += self.stencil[k][:, None] * pull
        return gradient

    def diagonals(self, frames: int) -> list[Tensor]:
        """Curvature between frames 0, 1 and 2 apart: (t, d), (t - 1, d), (t - 2, d)."""
        out = []
        for apart in range(3):
            total = torch.zeros((frames - apart, self.dofs.count), dtype=torch.float64)
            for k in range(3 - apart):
                product = (self.stencil[k] * self.stencil[k + apart])[:, None] * self.weight
                total[k : k + len(product)] += product
            out.append(total)
        return out

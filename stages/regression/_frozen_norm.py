"""Batch normalisation that only applies what training measured."""

import torch
from torch import Tensor, nn
from torch.nn import functional

EPS = 1e-5


class FrozenBatchNorm(nn.Module):
    """PyTorch's names for the four vectors; no counter of batches, which inference never needs."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of (b, c, h, w)."""
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, eps=EPS
        )

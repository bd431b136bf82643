"""Linear layers as TensorFlow stores them."""

import torch
from torch import Tensor, nn


class Dense(nn.Module):
    """A linear layer in TensorFlow's layout, inputs first."""

    def __init__(self, size_in: int, size_out: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.empty(size_in, size_out))
        self.biases = nn.Parameter(torch.empty(size_out))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply and add."""
        return torch.addmm(self.biases, x, self.weights)

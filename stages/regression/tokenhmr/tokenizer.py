"""The tokenizer's second half: mixtures of its codes to a pose.

Its first half (poses to codes) serves training alone. Attribute names are `tokenizer.pth`'s.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.regression._full_precision import full_precision
from stages.regression.tokenhmr.sizes import TokenizerSizes

BODY_JOINT_COUNT = 21
"""SMPL's joints 1 to 21: all but root and hands."""
RESAMPLINGS = 4
DILATIONS = (3, 1)


def lengths(token_count: int) -> list[int]:
    """How many steps the sequence has after each resampling, from the tokens' to the joints'."""
    steps = np.linspace(BODY_JOINT_COUNT, token_count, RESAMPLINGS, endpoint=False)
    return [int(step) for step in reversed(steps)]


class ResidualBlock(nn.Module):
    """ReLU before either convolution, no norm."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv1d(width, width, 1)

    def forward(self, steps: Float[Tensor, "b w n"]) -> Float[Tensor, "b w n"]:
        """Added to what came in."""
        return steps + self.conv2(self.conv1(steps.relu()).relu())


class Residual(nn.Module):
    """The blocks, one after the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.model = nn.Sequential(*(ResidualBlock(width, dilation) for dilation in DILATIONS))

    def forward(self, steps: Float[Tensor, "b w n"]) -> Float[Tensor, "b w n"]:
        """From the widest view to the narrowest."""
        return self.model(steps)


def _near(width_in: int, width_out: int) -> nn.Conv1d:
    return nn.Conv1d(width_in, width_out, 3, padding=1)


class PoseDecoder(nn.Module):
    """A sequence of codes, resampled step by step to one entry per joint."""

    def __init__(self, sizes: TokenizerSizes, token_count: int) -> None:
        super().__init__()
        width = sizes.width
        layers: list[nn.Module] = [_near(sizes.code_width, width), nn.ReLU()]
        for length in lengths(token_count):
            layers += [nn.Upsample(length, mode="nearest"), _near(width, width), nn.ReLU()]
        layers += [nn.Sequential(Residual(width), _near(width, width)), _near(width, 6)]
        self.decoder = nn.Sequential(*layers)

    def forward(self, codes: Float[Tensor, "b c n"]) -> Float[Tensor, "b 21 6"]:
        """Two rows of each joint's rotation."""
        return self.decoder(codes).mT


class Quantizer(nn.Module):
    """The codes."""

    codebook: Tensor

    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.empty(sizes.code_count, sizes.code_width))


class Tokenizer(nn.Module):
    """Distributions over codes to a pose."""

    def __init__(self, sizes: TokenizerSizes, token_count: int) -> None:
        super().__init__()
        self.quantizer = Quantizer(sizes)
        self.decoder = PoseDecoder(sizes, token_count)

    def forward(self, probabilities: Float[Tensor, "b n codes"]) -> Float[Tensor, "b 21 6"]:
        """Each token is the mean of all codes, weighted by their probabilities."""
        with full_precision():
            return self.decoder((probabilities @ self.quantizer.codebook).mT)

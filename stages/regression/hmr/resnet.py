"""The pre-activation ResNet-50 of TF-slim (He et al. 2016, "Identity Mappings"), as HMR uses it.

It differs from the usual ResNet-50 in ways that the weights depend on: the first convolution has a
bias and no normalisation, the stride is in the last unit of a block, the pool pads right and below
only. Names are those of the TensorFlow checkpoint with dots for slashes.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = ((64, 3, 2), (128, 4, 2), (256, 6, 2), (512, 3, 1))
"""Width, number of units, stride of the last unit."""
STEM_CHANNELS = 64
EXPANSION = 4
FEATURE_SIZE = 2048
NORM_EPS = 1e-5


class Convolution(nn.Module):
    """A square kernel, zeros around; TensorFlow's fixed padding and SAME are the same here."""

    def __init__(
        self, channels_in: int, channels_out: int, size: int, stride: int = 1, *, bias: bool
    ) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.empty(channels_out, channels_in, size, size))
        self.biases = nn.Parameter(torch.empty(channels_out)) if bias else None
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        padding = self.weights.shape[-1] // 2
        return functional.conv2d(x, self.weights, self.biases, self.stride, padding)


class Norm(nn.Module):
    """Batch normalisation by what training measured, and ReLU."""

    moving_mean: Tensor
    moving_variance: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.empty(channels))
        self.gamma = nn.Parameter(torch.empty(channels))
        self.register_buffer("moving_mean", torch.empty(channels))
        self.register_buffer("moving_variance", torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of (b, c, h, w), cut below zero."""
        normed = functional.batch_norm(
            x, self.moving_mean, self.moving_variance, self.gamma, self.beta, eps=NORM_EPS
        )
        return functional.relu(normed)


class NormedConvolution(Convolution):
    """Without bias, normalised after."""

    def __init__(self, channels_in: int, channels_out: int, size: int, stride: int = 1) -> None:
        super().__init__(channels_in, channels_out, size, stride, bias=False)
        self.BatchNorm = Norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, cut below zero."""
        return self.BatchNorm(super().forward(x))


class Bottleneck(nn.Module):
    """Normalise first; 1x1, 3x3, 1x1 beside a shortcut; nothing after the sum."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = EXPANSION * width
        self.stride = stride
        self.preact = Norm(channels_in)
        self.shortcut = None
        if channels_in != channels_out:
            self.shortcut = Convolution(channels_in, channels_out, 1, stride, bias=True)
        self.conv1 = NormedConvolution(channels_in, width, 1)
        self.conv2 = NormedConvolution(width, width, 3, stride)
        self.conv3 = Convolution(width, channels_out, 1, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """A shortcut that changes the depth sees the normalised input, another the input itself."""
        normed = self.preact(x)
        if self.shortcut is None:
            shortcut = x[:, :, :: self.stride, :: self.stride]
        else:
            shortcut = self.shortcut(normed)
        return shortcut + self.conv3(self.conv2(self.conv1(normed)))


class Unit(nn.Module):
    """The level that TF-slim puts into names."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.bottleneck_v2 = Bottleneck(channels_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """The bottleneck."""
        return self.bottleneck_v2(x)


class ResNet50V2(nn.Module):
    """Images to a feature vector each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Convolution(3, STEM_CHANNELS, 7, 2, bias=True)
        channels = STEM_CHANNELS
        for number, (width, unit_count, last_stride) in enumerate(BLOCKS, start=1):
            block = nn.Sequential()
            for unit in range(1, unit_count + 1):
                stride = last_stride if unit == unit_count else 1
                block.add_module(f"unit_{unit}", Unit(channels, width, stride))
                channels = EXPANSION * width
            self.add_module(f"block{number}", block)
        self.postnorm = Norm(FEATURE_SIZE)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2048"]:
        """The last layer's mean over the picture."""
        x = pooled(self.conv1(images))
        for number in range(1, len(BLOCKS) + 1):
            x = self.get_submodule(f"block{number}")(x)
        return self.postnorm(x).mean(dim=(2, 3))


def pooled(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c y x"]:
    """Largest of 3x3 at every second place; for even sizes SAME pads right and below only."""
    padded = functional.pad(x, (0, 1, 0, 1), value=float("-inf"))
    return functional.max_pool2d(padded, 3, stride=2)

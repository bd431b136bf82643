"""ResNet-50 (He et al. 2015) with the stride on the 3x3 convolution, under torchvision's names."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from stages.regression._frozen_norm import FrozenBatchNorm

UNITS = (3, 4, 6, 3)
STEM_CHANNELS = 64
EXPANSION = 4
FEATURE_SIZE = 2048


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 beside a shortcut."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = EXPANSION * width
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = FrozenBatchNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm(width)
        self.conv3 = nn.Conv2d(width, channels_out, 1, bias=False)
        self.bn3 = FrozenBatchNorm(channels_out)
        self.downsample = None
        if stride > 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False),
                FrozenBatchNorm(channels_out),
            )

    def forward(self, x: Tensor) -> Tensor:
        """ReLU between, and after the sum."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet50(nn.Module):
    """Images to a feature vector each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM_CHANNELS, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm(STEM_CHANNELS)
        channels = STEM_CHANNELS
        for number, unit_count in enumerate(UNITS, start=1):
            width = STEM_CHANNELS * 2 ** (number - 1)
            layer = nn.Sequential()
            for unit in range(unit_count):
                stride = 2 if unit == 0 and number > 1 else 1
                layer.append(Bottleneck(channels, width, stride))
                channels = EXPANSION * width
            self.add_module(f"layer{number}", layer)

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2048"]:
        """The last layer's mean over the picture."""
        x = functional.relu(self.bn1(self.conv1(images)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        for number in range(1, len(UNITS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=(2, 3))

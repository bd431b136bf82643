"""PHALP's appearance encoder: a texture of the body's surface to 4096 numbers."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn import functional

from stages.tracking.phalp.cost import APPEARANCE_UNIT, TEXTURE_FACTOR
from stages.tracking.phalp.textures import jointly_masked

CONVOLUTIONS = {
    "conv1x": (4, 16),
    "conv2": (16, 64),
    "conv3": (64, 128),
    "conv4": (128, 256),
    "conv5": (256, 256),
    "conv5_1": (256, 16),
}
POOLED = 4
"""The first four halve the picture."""
BATCH = 16


class AppearanceEncoder(nn.Module):
    """Six convolutions under their official names."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding_head = nn.ModuleDict(
            {name: nn.Conv2d(*sizes, 3, padding=1) for name, sizes in CONVOLUTIONS.items()}
        )

    def forward(self, textures: Float[Tensor, "b 4 256 256"]) -> Float[Tensor, "b 4096"]:
        """ReLU after each, pooling after the first four."""
        x = textures
        for number, layer in enumerate(self.encoding_head.values()):
            x = functional.relu(layer(x))
            if number < POOLED:
                x = functional.max_pool2d(x, 2)
        return x.flatten(1)


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes that an official checkpoint must bring."""
    with torch.device("meta"):
        return {n: tuple(t.shape) for n, t in AppearanceEncoder().state_dict().items()}


def encoder_with(tensors: Mapping[str, Tensor]) -> AppearanceEncoder:
    """The network around these tensors."""
    with torch.device("meta"):
        network = AppearanceEncoder().eval().requires_grad_(False)
    network.load_state_dict(dict(tensors), strict=True, assign=True)
    return network


@torch.inference_mode()
def texture_distances(
    encoder: AppearanceEncoder,
    tracks: Float[Tensor, "m 4 256 256"],
    detections: Float[Tensor, "d 4 256 256"],
) -> Float64[np.ndarray, "m d"]:
    """Distance of every track's from every detection's texture, where both were seen (`TPL`)."""
    rows, columns = (
        grid.flatten() for grid in np.indices((len(tracks), len(detections)), dtype=np.int64)
    )
    parts = [np.zeros(0)]
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        a, b = jointly_masked(tracks[rows[part]], detections[columns[part]])
        gap = (encoder(a).double() - encoder(b).double()) / APPEARANCE_UNIT
        parts.append(TEXTURE_FACTOR * gap.square().sum(dim=1).numpy())
    return np.concatenate(parts).reshape(len(tracks), len(detections))

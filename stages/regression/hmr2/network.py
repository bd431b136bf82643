"""HMR2.0 whole (Goel et al. 2023, "Humans in 4D"): a crop in; pose, shape and crop camera out."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.regression._query_decoder import context_in_precision
from stages.regression._vit import BLOCK_COUNT, ViT
from stages.regression.hmr2.head import Prediction, SmplHead

PREFIXES = ("backbone.", "smpl_head.")
"""What of an official checkpoint the network needs; the rest serves training or is SMPL itself."""


class HMR2(nn.Module):
    """Backbone and head under their official names."""

    def __init__(self, block_count: int = BLOCK_COUNT) -> None:
        super().__init__()
        self.backbone = ViT(block_count)
        self.smpl_head = SmplHead()

    def forward(self, images: Float[Tensor, "b 3 256 192"]) -> Prediction:
        """Normalised images (the middle 192 columns of the square crops) to predictions."""
        return self.smpl_head(self.backbone(images))

    def in_precision(self, dtype: torch.dtype) -> "HMR2":
        """Everything that touches image tokens in `dtype`; the one query token stays float32."""
        self.backbone.to(dtype)
        context_in_precision(self.smpl_head.transformer, dtype)
        return self


def empty_network(block_count: int = BLOCK_COUNT) -> HMR2:
    """The network's names and shapes without any numbers."""
    with torch.device("meta"):
        return HMR2(block_count).eval().requires_grad_(False)


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that an official checkpoint must bring."""
    return {name: tuple(tensor.shape) for name, tensor in empty_network().state_dict().items()}


def network_with(tensors: Mapping[str, Tensor], block_count: int = BLOCK_COUNT) -> HMR2:
    """The network around these very tensors; nothing is copied."""
    network = empty_network(block_count)
    network.load_state_dict(dict(tensors), strict=True, assign=True)
    return network

"""Crops of one frame with the squares of the frame that they show."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

CROP_PX = 224


@dataclass(frozen=True)
class Squares:
    """What n crops show of the frame."""

    centre_px: Float64[np.ndarray, "n 2"]
    side_px: Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class CutCrops:
    """Crops (n, 224, 224, 3) of 0 to 255, whole or broken levels, and where they are from."""

    rgb: Tensor
    squares: Squares


def one_after_the_other(crops: list[Tensor], like: Tensor) -> Tensor:
    """Crops as one tensor, on the device of `like`, also when there is none."""
    if crops:
        return torch.stack(crops)
    return torch.empty((0, CROP_PX, CROP_PX, 3), dtype=torch.uint8, device=like.device)

"""Crops of one frame with the squares of the frame that they show."""

from dataclasses import dataclass

from torch import Tensor

from stages.regression._crops import Squares

CROP_PX = 224
"""Side of the crops of SPIN and HMR."""


@dataclass(frozen=True)
class CutCrops:
    """Crops (n, y, x, 3) of 0 to 255, whole or broken levels, and where they are from."""

    rgb: Tensor
    squares: Squares

"""The image demo's crops: for people larger than 563 px the frame is blurred before it is cut.

The official demo does so (scikit-image's gaussian in float64), the official tracker does not. Up
to a side of 640 px the kernel has a single tap: then only the 8-bit rounding is lost.
"""

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor
from torch.nn import functional

from stages.regression._crops import CROP_PX, Squares, Taps, cut_crops, mixed_crops, taps

LARGEST_SHARP = 1.1
"""Ratio of the square's side to two crops' sides above which the demo blurs."""
TRUNCATE_SIGMAS = 4.0


def is_blurred(side_px: np.ndarray) -> np.ndarray:
    """Whether the demo blurs before it cuts a square of that side."""
    return side_px / CROP_PX / 2.0 > LARGEST_SHARP


def sigma_px(side_px: np.ndarray) -> np.ndarray:
    """Standard deviation of the demo's blur; 0 where it does not blur."""
    return np.where(is_blurred(side_px), (side_px / CROP_PX / 2.0 - 1.0) / 2.0, 0.0)


def cut_demo_crops(
    frame: UInt8[Tensor, "h w c"], squares: Squares, columns: range = range(CROP_PX)
) -> Float64[Tensor, "n y x c"]:
    """Crops of n squares of one frame as the image demo makes them, 0 to 255."""
    crops = [
        _blurred_crop(frame, squares[i : i + 1], columns)
        if blurs
        else cut_crops(frame, squares[i : i + 1], columns)[0].double()
        for i, blurs in enumerate(is_blurred(squares.side_px))
    ]
    shape = (0, CROP_PX, len(columns), frame.shape[-1])
    return torch.stack(crops) if crops else frame.new_zeros(shape, dtype=torch.float64)


def _blurred_crop(frame: Tensor, square: Squares, columns: range) -> Tensor:
    """One crop; only the part of the frame that it needs is blurred."""
    across, down = taps(square, columns)
    kernel = _kernel(float(sigma_px(square.side_px)[0]))
    top, bottom = _reach(down, len(kernel) // 2, frame.shape[0])
    left, right = _reach(across, len(kernel) // 2, frame.shape[1])
    part = blurred(frame[top:bottom, left:right].double(), kernel)
    return mixed_crops(part, down.within(top), across.within(left))[0]


def _reach(wanted: Taps, radius_px: int, size_px: int) -> tuple[int, int]:
    """The range of rows or columns that the crop and the kernel touch; never empty."""
    start = int(wanted.first[0, 0]) - radius_px
    end = int(wanted.first[0, -1]) + 2 + radius_px
    start = min(max(start, 0), size_px - 1)
    return start, max(min(end, size_px), start + 1)


def _kernel(sigma_px: float) -> np.ndarray:
    """Gaussian cut at four standard deviations, summing to 1."""
    radius_px = int(TRUNCATE_SIGMAS * sigma_px + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius_px, radius_px + 1) / sigma_px) ** 2)
    return weights / weights.sum()


def blurred(image: Float64[Tensor, "h w c"], kernel: np.ndarray) -> Float64[Tensor, "h w c"]:
    """Separable blur; beyond the edge the last pixel repeats."""
    radius_px = len(kernel) // 2
    if radius_px == 0:
        return image
    weights = torch.from_numpy(kernel).to(image)
    planes = image.permute(2, 0, 1)[:, None]
    for shape, padding in (((1, 1, -1, 1), (0, 0, 1, 1)), ((1, 1, 1, -1), (1, 1, 0, 0))):
        padded = functional.pad(planes, [radius_px * p for p in padding], mode="replicate")
        planes = functional.conv2d(padded, weights.reshape(shape))
    return planes[:, 0].permute(1, 2, 0)

"""The 256 px crops of HMR2, number for number as the official code cuts them.

Official frames and crops relate by ``u = 128 + 256 / side (x - centre)`` with integer coordinates
at pixel centres, sampled by OpenCV 4's warpAffine: source coordinates in steps of 1/1024 px,
bilinear weights in steps of 1/32 px, zeros beyond the frame, 8-bit results. Later OpenCV versions
sample otherwise, so the arithmetic is written out here, in integers, the same on every device.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int32, Int64, UInt8
from torch import Tensor

CROP_PX = 256
ASPECT_WH = (192, 256)
"""Boxes are widened or heightened to this shape about their centre, never enlarged otherwise."""
MARGIN_PX = (CROP_PX - ASPECT_WH[0]) // 2
"""Columns at either side of the square crop that the network never sees."""
COORDINATE_STEPS = 1024
WEIGHT_STEPS = 32
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Squares:
    """The squares of the frame that n boxes become."""

    centre_px: Float64[np.ndarray, "n 2"]
    side_px: Float64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.side_px)

    def __getitem__(self, rows: slice | np.ndarray) -> "Squares":
        return Squares(self.centre_px[rows], self.side_px[rows])


def squares_from_boxes(boxes_xyxy_px: Float32[np.ndarray, "n 4"]) -> Squares:
    """The square around each box once it is expanded to 3:4; sums in float32, as officially."""
    left_top, right_bottom = boxes_xyxy_px[:, :2], boxes_xyxy_px[:, 2:]
    centre_px = ((left_top + right_bottom) / 2).astype(np.float64)
    width_px, height_px = (right_bottom - left_top).astype(np.float64).T
    return Squares(centre_px, np.maximum(height_px, width_px * ASPECT_WH[1] / ASPECT_WH[0]))


@dataclass(frozen=True)
class Taps:
    """Which two source pixels each crop pixel mixes along one axis."""

    first: Int64[Tensor, "*n p"]
    share: Int32[Tensor, "*n p"]
    """Weight of the second pixel, in 32nds."""

    def __getitem__(self, row: int) -> "Taps":
        return Taps(self.first[row], self.share[row])

    def within(self, start_px: int) -> "Taps":
        """The same taps in a picture that begins at `start_px` of the first one."""
        return Taps(self.first - start_px, self.share)


def axis_map(centre_px: np.ndarray, side_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and step along one axis: crop coordinate u lies at ``start + step u`` in the frame.

    The points that define the map are computed in float32 by the official code, so here too.
    """
    middle = centre_px.astype(np.float32)
    edge = middle + (side_px / 2).astype(np.float32)
    step = (edge.astype(np.float64) - middle) / (CROP_PX // 2)
    return middle - step * (CROP_PX // 2), step


def taps(centre_px: np.ndarray, side_px: np.ndarray, crop_px: range) -> Taps:
    """OpenCV 4's fixed-point coordinates along one axis."""
    start, step = axis_map(centre_px, side_px)
    fixed = np.rint(start * COORDINATE_STEPS)[:, None] + np.rint(
        step[:, None] * np.array(crop_px) * COORDINATE_STEPS
    )
    half_weight_step = COORDINATE_STEPS // WEIGHT_STEPS // 2
    in_steps = (fixed.astype(np.int64) + half_weight_step) // (COORDINATE_STEPS // WEIGHT_STEPS)
    first, share = np.divmod(in_steps, WEIGHT_STEPS)
    return Taps(torch.from_numpy(first), torch.from_numpy(share.astype(np.int32)))


def cut_crops(
    frame: UInt8[Tensor, "h w c"] | Float[Tensor, "h w c"],
    squares: Squares,
    columns: range = range(CROP_PX),
) -> Tensor:
    """Crops of n squares of one frame, on the frame's device and in its kind of number.

    Args:
        frame: 8-bit or floating point, any number of channels.
        squares: Where to cut.
        columns: The columns of the crop that are wanted.

    Returns:
        (n, 256, columns, c): rounded for 8-bit frames, exact for floating point.
    """
    across = taps(squares.centre_px[:, 0], squares.side_px, columns)
    down = taps(squares.centre_px[:, 1], squares.side_px, range(CROP_PX))
    crops = [mixed_crop(frame, down[i], across[i]) for i in range(len(squares))]
    if not crops:
        return frame.new_zeros((0, CROP_PX, len(columns), frame.shape[-1]))
    return torch.stack(crops)


def mixed_crop(frame: Tensor, down: Taps, across: Taps) -> Tensor:
    """One crop (y, x, c): pick the four pixels behind each crop pixel, mix across, then down."""
    rows = torch.cat([down.first, down.first + 1]).to(frame.device)
    columns = torch.cat([across.first, across.first + 1]).to(frame.device)
    row_weights = _weights(down, rows, frame.shape[0])
    column_weights = _weights(across, columns, frame.shape[1])
    picked = frame.index_select(0, rows.clamp(0, frame.shape[0] - 1))
    picked = picked.index_select(1, columns.clamp(0, frame.shape[1] - 1))
    is_8bit = frame.dtype == torch.uint8
    working = torch.int32 if is_8bit else frame.dtype
    mixed = picked.to(working) * column_weights.to(working)[:, None]
    mixed = mixed[:, : len(across.first)] + mixed[:, len(across.first) :]
    mixed = mixed * row_weights.to(working)[:, None, None]
    mixed = mixed[: len(down.first)] + mixed[len(down.first) :]
    if is_8bit:
        return ((mixed + WEIGHT_STEPS**2 // 2) // WEIGHT_STEPS**2).to(torch.uint8)
    return mixed / WEIGHT_STEPS**2


def _weights(taps: Taps, index: Tensor, size: int) -> Tensor:
    """Weights in 32nds of the first and then the second pixels; 0 beyond the frame."""
    share = taps.share.to(index.device)
    return torch.cat([WEIGHT_STEPS - share, share]) * ((index >= 0) & (index < size))


def normalised(crops_rgb: Tensor, dtype: torch.dtype = torch.float32) -> Float[Tensor, "n 3 y x"]:
    """Crops (n, y, x, 3) of 0 to 255 to the network's input, channels first.

    The border is black before this, so it is not zero after it.
    """
    mean, std = (255 * torch.tensor(v, dtype=dtype, device=crops_rgb.device) for v in (MEAN, STD))
    return ((crops_rgb.to(dtype) - mean) / std).permute(0, 3, 1, 2)

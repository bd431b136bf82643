"""The 256 px crops of HMR2, number for number as the official code cuts them.

Official frames and crops relate by ``u = 128 + 256 / side (x - centre)`` with integer coordinates
at pixel centres, sampled by OpenCV 4's warpAffine: source coordinates in steps of 1/1024 px,
bilinear weights in steps of 1/32 px, zeros beyond the frame, 8-bit results. Later OpenCV versions
sample otherwise, so the arithmetic is written out here, in integers, the same on every device.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int32, Int64, UInt8
from torch import Tensor

CROP_PX = 256
ASPECT_WH = (192, 256)
"""Boxes are widened or heightened to this shape about their centre, never enlarged otherwise."""
MARGIN_PX = (CROP_PX - ASPECT_WH[0]) // 2
"""Columns at either side of the square crop that the network never sees."""
CROPS_AT_ONCE = 16
"""Keeps what lies between the steps in the cache, or at least in memory."""
STEPS = 1024
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

    first: Int64[Tensor, "n p"]
    share: Int32[Tensor, "n p"]
    """Weight of the second pixel, in 32nds."""

    @property
    def count(self) -> int:
        """Number of crop pixels."""
        return self.first.shape[1]

    def within(self, start_px: int) -> "Taps":
        """The same taps in a picture that begins at `start_px` of the first one."""
        return Taps(self.first - start_px, self.share)


def frame_to_crop(squares: Squares) -> Float64[np.ndarray, "n 2 3"]:
    """The affine maps as OpenCV solves for them from three points, which are float32."""
    middle = squares.centre_px.astype(np.float32)
    half_px = (squares.side_px / 2).astype(np.float32)
    half_crop = CROP_PX // 2
    corners = np.array([(half_crop, half_crop), (half_crop, CROP_PX), (CROP_PX, half_crop)])
    maps = np.empty((len(squares), 2, 3))
    for i in range(len(squares)):
        (x, y), half = middle[i], half_px[i]
        points = np.array([(x, y), (x, y + half), (x + half, y)], dtype=np.float32)
        maps[i] = cv2.getAffineTransform(points, corners.astype(np.float32))
    return maps


def taps(squares: Squares, columns: range = range(CROP_PX)) -> tuple[Taps, Taps]:
    """Across and down: OpenCV 4's fixed-point source coordinates (warpAffine, 8 bit or float).

    The last bits matter where a coordinate falls between two steps, so the operations and their
    order are OpenCV's: the inverse map, then columns rounded apart from the offset and rows with.
    """
    maps = frame_to_crop(squares)
    inverse = 1.0 / (maps[:, 0, 0] * maps[:, 1, 1] - maps[:, 0, 1] * maps[:, 1, 0])
    a, b = maps[:, 1, 1] * inverse, -maps[:, 0, 1] * inverse
    c, d = -maps[:, 1, 0] * inverse, maps[:, 0, 0] * inverse
    start_x = -a * maps[:, 0, 2] - b * maps[:, 1, 2]
    start_y = -c * maps[:, 0, 2] - d * maps[:, 1, 2]
    x, y = np.array(columns), np.arange(CROP_PX)
    across = np.rint(start_x * STEPS)[:, None] + np.rint(a[:, None] * x * STEPS)
    down = np.rint((d[:, None] * y + start_y[:, None]) * STEPS)
    return _in_weight_steps(across), _in_weight_steps(down)


def _in_weight_steps(fixed: Float64[np.ndarray, "n p"]) -> Taps:
    """Coordinates in 1/1024 px, rounded to 1/32 px."""
    ratio = STEPS // WEIGHT_STEPS
    first, share = np.divmod((fixed.astype(np.int64) + ratio // 2) // ratio, WEIGHT_STEPS)
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
    crops = [frame.new_empty((0, CROP_PX, len(columns), frame.shape[-1]))]
    for start in range(0, len(squares), CROPS_AT_ONCE):
        across, down = taps(squares[start : start + CROPS_AT_ONCE], columns)
        crops.append(mixed_crops(frame, down, across))
    return torch.cat(crops)


def mixed_crops(frame: Tensor, down: Taps, across: Taps) -> Tensor:
    """Crops (n, y, x, c): pick the four pixels behind each crop pixel, mix across, then down."""
    rows, row_weights = _both(down, frame.shape[0], frame.device)
    columns, column_weights = _both(across, frame.shape[1], frame.device)
    is_8bit = frame.dtype == torch.uint8
    working = torch.int32 if is_8bit else frame.dtype
    mixed = _picked(frame, rows, columns).to(working)
    mixed *= column_weights.to(working)[:, None, :, None]
    mixed = mixed[:, :, : across.count] + mixed[:, :, across.count :]
    mixed *= row_weights.to(working)[:, :, None, None]
    mixed = mixed[:, : down.count] + mixed[:, down.count :]
    if is_8bit:
        return ((mixed + WEIGHT_STEPS**2 // 2) // WEIGHT_STEPS**2).to(torch.uint8)
    return mixed / WEIGHT_STEPS**2


def _both(taps: Taps, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Indices of all first and then all second pixels, and weights in 32nds: 0 off the frame."""
    index = torch.cat([taps.first, taps.first + 1], dim=1)
    share = torch.cat([WEIGHT_STEPS - taps.share, taps.share], dim=1)
    weights = share * ((index >= 0) & (index < size))
    return index.clamp(0, size - 1).to(device), weights.to(device)


def _picked(frame: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pixels (n, rows, columns, c) at the crossings of n sets of rows and columns."""
    if frame.device.type != "cpu":
        return frame[rows[:, :, None], columns[:, None, :]]
    # The same, three times as fast on a CPU, where whole rows are copied first.
    picked = frame.new_empty((len(rows), rows.shape[1], columns.shape[1], frame.shape[2]))
    for out, row, column in zip(picked, rows, columns, strict=True):
        torch.index_select(frame.index_select(0, row), 1, column, out=out)
    return picked


def normalised(crops_rgb: Tensor, dtype: torch.dtype = torch.float32) -> Float[Tensor, "n 3 y x"]:
    """Crops (n, y, x, 3) of 0 to 255 to the network's input, channels first.

    The border is black before this, so it is not zero after it.
    """
    mean, std = (255 * torch.tensor(v, dtype=dtype, device=crops_rgb.device) for v in (MEAN, STD))
    return ((crops_rgb.to(dtype) - mean) / std).permute(0, 3, 1, 2)

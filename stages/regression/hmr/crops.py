"""HMR's 224 px crops, number for number: the picture resized so that the person is 150 px long.

Only the pixels that the crop shows are made, in whole numbers as OpenCV's 8-bit bilinear resize
makes them. Beyond the picture its edge repeats.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8
from torch import Tensor

from stages.regression._crops import Squares
from stages.regression._cut_crops import CROP_PX, CutCrops

PERSON_PX = 150.0
MARGIN_PX = CROP_PX // 2
LEAST_CONFIDENCE = 0.2
"""Of the keypoints that say where a person is."""
SHARE_BITS = 11


@dataclass(frozen=True)
class Place:
    """Where n crops are wanted."""

    centre_px: Float64[np.ndarray, "n 2"]
    scale: Float64[np.ndarray, " n"]
    """Factor by which the picture is resized."""


@dataclass(frozen=True)
class Resized:
    """A picture's size after resizing, and where a crop lies in it."""

    size_wh_px: Int64[np.ndarray, " 2"]
    centre_px: Int64[np.ndarray, " 2"]
    """Also the crop's corner in the picture with its margin of 112 px."""
    factor_wh: Float64[np.ndarray, " 2"]
    """What the size really changed by; the wanted factor cut to whole pixels."""


def place_from_extents(extents_xyxy_px: Float[np.ndarray, "n 4"]) -> Place:
    """The middle of a person's extent; its diagonal becomes 150 px.

    The official program measures the extent of keypoints; of boxes it is a little larger.
    """
    extents = extents_xyxy_px.astype(np.float64)
    lengths_px = np.linalg.norm(extents[:, 2:] - extents[:, :2], axis=1)
    return Place((extents[:, :2] + extents[:, 2:]) / 2, PERSON_PX / lengths_px)


def place_from_keypoints(keypoints_px: Float[np.ndarray, "n k 3"]) -> Place:
    """By the extent of the points of sufficient confidence, as the official program does."""
    seen = (keypoints_px[..., 2] > LEAST_CONFIDENCE)[..., None]
    low = keypoints_px[..., :2].min(axis=1, where=seen, initial=np.inf)
    high = keypoints_px[..., :2].max(axis=1, where=seen, initial=-np.inf)
    return place_from_extents(np.hstack([low, high]))


def whole_picture(width_px: int, height_px: int) -> Place:
    """The place when nothing is known about the person."""
    centre_px = np.round(np.array([[width_px, height_px]]) / 2)
    return Place(centre_px, np.array([CROP_PX / max(width_px, height_px)]))


def resized(width_px: int, height_px: int, centre_px: np.ndarray, scale: float) -> Resized:
    """Where one crop is cut; halves are rounded to even numbers. One pixel remains at least."""
    size_wh_px = np.array([width_px, height_px])
    new_wh_px = np.maximum(np.floor(size_wh_px * scale), 1).astype(np.int64)
    factor_wh = new_wh_px / size_wh_px
    return Resized(new_wh_px, np.round(centre_px * factor_wh).astype(np.int64), factor_wh)


def cut_crops(frame: UInt8[Tensor, "h w 3"], place: Place) -> CutCrops:
    """Crops of one frame, 8-bit levels, on the frame's device, and what they show.

    The squares are those of the official way back, which divides by the wanted factor.
    """
    height_px, width_px = frame.shape[:2]
    crops, centres_px = [], []
    for centre_px, scale in zip(place.centre_px, place.scale, strict=True):
        to = resized(width_px, height_px, centre_px, float(scale))
        across = _axis(width_px, to, 0, frame.device)
        down = _axis(height_px, to, 1, frame.device)
        crops.append(_sampled(frame, down, across))
        centres_px.append(to.centre_px / scale)
    squares = Squares(np.array(centres_px, dtype=np.float64).reshape(-1, 2), CROP_PX / place.scale)
    return CutCrops(torch.stack(crops), squares)


@dataclass(frozen=True)
class _Axis:
    """For each crop pixel: two neighbours in the picture, and their shares in 2048ths."""

    index: tuple[Tensor, Tensor]
    share: tuple[Tensor, Tensor]


def _axis(size_px: int, to: Resized, number: int, device: torch.device) -> _Axis:
    """OpenCV's places (pixel centres at +0.5, single precision) and rounded shares.

    At the left and right edge it takes one pixel, at the upper and lower one the same row twice,
    which loses a bit more.
    """
    new_px, middle_px = int(to.size_wh_px[number]), int(to.centre_px[number])
    wanted = np.clip(np.arange(CROP_PX) + middle_px - MARGIN_PX, 0, new_px - 1)
    place = ((wanted + 0.5) * (1.0 / (new_px / size_px)) - 0.5).astype(np.float32)
    first = np.floor(place)
    share = place - first
    if number == 0:
        share[(first < 0) | (first >= size_px - 1)] = 0
    one = np.float32(1 << SHARE_BITS)
    shares = (np.round((np.float32(1) - share) * one), np.round(share * one))
    rows = [_whole(np.clip(index, 0, size_px - 1), device).long() for index in (first, first + 1)]
    return _Axis((rows[0], rows[1]), (_whole(shares[0], device), _whole(shares[1], device)))


def _whole(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.int32)).to(device)


def _sampled(frame: Tensor, down: _Axis, across: _Axis) -> Tensor:
    """Rows mixed exactly, columns with the few bits that OpenCV keeps (4 and 16 are dropped)."""
    total = torch.full((CROP_PX, CROP_PX, 3), 2, dtype=torch.int32, device=frame.device)
    for rows, row_share in zip(down.index, down.share, strict=True):
        lines = frame.index_select(0, rows)
        mixed = torch.zeros_like(total)
        for columns, share in zip(across.index, across.share, strict=True):
            mixed += lines.index_select(1, columns) * share[None, :, None]
        total += ((mixed >> 4) * row_share[:, None, None]) >> 16
    return (total >> 2).to(torch.uint8)


def normalised(crops_rgb: UInt8[Tensor, "n y x 3"], dtype: torch.dtype = torch.float32) -> Tensor:
    """Crops of 0 to 255 as the network wants them: (n, 3, y, x) of -1 to 1."""
    return (2 * (crops_rgb.double() / 255 - 0.5)).to(dtype).permute(0, 3, 1, 2)

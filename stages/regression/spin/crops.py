"""SPIN's 224 px crops, number for number, in both official versions.

`imresize` is the version behind the published figures: its resize function stretched each crop's
levels from darkest = 0 to brightest = 255, black border included. `cuda11` does not stretch.
Both round a crop's corners to whole pixels as the stacked-hourglass code did (Newell et al. 2016).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8
from torch import Tensor

from stages.regression._crops import MEAN, STD, Squares
from stages.regression._cut_crops import CROP_PX, CutCrops
from stages.regression.spin.taps import LEVELS, blur_taps, mixed, triangle_taps

Numerics = Literal["imresize", "cuda11"]
SCALE_PX = 200.0
"""A scale of 1 is a square of this side."""
LEAST_CONFIDENCE = 0.2
"""Of the keypoints that say where a person is."""
KEYPOINTS_ENLARGED = 1.2


@dataclass(frozen=True)
class Place:
    """Where n crops are wanted."""

    centre_px: Float64[np.ndarray, "n 2"]
    scale: Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class Corners:
    """What one crop shows: whole pixels from the upper left up to, not with, the lower right."""

    upper_left_px: Int64[np.ndarray, " 2"]
    lower_right_px: Int64[np.ndarray, " 2"]

    @property
    def size_px(self) -> Int64[np.ndarray, " 2"]:
        """Width and height; they may differ by one."""
        return self.lower_right_px - self.upper_left_px


def place_from_boxes(boxes_xywh_px: Float[np.ndarray, "n 4"], enlarged: float = 1.0) -> Place:
    """The box's middle, its longer side.

    Args:
        boxes_xywh_px: Left, top, width, height.
        enlarged: Factor on the side; the official demo takes boxes as they are.
    """
    boxes = boxes_xywh_px.astype(np.float32)
    centre_px = boxes[:, :2] + np.float32(0.5) * boxes[:, 2:]
    scale = boxes[:, 2:].max(axis=1, initial=0).astype(np.float64) / SCALE_PX * enlarged
    return Place(centre_px.astype(np.float64), scale)


def place_from_keypoints(
    keypoints_px: Float[np.ndarray, "n k 3"], enlarged: float = KEYPOINTS_ENLARGED
) -> Place:
    """The mean of the points of sufficient confidence, the longer side of what they span."""
    seen = (keypoints_px[..., 2] > LEAST_CONFIDENCE)[..., None]
    points = keypoints_px[..., :2].astype(np.float64)
    centre_px = points.mean(axis=1, where=seen)
    high = points.max(axis=1, where=seen, initial=-np.inf)
    low = points.min(axis=1, where=seen, initial=np.inf)
    return Place(centre_px, enlarged * (high - low).max(axis=1) / SCALE_PX)


def whole_picture(width_px: int, height_px: int) -> Place:
    """The place when nothing is known about the person."""
    centre_px = np.array([[width_px // 2, height_px // 2]], dtype=np.float64)
    return Place(centre_px, np.array([max(width_px, height_px) / SCALE_PX]))


def image_to_crop(
    centre_px: np.ndarray, scale: float, rotation_deg: float = 0.0, crop_px: int = CROP_PX
) -> Float64[np.ndarray, "3 3"]:
    """Map of homogeneous pixels; a rotation turns the picture about the crop's middle."""
    side_px = SCALE_PX * scale
    matrix = np.eye(3)
    matrix[0, 0] = matrix[1, 1] = crop_px / side_px
    matrix[:2, 2] = crop_px * (-np.asarray(centre_px, dtype=np.float64) / side_px + 0.5)
    if rotation_deg == 0:
        return matrix
    angle = -np.deg2rad(rotation_deg)
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    to_middle = np.eye(3)
    to_middle[:2, 2] = -crop_px / 2
    back = np.eye(3)
    back[:2, 2] = crop_px / 2
    return back @ (turn @ (to_middle @ matrix))


def mapped_point(point_px: np.ndarray, matrix: Float64[np.ndarray, "3 3"]) -> np.ndarray:
    """Map a pixel counted from 1 to a whole one counted from 1, cutting what is behind the point.

    Cut, not rounded, and towards zero: the very last bit of `matrix` can decide.
    """
    return (matrix @ np.array([point_px[0] - 1, point_px[1] - 1, 1.0]))[:2].astype(np.int64) + 1


def corners_of(place: Place) -> Iterator[Corners]:
    """What each crop shows; one pixel at least."""
    for centre_px, scale in zip(place.centre_px, place.scale, strict=True):
        back = np.linalg.inv(image_to_crop(centre_px, scale))
        upper_left = mapped_point(np.array([1, 1]), back) - 1
        lower_right = mapped_point(np.array([CROP_PX + 1, CROP_PX + 1]), back) - 1
        yield Corners(upper_left, np.maximum(lower_right, upper_left + 1))


def cut_crops(
    frame: UInt8[Tensor, "h w 3"], place: Place, numerics: Numerics = "imresize"
) -> CutCrops:
    """Crops of one frame, on the frame's device; 8-bit levels, or float64 for `cuda11`."""
    all_corners = list(corners_of(place))
    crops = [_crop(frame, corners, numerics) for corners in all_corners]
    ends = np.array([[c.upper_left_px, c.lower_right_px] for c in all_corners], dtype=np.float64)
    ends = ends.reshape(-1, 2, 2)
    squares = Squares(ends.mean(axis=1), (ends[:, 1] - ends[:, 0]).mean(axis=1))
    return CutCrops(torch.stack(crops), squares)


def _crop(frame: Tensor, corners: Corners, numerics: Numerics) -> Tensor:
    """One crop; what lies beyond the frame is black, and is never made."""
    (left, top), (right, bottom) = corners.upper_left_px.tolist(), corners.lower_right_px.tolist()
    height_px, width_px = frame.shape[:2]
    seen = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if seen.numel() == 0:
        return torch.zeros((CROP_PX, CROP_PX, 3), dtype=_kind(numerics), device=frame.device)
    if numerics == "imresize":
        has_border = left < 0 or top < 0 or right > width_px or bottom > height_px
        seen = stretched(seen, has_border)
    make_taps = triangle_taps if numerics == "imresize" else blur_taps
    down = make_taps(bottom - top, CROP_PX).within(min(top, 0), seen.shape[0])
    across = make_taps(right - left, CROP_PX).within(min(left, 0), seen.shape[1])
    return mixed(seen, down, across)


def _kind(numerics: Numerics) -> torch.dtype:
    return torch.uint8 if numerics == "imresize" else torch.float64


def stretched(picture: UInt8[Tensor, "h w c"], has_border: bool) -> UInt8[Tensor, "h w c"]:
    """Darkest to 0, brightest to 255, over all channels; a black border counts as a pixel."""
    low = 0 if has_border else int(picture.min())
    high = int(picture.max())
    gain = LEVELS / (high - low) if high > low else float(LEVELS)
    levels = np.clip((np.arange(LEVELS + 1.0) - low) * gain, 0, LEVELS) + 0.5
    table = torch.from_numpy(levels.astype(np.uint8)).to(picture.device)
    return table[picture.int()]


def normalised(crops_rgb: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Crops (n, y, x, 3) of 0 to 255 as the network wants them (n, 3, y, x)."""
    mean = torch.tensor(MEAN, dtype=dtype, device=crops_rgb.device)
    std = torch.tensor(STD, dtype=dtype, device=crops_rgb.device)
    return ((crops_rgb.to(dtype) / LEVELS - mean) / std).permute(0, 3, 1, 2)

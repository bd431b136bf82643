"""Crops of both official programs and the camera in the whole picture."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from pipeline.camera import intrinsics, project, translation_from_crop
from stages.regression._blur import cut_demo_crops, is_blurred, sigma_px
from stages.regression._crops import (
    ASPECT_WH,
    Squares,
    cut_crops,
    frame_to_crop,
    normalised,
    squares_from_boxes,
)

FOCAL_PX = 5000.0
MODEL_PX = 256
SMALL = 0.1
"""Numbers below this may be differences of larger ones, known no better in float32."""


def check_crops(golden: GoldenFile) -> Iterator[Comparison]:
    """Boxes, maps, crops of the tracker and of the image demo, translations."""
    frame = synthetic_frame(*golden["image_WHabc"].tolist())
    yield golden.compare("image_checksum", _checksum(frame), 0.0)
    boxes = golden["boxes_xyxy"]
    squares = squares_from_boxes(boxes)
    yield from _check_squares(golden, squares)
    picture = torch.from_numpy(frame)
    yield golden.compare("phalp_crop_u8", cut_crops(picture, squares), 0.0)
    masks = [_mask(box, frame.shape) for box in boxes]
    yield golden.compare("mask_area_px", [mask.sum() for mask in masks], 0.0)
    cut = [_cut_mask(mask, squares[i : i + 1]) for i, mask in enumerate(masks)]
    yield golden.compare("phalp_mask_u8", cut, 0.0)
    yield from _check_demo(golden, cut_demo_crops(picture, squares))
    yield from _check_cameras(golden, squares, *frame.shape[1::-1])


def synthetic_frame(width: int, height: int, a: int, b: int, c: int) -> np.ndarray:
    """The RGB frame of that rule, in integers."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    blue, green = _triangle(a * x + b * y), _triangle(x * x // c + b * y)
    red = ((x // 8) ^ (y // 8)) % 16 * 16 + _triangle(3 * x + 2 * y) // 17
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def _triangle(value: np.ndarray) -> np.ndarray:
    return np.abs(value % 510 - 255)


def _checksum(frame: np.ndarray) -> list[int]:
    x, y = np.meshgrid(np.arange(frame.shape[1]), np.arange(frame.shape[0]))
    total = frame.astype(np.int64).sum(axis=-1)
    return [int(total.sum()), int((total * ((3 * x + 5 * y) % 11 + 1)).sum())]


def _mask(box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The ellipse in a box; not cut at the box."""
    left, top, right, bottom = box.astype(np.float64)
    x, y = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    across = (x - (left + right) / 2) / (0.45 * (right - left))
    down = (y - (top + bottom) / 2) / (0.48 * (bottom - top))
    return across**2 + down**2 <= 1


def _cut_mask(mask: np.ndarray, square: Squares) -> Tensor:
    return cut_crops(torch.from_numpy(np.uint8(255) * mask)[..., None], square)[0, ..., 0]


def _check_squares(golden: GoldenFile, squares: Squares) -> Iterator[Comparison]:
    centre_px, side_px = squares.centre_px, squares.side_px
    yield golden.compare("vitdet_box_center", centre_px, 1e-4)
    yield golden.compare("vitdet_box_size", side_px, 1e-3)
    yield golden.compare("phalp_center", centre_px, 1e-3)
    size_px = side_px[:, None] * np.array(ASPECT_WH) / MODEL_PX
    yield golden.compare("phalp_scale", size_px, 1e-3)
    padded = np.hstack([centre_px - size_px / 2, centre_px + size_px / 2])
    yield golden.compare("padded_box_xyxy", padded, 1e-3)
    yield golden.compare("trans", frame_to_crop(squares), 1e-6, relative_from=SMALL)


def _check_demo(golden: GoldenFile, crops: Tensor) -> Iterator[Comparison]:
    side_px, blurred = golden["vitdet_box_size"], golden["vitdet_blurred"]
    yield golden.compare("vitdet_blurred", is_blurred(side_px), 0.0)
    yield golden.compare("vitdet_sigma", sigma_px(side_px), 1e-6)
    pixels = normalised(crops)
    rows, columns = golden["vitdet_img_sub"].shape[2:]
    kept = pixels[:, :, 3 :: MODEL_PX // rows, 3 :: MODEL_PX // columns]
    yield golden.compare("vitdet_img_sub", kept, 1e-5)
    yield golden.compare("vitdet_crop_u8_blurred", crops[blurred].round(), 1.0)


def _check_cameras(
    golden: GoldenFile, squares: Squares, width_px: int, height_px: int
) -> Iterator[Comparison]:
    crop_camera, longer_px = golden["pred_cam"], max(width_px, height_px)
    focal_px = FOCAL_PX / MODEL_PX * longer_px
    yield golden.compare("full_focal", focal_px, 1e-6, relative_from=1.0)
    place = (golden["vitdet_box_center"].astype(np.float64), golden["vitdet_box_size"])
    for name, focal in (("cam_full", focal_px), ("cam_full_f1234", 1234.5)):
        found = translation_from_crop(crop_camera, *place, intrinsics(focal, width_px, height_px))
        yield golden.compare(name, found, 1e-5, relative_from=SMALL)
    ratio = MODEL_PX / longer_px
    border_px = np.array([(longer_px - width_px) // 2, (longer_px - height_px) // 2])
    K_px = intrinsics(FOCAL_PX, MODEL_PX, MODEL_PX)
    t = translation_from_crop(
        crop_camera, (squares.centre_px + border_px) * ratio, squares.side_px * ratio, K_px
    )
    yield golden.compare("phalp_cam_square256", t, 1e-5, relative_from=SMALL)
    joints = np.pad(golden["joints44"].astype(np.float64), ((0, 0), (0, 1), (0, 0)))
    expected = golden["phalp_joints2d_px256"].astype(np.float64)
    far = np.maximum(1.0, np.abs(expected) / 100)
    pixels = project(joints + t[:, None], K_px)
    yield compare(f"{golden.path.stem}: phalp_joints2d_px256", pixels / far, expected / far, 1e-3)

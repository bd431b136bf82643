"""Boxes, maps and crops of both official versions of SPIN."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile
from stages.regression.spin.crops import (
    Place,
    corners_of,
    cut_crops,
    image_to_crop,
    mapped_point,
    place_from_boxes,
    place_from_keypoints,
    whole_picture,
)


def check_crops(golden: GoldenFile) -> Iterator[Comparison]:
    """Boxes, corners, crops, maps, and places by keypoints."""
    picture = torch.from_numpy(golden["image"])
    place = _places(golden["boxes_xywh"], *golden["image"].shape[1::-1])
    yield golden.compare("center", place.centre_px, 1e-6)
    yield golden.compare("scale", place.scale, 1e-7)
    corners = list(corners_of(place))
    yield golden.compare("ul", [c.upper_left_px for c in corners], 0.0)
    yield golden.compare("br", [c.lower_right_px for c in corners], 0.0)
    yield golden.compare("crop_imresize", cut_crops(picture, place).rgb, 0.0)
    later = cut_crops(picture, place, "cuda11").rgb
    yield golden.compare("crop_cuda11_sub3", later[:, ::3, ::3], 2e-5)
    yield golden.compare("crop_cuda11_mean", later.mean(dim=(1, 2)), 1e-6)
    yield from _check_maps(golden)
    around = place_from_keypoints(golden["op_keypoints"][None])
    yield golden.compare("op_center", around.centre_px[0], 1e-9)
    yield golden.compare("op_scale", around.scale[0], 1e-9)


def _places(boxes: np.ndarray, width_px: int, height_px: int) -> Place:
    """Given boxes, or the whole picture where there is none."""
    absent = np.isnan(boxes).any(axis=1)
    found, whole = place_from_boxes(np.nan_to_num(boxes)), whole_picture(width_px, height_px)
    return Place(
        np.where(absent[:, None], whole.centre_px, found.centre_px),
        np.where(absent, whole.scale, found.scale),
    )


def _check_maps(golden: GoldenFile) -> Iterator[Comparison]:
    matrices, points = [], []
    rows = zip(golden["tf_center"], golden["tf_scale"], golden["tf_rot"], strict=True)
    for number, (centre_px, scale, rotation_deg) in enumerate(rows):
        matrix = image_to_crop(centre_px, float(scale), float(rotation_deg))
        is_back = golden["tf_invert"][number] == 1
        used = np.linalg.inv(matrix) if is_back else matrix
        matrices.append(matrix)
        points.append(mapped_point(golden["tf_pt"][number], used))
    yield golden.compare("tf_matrix", matrices, 1e-9)
    yield golden.compare("tf_out", points, 0.0)

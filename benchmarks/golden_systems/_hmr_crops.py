"""HMR's crops and the way back into the picture."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile
from pipeline.camera import translation_from_crop
from stages.regression.hmr.crops import (
    CROP_PX,
    MARGIN_PX,
    Place,
    cut_crops,
    place_from_keypoints,
    resized,
    whole_picture,
)

FOCAL_PX = 500.0
"""Of the camera that the official program draws crops with."""


def check_crops(golden: GoldenFile) -> Iterator[Comparison]:
    """Places, sizes, crops, and points brought back."""
    picture, place = torch.from_numpy(golden["image"]), _places(golden)
    height_px, width_px = picture.shape[:2]
    yield golden.compare("scale", place.scale, 1e-12)
    yield golden.compare("center", place.centre_px, 1e-9)
    where = [
        resized(width_px, height_px, centre, float(scale))
        for centre, scale in zip(place.centre_px, place.scale, strict=True)
    ]
    corners = [[w.centre_px, w.centre_px + CROP_PX] for w in where]
    yield golden.compare("start_end_pt", corners, 0.0)
    yield golden.compare("actual_factor_hw", [w.factor_wh[::-1] for w in where], 1e-12)
    yield golden.compare("resized_hw", [w.size_wh_px[::-1] for w in where], 0.0)
    cut = cut_crops(picture, place)
    yield golden.compare("crops", cut.rgb, 0.0)
    yield from _check_way_back(golden, cut.squares.centre_px, cut.squares.side_px)


def _places(golden: GoldenFile) -> Place:
    """The first two computed, the others given."""
    scale, centre_px = golden["scale"].copy(), golden["center"].copy()
    people = golden["op_people"]
    confidence = [person[person[:, 2] > 0.2, 2].mean() for person in people]
    height_px, width_px = golden["image"].shape[:2]
    found = [
        whole_picture(width_px, height_px),
        place_from_keypoints(people[[int(np.argmax(confidence))]]),
    ]
    for row, place in enumerate(found):
        scale[row], centre_px[row] = place.scale[0], place.centre_px[0]
    return Place(centre_px, scale)


def _check_way_back(
    golden: GoldenFile, centre_px: np.ndarray, side_px: np.ndarray
) -> Iterator[Comparison]:
    magnified = (side_px / CROP_PX)[:, None]
    joints = (golden["undo_joints_crop_px"][None] - MARGIN_PX) * magnified[..., None]
    yield golden.compare("undo_joints_image_px", joints + centre_px[:, None], 1e-9)
    camera = np.hstack([FOCAL_PX * magnified, centre_px])
    yield golden.compare("undo_cam_for_render", camera, 1e-9)
    shifted = []
    for (focal_px, x, y), side in zip(camera, side_px, strict=True):
        K_px = np.array([[focal_px, 0, x], [0, focal_px, y], [0, 0, 1]])
        place = (np.array([[x, y]]), np.array([side]))
        shift = translation_from_crop(golden["undo_cam"][None], *place, K_px, 0.0)
        shifted.append(golden["undo_verts"] + shift)
    yield golden.compare("undo_vert_shifted", shifted, 1e-12)

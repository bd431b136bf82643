"""SPIN's turned and mirrored training samples against the official functions."""

from collections.abc import Iterator

import torch

from benchmarks.golden_comparison import Comparison, GoldenFile
from stages.regression.spin.augmentation import (
    mirrored_points,
    mirrored_pose,
    turned_crop,
    turned_root,
)
from stages.regression.spin.crops import Place


def check_augmentation(golden: GoldenFile) -> Iterator[Comparison]:
    """Crops, root rotations, poses, points."""
    picture = torch.from_numpy(golden["image"])
    for numerics, name, tolerance in (
        ("imresize", "rot_crop_imresize", 2.0),
        ("cuda11", "rot_crop_cuda11_sub3", 1e-4),
    ):
        crops = []
        for row, rotation_deg in zip(golden["rot_box_index"], golden["rot_deg"], strict=True):
            place = Place(golden["center"][[row]], golden["scale"][[row]])
            crops.append(turned_crop(picture, place, float(rotation_deg), numerics))
        step = 3 if numerics == "cuda11" else 1
        yield golden.compare(name, torch.stack(crops)[:, ::step, ::step], tolerance)
    root, angle = (torch.from_numpy(golden[f"rotaa_{name}"]) for name in ("in", "deg"))
    yield golden.compare("rotaa_out", turned_root(root, angle), 1e-6)
    pose = torch.from_numpy(golden["flip_pose_in"]).unflatten(-1, (24, 3))
    yield golden.compare("flip_pose_out", mirrored_pose(pose).flatten(), 0.0)
    for count in (24, 49):
        points = torch.from_numpy(golden[f"flip_kp{count}_in"])
        yield golden.compare(f"flip_kp{count}_out", mirrored_points(points), 0.0)

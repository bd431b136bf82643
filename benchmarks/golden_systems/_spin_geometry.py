"""Rotations and cameras against SPIN's official functions."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from benchmarks.golden_systems._spin_network import translation_in_crop
from pipeline.camera import project
from pipeline.rotations import quat_wxyz_to_rotmat, rot6d_interleaved_to_rotmat

NEARLY_PARALLEL = 0.99
"""Cosine of the two columns from which on float32 cannot give all digits."""
HALF_CROP_PX = 112.0
TINY = 1e-9


def check_geometry(golden: GoldenFile) -> Iterator[Comparison]:
    """Each function in float32 and, where there is a reference, in float64."""
    yield from _check_rot6d(golden)
    poses, quats = torch.from_numpy(golden["rot6d_in144"]), torch.from_numpy(golden["quat_in"])
    for dtype, ending, tolerance in ((torch.float32, "", 1e-6), (torch.float64, "_f64", 1e-12)):
        rotmat = rot6d_interleaved_to_rotmat(poses.to(dtype).unflatten(1, (-1, 6)))
        yield golden.compare(f"rot6d_out144{ending}", rotmat, tolerance)
        yield golden.compare(f"quat_out{ending}", quat_wxyz_to_rotmat(quats.to(dtype)), tolerance)
        t = translation_in_crop(torch.from_numpy(golden["cam"]))
        yield golden.compare(f"cam_translation{ending}", t, 1e-6, relative_from=TINY)
    yield from _check_projection(golden)


def _check_rot6d(golden: GoldenFile) -> Iterator[Comparison]:
    given = torch.from_numpy(golden["rot6d_in"])
    found = rot6d_interleaved_to_rotmat(given)
    columns = given.double().unflatten(1, (3, 2))
    cosine = torch.cosine_similarity(columns[..., 0], columns[..., 1], dim=1).abs().numpy()
    fragile = cosine > NEARLY_PARALLEL
    for name, rows, tolerance in (("", ~fragile, 1e-6), (" (nearly parallel)", fragile, 2e-3)):
        title = f"{golden.path.stem}: rot6d_out{name}"
        yield compare(title, found[rows], golden["rot6d_out"][rows], tolerance)
    yield golden.compare("rot6d_out_f64", rot6d_interleaved_to_rotmat(given.double()), 1e-9)


def _check_projection(golden: GoldenFile) -> Iterator[Comparison]:
    points, shift = golden["proj_points"].astype(np.float64), golden["proj_translation"]
    turned = points @ golden["proj_rotation"].astype(np.float64).transpose(0, 2, 1)
    cameras = [
        np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]], dtype=np.float64)
        for focal, (x, y) in zip(golden["proj_focal"], golden["proj_center"], strict=True)
    ]
    placed = turned + shift[:, None]
    found = [project(p, K_px) for p, K_px in zip(placed, cameras, strict=True)]
    yield golden.compare("proj_out", found, 2e-4)
    yield golden.compare("proj_out_f64", found, 1e-9)
    K_px = np.array([[5000.0, 0, 0], [0, 5000.0, 0], [0, 0, 1]])
    normed = project(points + shift[:, None], K_px) / HALF_CROP_PX
    yield golden.compare("proj_train_out_norm", normed, 2e-6)
    yield golden.compare("proj_train_out_norm_f64", normed, 1e-12)

"""Rotations and projection against the official functions."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile
from pipeline.camera import project
from pipeline.rotations import quat_wxyz_to_rotmat, rot6d_columns_to_rotmat, rotvec_to_rotmat

ROTATIONS = (
    ("rot6d_in", "rot6d_out", rot6d_columns_to_rotmat, 1e-6, 1e-12),
    ("rot6d_degenerate_in", "rot6d_degenerate_out", rot6d_columns_to_rotmat, 1e-6, 1e-12),
    ("rot6d_batch3_in", "rot6d_batch3_rowwise_out", rot6d_columns_to_rotmat, 1e-6, None),
    ("aa_in", "aa_out", rotvec_to_rotmat, 2e-6, 1e-7),
    ("quat_wxyz_in", "quat_out", quat_wxyz_to_rotmat, 1e-6, 1e-12),
)
PROJECTED_PX = 1e-2


def check_geometry(golden: GoldenFile) -> Iterator[Comparison]:
    """Each function in float32 and, where there is a reference, in float64."""
    for given, expected, function, tolerance, tolerance_f64 in ROTATIONS:
        rotations = torch.from_numpy(golden[given])
        yield golden.compare(expected, function(rotations), tolerance)
        if tolerance_f64 is not None:
            yield golden.compare(f"{expected}_f64", function(rotations.double()), tolerance_f64)
    yield from _check_projection(golden)


def _check_projection(golden: GoldenFile) -> Iterator[Comparison]:
    points, shift = golden["proj_points"].astype(np.float64), golden["proj_trans"]
    turned = points @ golden["proj_rot"].astype(np.float64).transpose(0, 2, 1)
    for name, placed, centre_px in (
        ("plain", points + shift[:, None], np.zeros((len(points), 2))),
        ("full", turned + shift[:, None], golden["proj_center"]),
    ):
        cameras = [
            np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]])
            for focal, centre in zip(golden["proj_focal"], centre_px, strict=True)
        ]
        found = [project(p, K_px) for p, K_px in zip(placed, cameras, strict=True)]
        yield golden.compare(f"proj_out_{name}", found, PROJECTED_PX)
        yield golden.compare(f"proj_out_{name}_f64", found, PROJECTED_PX)

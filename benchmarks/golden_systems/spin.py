"""SPIN against the official implementation: geometry, crops, augmentation, network, SMPLify."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._spin_augmentation import check_augmentation
from benchmarks.golden_systems._spin_crops import check_crops
from benchmarks.golden_systems._spin_geometry import check_geometry
from benchmarks.golden_systems._spin_network import check_network
from benchmarks.golden_systems._spin_smplify import check_smplify


def check(folder: Path) -> Iterator[Comparison]:
    """All but the file of the training step, which nothing here computes yet."""
    yield from check_geometry(GoldenFile.open(folder / "spin_geometry.npz"))
    crops = GoldenFile.open(folder / "spin_crop.npz")
    yield from check_crops(crops)
    yield from check_augmentation(crops)
    yield from check_network(GoldenFile.open(folder / "spin_forward.npz"))
    yield from check_smplify(GoldenFile.open(folder / "spin_smplify.npz"))

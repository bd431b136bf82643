"""SPIN against the official implementation: geometry, crops, network."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._spin_crops import check_crops
from benchmarks.golden_systems._spin_geometry import check_geometry
from benchmarks.golden_systems._spin_network import check_network


def check(folder: Path) -> Iterator[Comparison]:
    """Everything that looking at pictures needs; fitting and training are not checked."""
    yield from check_geometry(GoldenFile.open(folder / "spin_geometry.npz"))
    yield from check_crops(GoldenFile.open(folder / "spin_crop.npz"))
    yield from check_network(GoldenFile.open(folder / "spin_forward.npz"))

"""HMR2.0 against the official 4D-Humans: weight rule, geometry, crops, network."""

import ast
from collections.abc import Iterator
from pathlib import Path

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._hmr2_crops import check_crops
from benchmarks.golden_systems._hmr2_geometry import check_geometry
from benchmarks.golden_systems._hmr2_network import check_full, check_small
from benchmarks.weight_rule import rule_array


def check(folder: Path) -> Iterator[Comparison]:
    """Everything, the quick parts first; the whole network needs 3 GB, in float64 6 GB."""
    yield from check_rule(GoldenFile.open(folder / "weight_rule_probe.npz"))
    yield from check_geometry(GoldenFile.open(folder / "hmr2_geometry.npz"))
    yield from check_crops(GoldenFile.open(folder / "hmr2_crop.npz"))
    full = GoldenFile.open(folder / "hmr2_full.npz")
    yield from check_small(GoldenFile.open(folder / "hmr2_small.npz"), full)
    yield from check_full(full)


def check_rule(golden: GoldenFile) -> Iterator[Comparison]:
    """The random weights themselves: the generator's stream is part of the proof."""
    names, shapes = golden["names"], golden["shapes"]
    arrays = [
        rule_array(str(n), ast.literal_eval(str(s))) for n, s in zip(names, shapes, strict=True)
    ]
    yield golden.compare("first8", [a.ravel()[:8] for a in arrays], 0.0)
    yield golden.compare("sum64", [a.sum(dtype="f8") for a in arrays], 1e-6, relative_from=1.0)

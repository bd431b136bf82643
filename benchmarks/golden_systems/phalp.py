"""PHALP against the official implementation: features, networks, cost, whole scenes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems import _phalp_vectors as vectors
from benchmarks.golden_systems._phalp_life import check_scene
from benchmarks.golden_systems._phalp_networks import (
    check_encoder,
    check_predictor,
    rule_encoder,
)
from benchmarks.weight_rule import rule_array


def check(folder: Path) -> Iterator[Comparison]:
    """All files."""

    def opened(name: str) -> GoldenFile:
        return GoldenFile.open(folder / f"phalp_{name}.npz")

    yield from check_rule(GoldenFile.open(folder / "weight_rule_probe.npz"))
    yield from vectors.check_features(opened("features"))
    yield from vectors.check_location(opened("location"))
    yield from vectors.check_average(opened("uv_average"))
    yield from vectors.check_prepared(opened("encoder"))
    yield from vectors.check_sampling(opened("uv_sampling"))
    yield from vectors.check_cost(opened("cost"), rule_encoder())
    yield from check_encoder(opened("encoder"))
    yield from check_predictor(opened("pose_predictor"))
    for scene in "ab":
        yield from check_scene(opened(f"lifecycle_{scene}"), opened("pose_predictor"))


def check_rule(golden: GoldenFile) -> Iterator[Comparison]:
    """First values of eight tensors."""
    first = []
    for name, shape in zip(golden["names"], golden["shapes"], strict=True):
        sizes = tuple(int(size) for size in str(shape).strip("()[] ").split(",") if size.strip())
        first.append(rule_array(str(name), sizes).ravel()[:8])
    yield golden.compare("first8", np.stack(first), 0.0)

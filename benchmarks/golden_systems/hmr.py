"""HMR against the official implementation: checkpoint, crops, discriminator, losses, network."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._hmr_bundle import check_bundle
from benchmarks.golden_systems._hmr_crops import check_crops
from benchmarks.golden_systems._hmr_network import check_network
from benchmarks.golden_systems._hmr_training import check_discriminator, check_losses


def check(folder: Path) -> Iterator[Comparison]:
    """Everything in the folder."""
    yield from check_bundle(GoldenFile.open(folder / "hmr_tf_bundle.npz"))
    yield from check_crops(GoldenFile.open(folder / "hmr_preprocess.npz"))
    yield from check_discriminator(GoldenFile.open(folder / "hmr_discriminator.npz"))
    yield from check_losses(GoldenFile.open(folder / "hmr_losses.npz"))
    yield from check_network(GoldenFile.open(folder / "hmr_forward.npz"))

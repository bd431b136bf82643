"""PHALP's two networks under rule-made weights."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from benchmarks.golden_systems._phalp_vectors import enlarged
from benchmarks.weight_rule import rule_tensors
from stages.tracking.phalp import encoder, pose_predictor
from stages.tracking.phalp.encoder import AppearanceEncoder, encoder_with, texture_distances
from stages.tracking.phalp.pose_predictor import (
    FRAMES,
    PosePredictor,
    Sizes,
    laid_out,
    predictor_with,
)

WIDTHS = {"d128": 128, "d512": 512}
CHANNELS = 16
SLICE_TOLERANCE, POSE_TOLERANCE, ROTATION_TOLERANCE = 5e-5, 1e-4, 2e-3
"""As given with the references; the last for ill-conditioned rotations."""


def rule_encoder() -> AppearanceEncoder:
    """The appearance encoder with weights by the rule."""
    return encoder_with(rule_tensors(encoder.shapes()))


def rule_predictor(width: int, golden: GoldenFile) -> PosePredictor:
    """The pose predictor with weights by the rule and the file's statistics."""
    network = predictor_with(rule_tensors(pose_predictor.shapes(Sizes(width=width))))
    mean, deviation = golden["mean_std_file"][:, 0]
    return network.standardised_by(mean, deviation)


def encoder_maps(golden: GoldenFile) -> torch.Tensor:
    """The three textures that the references were made from."""
    rng = np.random.default_rng(int(golden["seed"]))
    rgb = rng.standard_normal((3, 3, 256, 256), dtype=np.float32) * np.float32(0.3)
    visible = enlarged(rng.random((3, 1, 16, 16)) < 0.6).astype(bool)
    maps = np.concatenate([np.where(visible, rgb, 0), np.where(visible, 1, -1)], axis=1)
    maps[2, :3] *= 4
    return torch.from_numpy(maps.astype(np.float32))


@torch.inference_mode()
def check_encoder(golden: GoldenFile) -> Iterator[Comparison]:
    """Embeddings and distances of masked pairs."""
    network, maps = rule_encoder(), encoder_maps(golden)
    yield golden.compare("uv_probe", maps[:, :, 128, 120:136], 0.0)
    sums = [maps.double().sum().item(), maps.double().abs().sum().item()]
    yield golden.compare("uv_checksum", sums, 1e-6, relative_from=1.0)
    yield golden.compare("embedding", network(maps), 2e-5)
    exact = encoder_with({n: t.double() for n, t in network.state_dict().items()})
    title = f"{golden.path.stem}: f64_embedding[0]"
    first = exact(maps[:1].double())[0]
    yield compare(title, first, golden["f64_embedding"][0], 1e-9)
    distance = texture_distances(network, maps, maps)[tuple(golden["pairs"].T)]
    expected = golden["pair_A_and_overlap"][:, 0]
    title = f"{golden.path.stem}: pair_A"
    yield compare(title, distance, expected, 1e-4, relative_from=1e-6)


def check_predictor(golden: GoldenFile) -> Iterator[Comparison]:
    """Every layer and read-out of both sizes."""
    for variant, width in WIDTHS.items():
        yield from _check_predictor(golden, variant, rule_predictor(width, golden))


@torch.inference_mode()
def _check_predictor(
    golden: GoldenFile, variant: str, network: PosePredictor
) -> Iterator[Comparison]:
    layout = laid_out(golden["time"], golden["time_since_update"])
    yield golden.compare(f"{variant}_query_index", layout.query, 0.0)
    poses, seen = torch.zeros((5, FRAMES, 229)), torch.zeros((5, FRAMES), dtype=torch.bool)
    rows = np.arange(len(poses))
    for record in range(golden["pose"].shape[1]):
        places = layout.position[:, record]
        poses[rows, places] = torch.from_numpy(golden["pose"][:, record])
        seen[rows, places] = True
    embedded = network.embedded(poses)
    attended = network.attended(embedded, seen)
    features = network(poses, seen)
    frames = golden["frames"]
    if f"{variant}_poseenc_slice" in golden.arrays:
        start = embedded[:, 0, :CHANNELS]
        yield golden.compare(f"{variant}_poseenc_slice", start, 1e-5)
    slices = {"t1": attended, "conv": network.convolved(attended), "enc": features}
    for name, values in slices.items():
        found = values[:, frames, :CHANNELS]
        yield golden.compare(f"{variant}_{name}_slice", found, SLICE_TOLERANCE)
    actions = network.encoder.action_head_ava[0](features[:, frames])
    yield golden.compare(f"{variant}_read_ava_logits", actions, SLICE_TOLERANCE)
    read = network.pose_of(features[:, frames].flatten(0, 1)).unflatten(0, (5, -1))
    yield golden.compare(f"{variant}_read_pose_camera", read, ROTATION_TOLERANCE)
    given = (golden["pose"], golden["time"], golden["time_since_update"])
    yield golden.compare(f"{variant}_per_track_out", network.predict(*given), POSE_TOLERANCE)
    exact = predictor_with({n: t.double() for n, t in network.state_dict().items()})
    exact.mean, exact.deviation = network.mean, network.deviation
    yield golden.compare(f"{variant}_f64_per_track_out", exact.predict(*given), 1e-9)

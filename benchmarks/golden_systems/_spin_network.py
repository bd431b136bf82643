"""SPIN's network with rule-made weights, step by step, in float32 and float64."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._watch import compare_names, watched
from benchmarks.weight_rule import rule_tensors
from pipeline.camera import translation_from_crop
from stages.regression.spin.crops import normalised
from stages.regression.spin.network import ITERATIONS, Spin, Theta, network_with, shapes

WATCHED = ("bn1", "layer1", "layer2", "layer3", "layer4", "fc1", "fc2")
CROP_PX = 224.0
TINY = 1e-9
K_CROP_PX = np.array([[5000.0, 0, 0], [0, 5000.0, 0], [0, 0, 1]])


def rule_network() -> Spin:
    """The network with weights by the rule."""
    return network_with(rule_tensors(shapes()))


def check_network(golden: GoldenFile, *, with_float64: bool = True) -> Iterator[Comparison]:
    """All arrays of the forward file."""
    yield compare_names(golden, shapes())
    network = rule_network()
    yield from _check_inside(golden, network)
    yield from _check_results(golden, network, torch.float32, "")
    if with_float64:
        yield from _check_results(golden, network.double(), torch.float64, "_f64")


@torch.inference_mode()
def _check_inside(golden: GoldenFile, network: Spin) -> Iterator[Comparison]:
    images = normalised(torch.from_numpy(golden["crops"]))
    yield golden.compare("input_norm_slice", images[:, :, ::16, ::16], 2e-6)
    with watched(network, WATCHED) as seen:
        network(images)
    stem = seen["bn1"][0]
    yield golden.compare("slice_conv1_bn1", stem[:, ::8, ::16, ::16], 2e-5)
    pool = functional.max_pool2d(functional.relu(stem), 3, stride=2, padding=1)
    yield golden.compare("slice_maxpool", pool[:, ::8, ::8, ::8], 2e-5)
    for number, tolerance in ((1, 2e-5), (2, 2e-5), (3, 3e-5), (4, 3e-5)):
        step = 8 // 2 ** (number - 1)
        out = seen[f"layer{number}"][0][:, :: 32 * 2 ** (number - 1), ::step, ::step]
        yield golden.compare(f"slice_layer{number}", out, tolerance)
    for name in ("fc1", "fc2"):
        yield golden.compare(f"{name}_iter", torch.stack(seen[name])[..., ::16], 2e-5)


@torch.inference_mode()
def _check_results(
    golden: GoldenFile, network: Spin, dtype: torch.dtype, ending: str
) -> Iterator[Comparison]:
    exact = dtype == torch.float64
    images = normalised(torch.from_numpy(golden["crops"]), dtype)
    features = network.features(images)
    yield golden.compare(f"feat{ending}", features, 1e-10 if exact else 1e-5)
    rounds: list[Tensor] = [network.mean_theta.expand(len(images), -1)]
    for _ in range(ITERATIONS):
        rounds.append(network.improved(features, rounds[-1]))
    steps = [Theta.of(theta) for theta in rounds[1:]]
    for name, field in (("pose6d", "pose_rot6d"), ("betas", "betas"), ("cam", "crop_camera")):
        found = torch.stack([getattr(step, field) for step in steps])
        yield golden.compare(f"{name}_iter{ending}", found, 1e-10 if exact else 3e-5)
    said = network(images)
    yield golden.compare(f"pred_rotmat{ending}", said.pose_rotmat, 1e-9 if exact else 3e-5)
    yield golden.compare(f"pred_betas{ending}", said.betas, 1e-10 if exact else 3e-5)
    yield golden.compare(f"pred_cam{ending}", said.crop_camera, 1e-10 if exact else 3e-5)
    tolerance = 1e-9 if exact else 2e-5
    t = translation_in_crop(said.crop_camera)
    yield golden.compare(f"camera_translation{ending}", t, tolerance, relative_from=TINY)
    start = [torch.from_numpy(golden[f"alt_init_{name}"]) for name in ("pose", "betas", "cam")]
    other = network(images, torch.cat(start, dim=1).to(dtype), iterations=1)
    yield golden.compare(f"alt_rotmat_n1{ending}", other.pose_rotmat, 1e-9 if exact else 3e-5)
    yield golden.compare(f"alt_betas_n1{ending}", other.betas, 1e-10 if exact else 2e-5)
    yield golden.compare(f"alt_cam_n1{ending}", other.crop_camera, 1e-10 if exact else 2e-5)


def translation_in_crop(crop_camera: Tensor) -> np.ndarray:
    """Before the official focal length of 5000 px, the crop's middle on the axis."""
    count = len(crop_camera)
    place = (np.zeros((count, 2)), np.full(count, CROP_PX))
    return translation_from_crop(crop_camera.double().numpy(), *place, K_CROP_PX)

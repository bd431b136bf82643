"""HMR's network with rule-made weights, step by step, and the body that it moves."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._watch import compare_names, watched
from benchmarks.tf_weight_rule import tf_rule_tensors
from pipeline.body import BodyModel
from stages.regression.hmr.crops import normalised
from stages.regression.hmr.network import ITERATIONS, Hmr, Theta, network_with, shapes
from stages.regression.hmr.projection import crop_px, points_in_crop
from stages.regression.hmr.resnet import pooled

BLOCKS = ((1, 4), (2, 2), (3, 1), (4, 1))
"""Number, and every how many pixels are kept of it."""
WATCHED = ("conv1", "postnorm", *(f"block{number}" for number, _ in BLOCKS))


def rule_network() -> Hmr:
    """The network with weights by the rule."""
    return network_with(tf_rule_tensors(shapes()))


def check_network(golden: GoldenFile, *, with_float64: bool = True) -> Iterator[Comparison]:
    """All arrays of the forward file."""
    yield compare_names(golden, shapes())
    network = rule_network()
    yield from _check_inside(golden, network)
    steps = run(network, golden["crops"], torch.float32)
    yield golden.compare("feat", steps[0], 3e-6)
    yield golden.compare("theta_iter", steps[1], 5e-6)
    said = network(normalised(torch.from_numpy(golden["crops"])))
    theta = torch.cat([said.crop_camera, said.pose_rotvec, said.betas], dim=1)
    yield golden.compare("theta", theta, 5e-6)
    yield golden.compare("cams", said.crop_camera, 5e-6)
    yield from _check_bodies(golden, [Theta.of(theta) for theta in steps[1]])
    if not with_float64:
        return
    steps = run(network.double(), golden["crops"], torch.float64)
    yield golden.compare("feat_f64", steps[0], 1e-11)
    yield golden.compare("theta_iter_f64", steps[1], 1e-11)


@torch.inference_mode()
def run(network: Hmr, crops: np.ndarray, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Features, and theta after every round."""
    features = network.resnet_v2_50(normalised(torch.from_numpy(crops), dtype))
    rounds = [network.mean_param.expand(len(crops), -1)]
    for _ in range(ITERATIONS):
        rounds.append(network.regressor(features, rounds[-1]))
    return features, torch.stack(rounds[1:])


@torch.inference_mode()
def _check_inside(golden: GoldenFile, network: Hmr) -> Iterator[Comparison]:
    images = normalised(torch.from_numpy(golden["crops"]))
    yield golden.compare("input_slice", _last(images)[:, ::16, ::16], 1e-7)
    with watched(network.resnet_v2_50, WATCHED) as seen:
        network.resnet_v2_50(images)
    maps = {name: _last(out[0]) for name, out in seen.items()}
    yield golden.compare("slice_conv1", maps["conv1"][:, ::16, ::16, ::8], 1e-5)
    pool = _last(pooled(seen["conv1"][0]))[..., ::8]
    yield golden.compare("slice_pool1", pool[:, ::8, ::8], 1e-5)
    yield golden.compare("pool1_first_row", pool[:, 0], 1e-5)
    yield golden.compare("pool1_last_row", pool[:, -1], 1e-5)
    for number, step in BLOCKS:
        kept = maps[f"block{number}"][:, ::step, ::step, :: 16 * 2**number]
        yield golden.compare(f"slice_block{number}", kept, 1e-5)
    yield golden.compare("slice_postnorm", maps["postnorm"][..., ::256], 1e-5)


def _last(maps: Tensor) -> Tensor:
    """Channels last, as TensorFlow has them."""
    return maps.permute(0, 2, 3, 1)


@torch.inference_mode()
def _check_bodies(golden: GoldenFile, steps: list[Theta]) -> Iterator[Comparison]:
    """The made-up body moved by what the network says."""
    body, regressor = tiny_body(golden), torch.from_numpy(golden["body_cocoplus_regressor"])
    verts = [
        body.with_shape(s.betas).with_pose(pose_rotmat=s.pose_rotmat).vertices() for s in steps
    ]
    joints = torch.stack([regressor @ v for v in verts])
    cameras = torch.stack([step.crop_camera for step in steps])
    points = points_in_crop(joints, cameras)
    yield golden.compare("verts", verts[-1], 3e-6)
    yield golden.compare("joints3d", joints[-1], 3e-6)
    yield golden.compare("joints3d_iter", joints, 3e-6)
    yield golden.compare("kps_iter", points, 5e-6)
    yield golden.compare("joints2d_px", crop_px(points[-1]), 1e-3)


def tiny_body(golden: GoldenFile) -> BodyModel:
    """The file's body of 96 vertices."""

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(golden[f"body_{name}"])

    return BodyModel(
        name="tiny",
        sha256="",
        v_template_m=tensor("v_template"),
        shapedirs=tensor("shapedirs"),
        posedirs=tensor("posedirs"),
        J_regressor=tensor("J_regressor"),
        weights=tensor("weights"),
        parents=tuple(golden["body_parents"].tolist()),
        faces=np.zeros((0, 3), dtype=np.int32),
    )

"""The network of HMR2.0 against the official outputs under rule-made weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._hmr2_geometry import check_geometry
from benchmarks.golden_systems._hmr2_network import (
    check_small,
    compared,
    rule_network,
    run_head,
    run_small_backbone,
)
from benchmarks.golden_systems.hmr2 import check_rule
from stages.regression.hmr2.network import shapes

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "hmr2"
COMPLETE = Path(__file__).parents[4] / "shared" / "golden" / "hmr2"


@pytest.fixture(scope="module")
def network():
    return rule_network(2)


def _assert_all_pass(comparisons, count):
    results = list(comparisons)
    failed = [result for result in results if not result.passed]
    assert not failed
    assert len(results) == count


def test_the_rule_makes_the_reference_weights():
    _assert_all_pass(check_rule(GoldenFile.open(GOLDEN / "weight_rule_probe.npz")), 2)


def test_rotations_and_projection_are_the_official_ones():
    _assert_all_pass(check_geometry(GoldenFile.open(GOLDEN / "hmr2_geometry.npz")), 13)


def test_names_and_shapes_are_those_of_the_official_checkpoint():
    names = shapes()
    assert len(names) == 3 + 2 + 32 * 12 - 3 + 2 + 3 + 3 + 6 * 17 + 6 + 1
    assert sum(int(np.prod(shape)) for shape in names.values()) == 670_459_194
    assert names["backbone.blocks.31.attn.qkv.weight"] == (3840, 1280)
    assert names["backbone.pos_embed"] == (1, 193, 1280)
    layer = "smpl_head.transformer.transformer.layers.5"
    assert names[f"{layer}.0.fn.to_qkv.weight"] == (1536, 1024)
    assert names[f"{layer}.1.fn.to_out.0.bias"] == (1024,)
    assert names[f"{layer}.2.fn.net.3.weight"] == (1024, 1024)
    assert names["smpl_head.init_body_pose"] == (1, 144)


def test_the_head_meets_the_official_one(network):
    golden = GoldenFile.open(GOLDEN / "hmr2_head.npz")
    rng = np.random.default_rng(int(golden["head_in_seed"]))
    features = torch.from_numpy(rng.standard_normal((4, 1280, 16, 12), dtype=np.float32))
    for dtype, prefix in ((torch.float32, "head_"), (torch.float64, "f64_head_")):
        network.smpl_head.to(dtype)
        found = run_head(network, features.to(dtype))
        found["cam"] = found.pop("pred_cam")
        _assert_all_pass(compared(golden, prefix, found), 6)
    network.smpl_head.to(torch.float32)


def test_the_backbone_is_as_it_was_when_it_met_the_official_one(network):
    golden = GoldenFile.open(GOLDEN / "hmr2_backbone.npz")["feat_sub_f64"]
    crops = torch.from_numpy(GoldenFile.open(GOLDEN / "hmr2_crop.npz")["phalp_crop_u8"][:2])
    found, tolerance = run_small_backbone(network, crops, torch.float32)["feat_sub"]
    assert np.abs(found.numpy() - golden).max() < tolerance


def test_the_cut_backbone_meets_the_official_one():
    if not COMPLETE.is_dir():
        pytest.skip("the photographs that the official features belong to do not travel along")
    small, full = (GoldenFile.open(COMPLETE / f"hmr2_{name}.npz") for name in ("small", "full"))
    _assert_all_pass(check_small(small, full), 17)


def test_low_precision_stays_near_and_leaves_the_query_alone(network):
    crops = torch.from_numpy(GoldenFile.open(GOLDEN / "hmr2_crop.npz")["phalp_crop_u8"][:1])
    exact = run_small_backbone(network, crops, torch.float32)["feat_sub"][0]
    low = rule_network(2).in_precision(torch.bfloat16)
    near = run_small_backbone(low, crops, torch.bfloat16)["feat_sub"][0]
    assert near.dtype == torch.bfloat16
    assert (near - exact).abs().mean() < 0.02 * exact.abs().mean()
    layer = low.smpl_head.transformer.transformer.layers[0]
    assert layer[1].fn.to_kv.weight.dtype == torch.bfloat16
    assert layer[1].fn.to_q.weight.dtype == torch.float32
    said = low.smpl_head(torch.zeros((1, 192, 1280), dtype=torch.bfloat16))
    assert said.pose_rot6d.dtype == torch.float32

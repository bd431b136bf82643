"""SPIN: geometry, crops and network against the official ones; the backend on real files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._spin_augmentation import check_augmentation
from benchmarks.golden_systems._spin_crops import check_crops
from benchmarks.golden_systems._spin_geometry import check_geometry
from benchmarks.golden_systems._spin_network import check_network, rule_network
from benchmarks.weight_rule import rule_tensors
from pipeline.checkpoints import convert, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError, MissingError
from stages.regression import hmr, spin
from stages.regression.spin.augmentation import mirrored_points, mirrored_pose
from stages.regression.spin.crops import (
    Place,
    corners_of,
    cut_crops,
    normalised,
    place_from_boxes,
    stretched,
)
from stages.regression.spin.network import network_with, shapes
from stages.regression.spin.taps import blur_taps, mirrored, triangle_taps
from tests.stages.regression._early import BOXES, CAMERA, all_pass, detections, frames

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "spin"
COMPLETE = Path(__file__).parents[4] / "shared" / "golden" / "spin" / "spin_forward.npz"


@pytest.fixture(scope="module")
def tensors():
    return rule_tensors(shapes())


@pytest.fixture(scope="module")
def checkpoint(tensors, tmp_path_factory):
    """The official container: a training checkpoint, counters of batches and all."""
    path = tmp_path_factory.mktemp("weights") / "model_checkpoint.pt"
    counters = [n.replace("running_var", "num_batches_tracked") for n in tensors if "var" in n]
    state = {**tensors, **{name: torch.tensor(7) for name in counters}}
    torch.save({"model": state, "epoch": 3, "dataset_perm": [2, 0, 1]}, path)
    return path


def _backend(path, context=None, **settings):
    return spin.Backend(spin.Config(weights=str(path), **settings), context or Context())


def test_rotations_and_cameras_are_the_official_ones():
    all_pass(check_geometry(GoldenFile.open(GOLDEN / "spin_geometry.npz")), 13)


def test_both_kinds_of_crops_are_the_official_ones():
    all_pass(check_crops(GoldenFile.open(GOLDEN / "spin_crop.npz")), 11)


def test_turned_and_mirrored_samples_are_the_official_ones():
    all_pass(check_augmentation(GoldenFile.open(GOLDEN / "spin_augmentation.npz")), 6)


def test_mirrored_twice_is_as_before():
    rng = torch.Generator().manual_seed(0)
    pose, points = torch.randn(2, 24, 3, generator=rng), torch.randn(49, 3, generator=rng)
    assert torch.equal(mirrored_pose(mirrored_pose(pose)), pose)
    assert torch.equal(mirrored_points(mirrored_points(points)), points)


def test_the_network_is_as_it_was_when_it_met_the_official_one(tensors):
    kept, crops = np.load(GOLDEN / "spin_network.npz"), np.load(GOLDEN / "spin_crop.npz")
    images = normalised(torch.from_numpy(crops["crop_imresize"][:2]))
    with torch.inference_mode():
        said = network_with(tensors)(images)
    assert np.allclose(said.pose_rot6d, kept["pose_rot6d"], atol=3e-5)
    assert np.allclose(said.betas, kept["betas"], atol=3e-5)
    assert np.allclose(said.crop_camera, kept["crop_camera"], atol=3e-5)


@pytest.mark.skipif(not COMPLETE.is_file(), reason="needs the complete reference arrays")
def test_the_network_meets_the_official_one_step_by_step():
    all_pass(check_network(GoldenFile.open(COMPLETE), with_float64=False), 21)


def test_the_regressor_is_linear_between_its_layers():
    network = rule_network()
    features, theta = torch.zeros(1, 2048), network.mean_theta
    with torch.inference_mode():
        changes = [network.improved(k * features + k, k * theta) - k * theta for k in (1.0, 2, 3)]
    assert torch.allclose(changes[2] - changes[1], changes[1] - changes[0], atol=1e-4)


def test_a_uniform_picture_stays_uniform_at_any_size():
    for size in (1, 2, 50, 224, 1000):
        whole = triangle_taps(size, 224)
        assert (np.abs(whole.weight.sum(axis=1) - (1 << 22)) <= whole.weight.shape[1]).all()
        assert np.allclose(blur_taps(size, 224).weight.sum(axis=1), 1.0)
    assert mirrored(np.array([-2, -1, 0, 3, 4, 5]), 4).tolist() == [2, 1, 0, 3, 2, 1]
    assert mirrored(np.array([-3, 0, 3]), 1).tolist() == [0, 0, 0]


def test_levels_are_stretched_over_what_the_crop_shows():
    picture = torch.tensor([50, 90, 150], dtype=torch.uint8).reshape(1, 3, 1)
    assert stretched(picture, has_border=False).flatten().tolist() == [0, 102, 255]
    assert stretched(picture, has_border=True).flatten().tolist() == [85, 153, 255]
    assert stretched(picture[:, :1], has_border=False).item() == 0, "nothing to stretch"


@pytest.mark.parametrize("numerics", ["imresize", "cuda11"])
def test_crops_far_out_and_tiny_ones_are_black_or_of_a_single_pixel(numerics):
    picture = torch.full((40, 60, 3), 200, dtype=torch.uint8)
    centres, scales = np.array([[900.0, 900.0], [30.4, 20.4]]), np.array([0.5, 0.001])
    cut = cut_crops(picture, Place(centres, scales), numerics)
    assert not cut.rgb[0].any()
    assert cut.rgb[1].unique().numel() == 1
    assert (cut.squares.side_px >= 1).all()


def test_the_square_is_what_the_crop_shows():
    place = place_from_boxes(np.array([[60, 40, 100, 100]], np.float32))
    (corners,) = corners_of(place)
    assert corners.size_px.tolist() == [100, 100]
    cut = cut_crops(torch.zeros((200, 200, 3), dtype=torch.uint8), place)
    assert cut.squares.centre_px.tolist() == [[110.0, 90.0]]
    assert cut.squares.side_px.tolist() == [100.0]


def test_bodies_come_in_the_order_of_the_detections_whatever_the_batch(checkpoint):
    items = [(1, BOXES[2]), (0, BOXES[0])]
    together = _backend(checkpoint, batch_size=1)(list(frames()), detections(*items), CAMERA)
    one_by_one = _backend(checkpoint)
    for row, item in enumerate(items):
        alone = one_by_one(list(frames()), detections(item), CAMERA)
        assert np.allclose(together.t_camera_m[row], alone.t_camera_m[0], rtol=1e-4)
        assert np.allclose(together.pose_rotvec[row], alone.pose_rotvec[0], atol=1e-3)
    assert not np.allclose(together.pose_rotvec[0], together.pose_rotvec[1], atol=1e-3)
    assert len(one_by_one(list(frames()), detections(), CAMERA)) == 0


def test_the_settings_choose_the_crop(checkpoint):
    items = detections((0, BOXES[0]))
    default, later, wider = (
        _backend(checkpoint, **settings)(list(frames()), items, CAMERA)
        for settings in ({}, {"crop": "cuda11"}, {"enlarge": 1.2})
    )
    assert not np.allclose(default.pose_rotvec, later.pose_rotvec, atol=2e-5)
    assert not np.allclose(default.pose_rotvec, wider.pose_rotvec, atol=2e-5)


def test_smpl_shapes_are_not_put_on_another_body(checkpoint, tmp_path):
    context = Context()
    bodies = _backend(checkpoint, context)(list(frames()), detections((0, BOXES[0])), CAMERA)
    assert not bodies.betas.any()
    told = [event.kind for event in context.events.events if "spin gives the" in event.message]
    assert told == ["fallback"]
    own = Context(body_model=str(tmp_path / "SMPL_NEUTRAL.pkl"))
    assert _backend(checkpoint, own)(list(frames()), detections((0, BOXES[0])), CAMERA).betas.any()


def test_boxes_without_area_are_refused(checkpoint):
    with pytest.raises(InputError, match=r"frame 1: the box .* has no area"):
        _backend(checkpoint)(list(frames()), detections((1, (10, 20, 10, 60))), CAMERA)


def test_weights_are_converted_once_and_stay_the_same(checkpoint, tensors, tmp_path):
    target = tmp_path / "spin.safetensors"
    convert(checkpoint, spin.checkpoint_layout(), target, licence="research")
    after = read_checkpoint(target, spin.checkpoint_layout())
    assert list(after) == list(tensors)
    assert all(torch.equal(after[name], tensors[name]) for name in tensors)
    with pytest.raises(InputError, match="not the weights of HMR: the file holds"):
        read_checkpoint(target, hmr.checkpoint_layout())


def test_incomplete_and_foreign_weights_are_refused(tensors, tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    lacking = {name: t for name, t in tensors.items() if not name.startswith("dec")}
    torch.save({"model": lacking}, path)
    with pytest.raises(InputError, match=r"'decpose.weight' is missing \(6 of 278 are\)"):
        read_checkpoint(path, spin.checkpoint_layout())
    torch.save({"state_dict": {"backbone.pos_embed": torch.zeros(1)}}, path)
    with pytest.raises(InputError, match="not the weights of SPIN: the file holds backbone"):
        read_checkpoint(path, spin.checkpoint_layout())
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="humans4d models add spin FILE"):
        spin.Backend(spin.Config(), Context())

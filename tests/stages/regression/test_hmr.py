"""HMR: crops and network against the official ones; the backend on a TensorFlow checkpoint."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._hmr_crops import check_crops
from benchmarks.golden_systems._hmr_network import check_network, run
from benchmarks.golden_systems._hmr_training import check_discriminator, check_losses
from benchmarks.tf_container import write_tf_checkpoint
from benchmarks.tf_weight_rule import tf_rule_tensors
from pipeline.checkpoints import convert, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError, MissingError
from stages.regression import hmr
from stages.regression.hmr.crops import Place, cut_crops, normalised, place_from_extents, resized
from stages.regression.hmr.network import network_with, shapes
from stages.regression.hmr.resnet import pooled
from tests.stages.regression._early import BOXES, CAMERA, all_pass, detections, frames

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "hmr"
COMPLETE = Path(__file__).parents[4] / "shared" / "golden" / "hmr" / "hmr_forward.npz"


@pytest.fixture(scope="module")
def variables():
    return tf_rule_tensors(shapes())


@pytest.fixture(scope="module")
def checkpoint(variables, tmp_path_factory):
    """The official container: two files, with body constants and training's own numbers."""
    path = tmp_path_factory.mktemp("weights") / "model.ckpt-667589.index"
    extra = {
        "3D_module/fc3/biases/Adam": torch.zeros(85),
        "global_step": torch.tensor(667589),
        "v_template": torch.zeros(6, 3),
    }
    write_tf_checkpoint(path, {**variables, **extra})
    return path


def _backend(path, context=None, **settings):
    return hmr.Backend(hmr.Config(weights=str(path), **settings), context or Context())


def test_crops_and_the_way_back_are_the_official_ones():
    all_pass(check_crops(GoldenFile.open(GOLDEN / "hmr_preprocess.npz")), 9)


def test_the_discriminator_is_the_official_one():
    all_pass(check_discriminator(GoldenFile.open(GOLDEN / "hmr_discriminator.npz")), 10)


def test_the_losses_are_the_official_ones():
    all_pass(check_losses(GoldenFile.open(GOLDEN / "hmr_losses.npz")), 7)


def test_the_network_is_as_it_was_when_it_met_the_official_one(variables):
    crops = np.load(GOLDEN / "hmr_preprocess.npz")["crops"][:2]
    _, rounds = run(network_with(variables), crops, torch.float32)
    assert np.allclose(rounds, np.load(GOLDEN / "hmr_network.npz")["theta_iter"], atol=5e-6)


@pytest.mark.skipif(not COMPLETE.is_file(), reason="needs the complete reference arrays")
def test_the_network_meets_the_official_one_step_by_step():
    all_pass(check_network(GoldenFile.open(COMPLETE), with_float64=False), 20)


def test_the_pool_pads_right_and_below_only():
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert pooled(picture).flatten().tolist() == [10, 11, 14, 15]
    assert pooled(-picture).flatten().tolist() == [0, -2, -8, -10], "no zeros come in"


def test_crops_are_those_of_opencv_at_any_size():
    rng = np.random.default_rng(1)
    for scale in (0.31, 0.5, 1.0, 1.37, 2.0, 3.9):
        height, width = rng.integers(20, 120, 2)
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        centre_px = rng.uniform((0, 0), (width, height))
        where = resized(int(width), int(height), centre_px, scale)
        whole = cv2.resize(picture, tuple(where.size_wh_px.tolist()))
        padded = np.pad(whole, ((112, 112), (112, 112), (0, 0)), mode="edge")
        x, y = where.centre_px
        expected = padded[y : y + 224, x : x + 224].astype(int)
        place = Place(centre_px[None], np.array([scale]))
        found = cut_crops(torch.from_numpy(picture), place).rgb[0].numpy()
        assert np.abs(found - expected).max() <= 1, "a level where OpenCV versions differ"
        assert (found != expected).mean() < 0.01


def test_a_box_becomes_150_px_from_corner_to_corner():
    place = place_from_extents(np.array([[10, 20, 40, 60]], np.float32))
    assert place.scale.tolist() == [3.0]
    assert place.centre_px.tolist() == [[25.0, 40.0]]


def test_levels_become_numbers_around_zero():
    crop = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)
    assert torch.allclose(normalised(crop).flatten(), torch.tensor([-1.0, -0.6, 1.0]))


def test_bodies_come_in_the_order_of_the_detections_whatever_the_batch(checkpoint):
    items = [(1, BOXES[2]), (0, BOXES[0])]
    together = _backend(checkpoint, batch_size=1)(list(frames()), detections(*items), CAMERA)
    one_by_one = _backend(checkpoint)
    for row, item in enumerate(items):
        alone = one_by_one(list(frames()), detections(item), CAMERA)
        assert np.allclose(together.t_camera_m[row], alone.t_camera_m[0], rtol=1e-4)
        assert np.allclose(together.pose_rotvec[row], alone.pose_rotvec[0], atol=1e-3)
    assert not np.allclose(together.pose_rotvec[0], together.pose_rotvec[1], atol=1e-4)
    assert len(one_by_one(list(frames()), detections(), CAMERA)) == 0


def test_smpl_shapes_are_not_put_on_another_body(checkpoint):
    context = Context()
    bodies = _backend(checkpoint, context)(list(frames()), detections((0, BOXES[0])), CAMERA)
    assert not bodies.betas.any()
    told = [event.kind for event in context.events.events if "hmr gives the" in event.message]
    assert told == ["fallback"]


def test_boxes_without_area_are_refused(checkpoint):
    with pytest.raises(InputError, match=r"frame 1: the box .* has no area"):
        _backend(checkpoint)(list(frames()), detections((1, (10, 20, 10, 60))), CAMERA)


def test_weights_are_converted_once_and_stay_the_same(checkpoint, variables, tmp_path):
    target = tmp_path / "hmr.safetensors"
    convert(checkpoint, hmr.checkpoint_layout(), target, licence="research")
    after = read_checkpoint(target, hmr.checkpoint_layout())
    assert sorted(after) == sorted(variables)
    assert all(torch.equal(after[name], variables[name]) for name in variables)


def test_incomplete_and_foreign_weights_are_refused(variables, tmp_path, monkeypatch):
    path = tmp_path / "model.ckpt-1.index"
    lacking = {name: v for name, v in variables.items() if not name.startswith("3D_module")}
    write_tf_checkpoint(path, lacking)
    with pytest.raises(InputError, match=r"'3D_module/fc1/weights' is missing \(6 of 277 are\)"):
        read_checkpoint(path, hmr.checkpoint_layout())
    torch.save({"model": {"conv1.weight": torch.zeros(1)}}, tmp_path / "spin.pt")
    with pytest.raises(InputError, match="not the weights of HMR: the file holds conv1"):
        read_checkpoint(tmp_path / "spin.pt", hmr.checkpoint_layout())
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match=r"model\.ckpt-667589\.index .*models add hmr FILE"):
        hmr.Backend(hmr.Config(), Context())

"""The hmr2 backend on real files: weights found and checked, boxes checked, batches that fit."""

from functools import partial

import av
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from benchmarks.official_container import write_lightning_checkpoint
from benchmarks.weight_rule import rule_tensors
from pipeline.commands import models
from pipeline.context import Context
from pipeline.errors import InputError, MissingError, UserError
from pipeline.events import EventLog
from pipeline.frame import Frame
from pipeline.safetensors_file import read_metadata
from pipeline.types import Bodies, Camera, Detections
from stages.regression import hmr2
from stages.regression._crop_prediction import CropPrediction
from stages.regression._crops import normalised
from stages.regression._predictor import Predictor
from stages.regression.hmr2.network import empty_network, network_with

CAMERA = Camera(np.array([[500.0, 0, 80], [0, 500.0, 60], [0, 0, 1]]), "given")
BOXES = ((10, 5, 60, 115), (70, 20, 150, 110), (-20, 30, 40, 130))


def _shapes(block_count):
    state = empty_network(block_count).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Rule-made weights of a network with a single block, in the official container."""
    path = tmp_path_factory.mktemp("weights") / "epoch=35-step=1000000.ckpt"
    tensors = rule_tensors(_shapes(1)) | {"smpl.v_template": torch.zeros(6890, 3)}
    write_lightning_checkpoint(path, tensors)
    return path


@pytest.fixture
def short_network(monkeypatch):
    monkeypatch.setattr(hmr2, "shapes", partial(_shapes, 1))
    monkeypatch.setattr(hmr2, "network_with", partial(network_with, block_count=1))


def _frames(count=2):
    rng = np.random.default_rng(0)
    for index in range(count):
        rgb = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
        yield Frame(index, index / 30, av.VideoFrame.from_ndarray(rgb, format="rgb24"))


def _detections(*items):
    return Detections(
        frame_index=np.array([index for index, _ in items], np.int32),
        boxes_xyxy_px=np.array([box for _, box in items], np.float32).reshape(-1, 4),
        score=np.ones(len(items), np.float32),
    )


def _backend(path, context=None, **settings):
    return hmr2.Backend(hmr2.Config(weights=str(path), **settings), context or Context())


@pytest.mark.usefixtures("short_network")
def test_bodies_come_in_the_order_of_the_detections_whatever_the_batch(checkpoint):
    frames = list(_frames())
    items = [(0, BOXES[0]), (0, BOXES[1]), (1, BOXES[2])]
    together = _backend(checkpoint, batch_size=2)(frames, _detections(*items), CAMERA)
    assert isinstance(together, Bodies)
    for row, item in enumerate(items):
        alone = _backend(checkpoint)(frames, _detections(item), CAMERA)
        assert np.allclose(together.t_camera_m[row], alone.t_camera_m[0], rtol=1e-4)
        assert np.allclose(together.pose_rotvec[row], alone.pose_rotvec[0], atol=1e-3)
    assert not np.allclose(together.pose_rotvec[0], together.pose_rotvec[1], atol=1e-2)


@pytest.mark.usefixtures("short_network")
def test_both_published_crops_can_be_chosen(checkpoint):
    frames, detections = list(_frames()), _detections((0, BOXES[0]))
    both = [
        _backend(checkpoint, crop=crop)(frames, detections, CAMERA)
        for crop in ("tracker", "image_demo")
    ]
    assert np.allclose(both[0].pose_rotvec, both[1].pose_rotvec, atol=1e-5), "a small person"


@pytest.mark.usefixtures("short_network")
def test_no_detections_give_no_bodies(checkpoint):
    bodies = _backend(checkpoint)(list(_frames()), _detections(), CAMERA)
    assert len(bodies) == 0
    assert bodies.pose_rotvec.shape == (0, 24, 3)


@pytest.mark.usefixtures("short_network")
def test_smpl_shapes_are_not_put_on_another_body(checkpoint, tmp_path):
    frames, detections = list(_frames()), _detections((0, BOXES[0]))
    context = Context()
    bodies = _backend(checkpoint, context)(frames, detections, CAMERA)
    assert not bodies.betas.any()
    told = [event for event in context.events.events if "body.model=" in event.message]
    assert [event.kind for event in told] == ["fallback"]
    own = Context(body_model=str(tmp_path / "SMPL_NEUTRAL.pkl"))
    bodies = _backend(checkpoint, own)(frames, detections, CAMERA)
    assert bodies.betas.any()
    assert not [event for event in own.events.events if "body.model=" in event.message]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((10, 20, 10, 60), "has no area"),
        ((10, 60, 30, 20), "has no area"),
        ((np.nan, 0, 10, 10), "is not made of finite numbers"),
        ((200, 10, 300, 90), "lies beside the picture of 160x120 px"),
        ((10, -90, 60, 0), "lies beside the picture of 160x120 px"),
    ],
)
def test_boxes_that_cannot_be_cropped_are_refused(checkpoint, box, message):
    detections = _detections((0, BOXES[0]), (1, box))
    with pytest.raises(InputError, match=f"frame 1: the box .* {message}"):
        _backend(checkpoint)(list(_frames()), detections, CAMERA)


def test_weights_of_another_depth_are_refused(checkpoint):
    with pytest.raises(InputError, match=r"'backbone\.blocks\.1\.norm1\.weight' is missing \(372"):
        _backend(checkpoint)(list(_frames()), _detections((0, BOXES[0])), CAMERA)


def test_without_weights_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="humans4d models add hmr2 FILE"):
        hmr2.Backend(hmr2.Config(), Context())
    with pytest.raises(MissingError, match="which is no file"):
        _backend(tmp_path / "absent.ckpt")


class _SmallMemory(torch.nn.Module):
    """Takes `room` crops and no more; says the first pixel of each."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def forward(self, images):
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        first = images[:, :1, 0, 0]
        eye = torch.eye(3).expand(len(images), 24, 3, 3)
        return CropPrediction(eye, first.expand(-1, 10), first.expand(-1, 3))


def _predictor(room, batch_size):
    cpu = torch.device("cpu")
    network = _SmallMemory(room)
    return Predictor("hmr2", network, normalised, cpu, torch.float32, batch_size, EventLog())


def test_a_batch_that_does_not_fit_is_halved_and_told():
    predictor = _predictor(room=3, batch_size=8)
    crops = torch.arange(11, dtype=torch.uint8)[:, None, None, None].expand(11, 256, 192, 3)
    said = predictor(crops)
    assert predictor.batch_size == 2
    expected = (np.arange(11) - 255 * 0.485) / (255 * 0.229)
    assert np.allclose(said.betas[:, 0].numpy(), expected, atol=1e-5), "none lost, none twice"
    messages = [event.message for event in predictor.events.events]
    assert ["for 8 crops" in messages[0], "for 4 crops" in messages[1]] == [True, True]
    assert {event.kind for event in predictor.events.events} == {"info"}


def test_memory_for_not_even_one_crop_is_an_error_in_words():
    with pytest.raises(UserError, match="too little free memory for a single crop"):
        _predictor(room=0, batch_size=4)(torch.zeros((1, 256, 192, 3), dtype=torch.uint8))


@pytest.mark.usefixtures("short_network")
def test_models_add_checks_and_converts_and_the_backend_finds_it(checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    told = CliRunner().invoke(models.app, ["add", "hmr2", str(checkpoint)])
    assert told.exit_code == 0
    assert "research only" in told.output
    assert read_metadata(tmp_path / "hmr2.safetensors")["source_file"] == checkpoint.name
    frames, detections = list(_frames()), _detections((0, BOXES[0]))
    added = hmr2.Backend(hmr2.Config(), Context())(frames, detections, CAMERA)
    given = _backend(checkpoint)(frames, detections, CAMERA)
    assert np.array_equal(added.pose_rotvec, given.pose_rotvec)


@pytest.mark.usefixtures("short_network")
def test_models_add_leaves_nothing_of_a_wrong_file(monkeypatch, tmp_path):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path / "cache"))
    wrong = tmp_path / "spin.pt"
    torch.save({"model": {"conv1.weight": torch.ones(2)}}, wrong)
    result = CliRunner().invoke(models.app, ["add", "hmr2", str(wrong)])
    assert isinstance(result.exception, InputError)
    assert "not the weights of HMR2.0" in str(result.exception)
    assert not list((tmp_path / "cache").glob("*"))

"""The yolo backend on files of weights: random ones, a head of known answers, a trained one."""

import os
import pickle
import subprocess
import sys

import av
import numpy as np
import pytest
import torch

pytest.importorskip("ultralytics", reason="ultralytics (extra 'yolo') is not installed")

from ultralytics.nn import tasks

from pipeline.context import Context
from pipeline.errors import InputError, MissingError, UserError
from pipeline.events import EventLog
from pipeline.frame import Frame
from pipeline.types import Detections
from stages.detection import yolo
from stages.detection.yolo.decode import HeadFacts
from stages.detection.yolo.model_file import Model
from stages.detection.yolo.network import Runner
from tests.stages.detection.yolo_models import (
    CLASSES,
    TINY,
    answer_everywhere,
    draw_figure,
    noise_rgb,
    random_model,
    save_model,
    trained_model,
)


def _frames(*pictures):
    return [
        Frame(i, i / 30, av.VideoFrame.from_ndarray(rgb, format="rgb24"))
        for i, rgb in enumerate(pictures)
    ]


def _noise(count, size_wh_px=(203, 121)):
    rng = np.random.default_rng(0)
    return [noise_rgb(rng, size_wh_px) for _ in range(count)]


def _backend(path, context=None, **settings):
    return yolo.Backend(yolo.Config(weights=str(path), **settings), context or Context())


def _anchors(size_wh_px, stride):
    """(n, 2) centres of the head's places in the network's picture."""
    x, y = (np.arange(length // stride) + 0.5 for length in size_wh_px)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) * stride


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """In half precision, as published weights are."""
    path = tmp_path_factory.mktemp("yolo") / "random.pt"
    return save_model(path, random_model("yolo11n.yaml", CLASSES["yolo11n.yaml"]).half())


def test_random_weights_give_valid_detections_whatever_the_batch(detector):
    frames = _frames(*_noise(3))
    found = _backend(detector, min_score=0.0, max_people=7, batch_size=2)(frames)
    assert isinstance(found, Detections)
    assert found.frame_index.tolist() == sorted(found.frame_index.tolist())
    assert set(found.frame_index.tolist()) == {0, 1, 2}
    boxes = found.boxes_xyxy_px
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert boxes.min() >= 0 and boxes[:, 2].max() <= 203 and boxes[:, 3].max() <= 121
    assert found.skeleton is None and found.landmarks_px is None
    alone = _backend(detector, min_score=0.0, max_people=7, batch_size=1)(frames[1:2])
    of_second = found.boxes_xyxy_px[found.frame_index == 1]
    assert np.allclose(alone.boxes_xyxy_px, of_second, atol=1e-2)


def test_nobody_and_no_frames_are_empty_detections(detector):
    backend = _backend(detector, min_score=0.9)
    for found in (backend(_frames(*_noise(2))), backend([])):
        assert len(found) == 0
        assert found.boxes_xyxy_px.shape == (0, 4)


def test_frames_of_different_sizes_keep_their_order(tmp_path):
    model = answer_everywhere(tasks.DetectionModel(TINY, verbose=False), (1, 1, 1, 1))
    path = save_model(tmp_path / "known.pt", model, image_px=64)
    pictures = [*_noise(1, (64, 64)), *_noise(2, (64, 32)), *_noise(1, (64, 64))]
    found = _backend(path, nms_iou=1.0)(_frames(*pictures))
    assert np.bincount(found.frame_index).tolist() == [16, 8, 8, 16]


@pytest.mark.parametrize("size", [(203, 121), (121, 203), (640, 352), (33, 500)])
def test_the_heads_boxes_come_back_into_the_frame(tmp_path, size):
    """Every anchor says 1, 2, 3, 4 strides: centre, distances, letterbox, cut at the edge."""
    model = answer_everywhere(tasks.DetectionModel(TINY, verbose=False), (1, 2, 3, 4))
    path = save_model(tmp_path / "known.pt", model, image_px=320)
    found = _backend(path, nms_iou=1.0, max_people=1000)(_frames(*_noise(1, size)))
    ratio = 320 / max(size)
    scaled = np.maximum(np.round(np.array(size) * ratio), 1)
    padded = np.ceil(scaled / 16).astype(int) * 16
    anchors = _anchors(padded, 16)
    reach = np.array([[-16, -32], [48, 64]])
    boxes = (anchors[:, None] + reach).reshape(-1, 4)
    boxes -= np.tile((padded - scaled) // 2, 2)
    boxes = np.clip(boxes * np.tile(np.array(size) / scaled, 2), 0, np.tile(size, 2))
    boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
    assert np.allclose(
        np.sort(found.boxes_xyxy_px.view("f4,f4,f4,f4"), axis=0).view("f4").reshape(-1, 4),
        np.sort(np.ascontiguousarray(boxes, np.float32).view("f4,f4,f4,f4"), axis=0)
        .view("f4")
        .reshape(-1, 4),
        atol=0.02,
    )
    assert np.allclose(found.score, 1 / (1 + np.exp(-2)), atol=1e-5)


def test_a_pose_head_gives_cocos_landmarks_in_the_frame(tmp_path):
    """Keypoint k says (k / 10, -k / 10) and the logit 3: x = (2 k / 10 + column) strides."""
    model = random_model("yolo11n-pose.yaml", CLASSES["yolo11n-pose.yaml"])
    bias = np.array([[k / 10, -k / 10, 3.0] for k in range(17)]).ravel()
    path = save_model(tmp_path / "pose.pt", answer_everywhere(model, (1,) * 4, 2.0, bias))
    found = _backend(path, nms_iou=1.0, max_people=1000)(_frames(*_noise(1, (256, 128))))
    assert found.skeleton == "coco17" and found.landmarks_m is None
    assert found.landmarks_px.shape == (len(found), 17, 3)
    assert np.allclose(found.landmarks_px[..., 2], 1 / (1 + np.exp(-3)), atol=1e-5)
    k = np.arange(17) / 10
    expected = []
    for stride in (8, 16, 32):  # the frame is halved, without padding
        corner = _anchors((128, 64), stride) / stride - 0.5
        expected.append((corner[:, None] + 2 * np.stack([k, -k], -1)) * stride * 2)
    expected = np.concatenate(expected)
    assert len(expected) == len(found) == 16 * 8 + 8 * 4 + 4 * 2
    miss = np.abs(found.landmarks_px[:, None, :, :2] - expected[None]).max(axis=(2, 3))
    assert miss.min(axis=1).max() < 1e-2 and miss.min(axis=0).max() < 1e-2


@pytest.mark.parametrize("end_to_end", [False, True])
def test_networks_with_two_heads_can_be_used_both_ways(tmp_path, end_to_end):
    posing = TINY | {"kpt_shape": [17, 3], "head": [[[3], 1, "Pose", ["nc", [17, 3]]]]}
    model = random_model(posing | {"end2end": True}, tasks.PoseModel)
    model.model[-1].end2end = end_to_end
    path = save_model(tmp_path / "two_heads.pt", model)
    backend = _backend(path, min_score=0.0, max_people=5)
    assert backend._model.facts.is_end_to_end == end_to_end
    found = backend(_frames(*_noise(1)))
    assert len(found) >= 1
    assert found.landmarks_px.shape == (len(found), 17, 3)
    assert np.isfinite(found.landmarks_px).all()


def test_a_network_trained_here_finds_the_figures(tmp_path):
    """Trained on one figure in 96 px; asked for two in a frame of odd size, at 192 px."""
    path = save_model(tmp_path / "figures.pt", trained_model(), image_px=192)
    rng = np.random.default_rng(5)
    rgb, empty = noise_rgb(rng, (203, 151)), noise_rgb(rng, (203, 151))
    drawn = [draw_figure(rgb, rng, (50, 70), 50), draw_figure(rgb, rng, (140.5, 90), 45)]
    found = _backend(path, min_score=0.3, nms_iou=0.5)(_frames(rgb, empty))
    assert found.frame_index.tolist() == [0, 0], "two in the first frame, nobody in the second"
    boxes = found.boxes_xyxy_px[np.argsort(found.boxes_xyxy_px[:, 0])]
    low, high = np.maximum(boxes, drawn)[:, :2], np.minimum(boxes, drawn)[:, 2:]
    shared = np.prod(high - low, axis=1)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, np.array(drawn))]
    assert (shared / (areas[0] + areas[1] - shared) > 0.6).all()


def test_full_frames_are_told_of_once(detector):
    context = Context()
    _backend(detector, context, min_score=0.0, max_people=1)(_frames(*_noise(2)))
    assert [event.kind for event in context.events.events] == ["truncation"]
    assert "frames with 1 people" in context.events.events[0].message


def test_missing_weights_say_where_they_come_from(tmp_path, monkeypatch, detector):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match=r"curl -fL .*yolo11x\.pt'? https://github\.com/ultral"):
        yolo.Backend(yolo.Config(), Context())
    (tmp_path / "mine.pt").write_bytes(detector.read_bytes())
    assert _backend("mine.pt", min_score=0.9)(_frames(*_noise(1))).boxes_xyxy_px.shape == (0, 4)


def test_what_is_no_yolo_for_people_is_refused(tmp_path):
    def refused(match, path, **settings):
        with pytest.raises(InputError, match=match):
            _backend(path, **settings)

    page = tmp_path / "page.pt"
    page.write_text("<html>404</html>")
    refused("cannot be read as YOLO weights", page)
    refused("is no .pt file", page.rename(tmp_path / "page.onnx"))
    state = tmp_path / "state.pt"
    torch.save({"state_dict": {"a": torch.zeros(2)}}, state)
    refused("holds no YOLO network of ultralytics, but nothing", state)
    torch.save(torch.zeros(2), state)
    refused("is no checkpoint of ultralytics|cannot be read", state)
    classify = random_model("yolo11n-cls.yaml", tasks.ClassificationModel)
    refused("for the task 'classify'", save_model(tmp_path / "classify.pt", classify))
    cars = tasks.DetectionModel(TINY, verbose=False)
    path = save_model(tmp_path / "cars.pt", cars, names=("car",))
    refused("knows no class called person, but car", path)
    assert len(_backend(path, person_names=("car",), min_score=1.0)(_frames(*_noise(1)))) == 0


def test_a_truncated_file_is_refused(tmp_path, detector):
    path = tmp_path / "half.pt"
    path.write_bytes(detector.read_bytes()[:100_000])
    with pytest.raises(InputError, match="cannot be read as YOLO weights"):
        _backend(path)


def test_damaged_numbers_are_refused(tmp_path):
    model = tasks.DetectionModel(TINY, verbose=False)
    model.model[0].conv.weight.data[:] = float("nan")
    path = save_model(tmp_path / "nan.pt", model, image_px=64)
    with pytest.raises(InputError, match="not finite"):
        _backend(path)(_frames(*_noise(1)))


class _Harm:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_code_in_a_file_does_not_run_unless_trusted(tmp_path):
    mark = tmp_path / "ran"
    model = tasks.DetectionModel(TINY, verbose=False)
    model.names = {0: "person"}
    path = tmp_path / "harm.pt"
    torch.save({"model": model, "date": _Harm(f"touch {mark}")}, path, pickle_module=pickle)
    with pytest.raises(InputError, match=r"detection\.yolo\.trust=true"):
        _backend(path)
    assert not mark.exists()
    assert len(_backend(path, trust=True, min_score=1.0)(_frames(*_noise(1)))) == 0
    assert mark.exists()


def test_a_batch_that_does_not_fit_is_halved_and_told():
    class SmallMemory(torch.nn.Module):
        room = 2

        def forward(self, pictures):
            if len(pictures) > self.room:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return pictures[:, 0, :1, :1]

    facts = HeadFacts(1, (0,), None, False)
    images = [np.full((4, 4, 3), value, np.uint8) for value in range(7)]
    run = Runner(Model(SmallMemory(), facts, 64, 32), torch.device("cpu"), 4, EventLog())
    assert [round(float(raw) * 255) for raw in run(images)] == list(range(7))
    assert [event.kind for event in run.events.events] == ["info"]
    run.batch_size = 1
    run.model.network.room = 0
    with pytest.raises(UserError, match="too little free memory for a single frame"):
        list(run(images))


def test_the_licence_bill_says_agpl():
    (licence,) = yolo.LICENCES
    assert licence.copyleft and "AGPL-3.0" in licence.licence


def test_importing_it_changes_nothing_for_others():
    """ultralytics sets OMP_NUM_THREADS, OpenCV's threads and how NumPy prints; all is undone."""
    code = (
        "import os, cv2, numpy as np, torch; cv2.setNumThreads(2); before = dict(os.environ);"
        "threads = torch.get_num_threads(), cv2.getNumThreads(), str(np.array([1.5]));"
        "import stages.detection.yolo, sys;"
        "assert dict(os.environ) == before;"
        "assert threads == (torch.get_num_threads(), cv2.getNumThreads(), str(np.array([1.5])));"
        "assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

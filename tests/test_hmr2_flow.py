"""Both settings with HMR2.0, from the command line to valid files, with made-up weights.

The detector is a network of ultralytics whose head has one place and always answers: one person,
as large as the frame, with the keypoints of somebody standing. HMR2.0 has rule-made weights in the
official container and one of its 32 blocks. So every step runs as it will with real weights, but
what is seen in the pictures decides nothing here.
"""

import json
import sys
from functools import partial

import av
import numpy as np
import pytest
import torch

pytest.importorskip("ultralytics", reason="ultralytics (extra 'yolo') is not installed")

from ultralytics.nn import tasks

from benchmarks.official_container import write_lightning_checkpoint
from benchmarks.weight_rule import rule_tensors
from pipeline import cli
from pipeline.skeletons import COCO17, SMPL24
from stages.regression import hmr2
from stages.regression.hmr2.network import empty_network, network_with
from tests.stages.detection.yolo_models import TINY, answer_everywhere, noise_rgb, save_model

SIZE_WH_PX = (96, 128)
FRAMES = 5
STANDING = {
    "nose": (0, -0.8),
    "eye": (0.03, -0.83),
    "ear": (0.07, -0.82),
    "shoulder": (0.18, -0.62),
    "elbow": (0.22, -0.35),
    "wrist": (0.24, -0.1),
    "hip": (0.1, 0.0),
    "knee": (0.11, 0.4),
    "ankle": (0.12, 0.8),
}
"""Left points, from the middle in half heights of the frame; the left side is on the right."""


def _shapes(block_count):
    state = empty_network(block_count).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _standing_xy():
    """(17, 2) in half heights."""
    mirror = [-1 if "right" in point else 1 for point in COCO17.points]
    parts = [point.removeprefix("left_").removeprefix("right_") for point in COCO17.points]
    return np.array([STANDING[part] for part in parts]) * np.stack([mirror, np.ones(17)], axis=-1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A clip and the weights of both networks."""
    folder = tmp_path_factory.mktemp("flow")
    rng = np.random.default_rng(0)
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = SIZE_WH_PX
        stream.pix_fmt = "yuv420p"
        for _ in range(FRAMES):
            picture = av.VideoFrame.from_ndarray(noise_rgb(rng, SIZE_WH_PX), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    # A picture of 16 px is one place of the head with its corner at 0: x = 2 * 16 * said.
    said = (8 + 8 * _standing_xy()) / 32
    bias = np.concatenate([said, np.full((17, 1), 3.0)], axis=1).ravel()
    posing = TINY | {"kpt_shape": [17, 3], "head": [[[3], 1, "Pose", ["nc", [17, 3]]]]}
    pose = answer_everywhere(tasks.PoseModel(posing, verbose=False), (1, 1, 1, 1), 2.0, bias)
    plain = answer_everywhere(tasks.DetectionModel(TINY, verbose=False), (1, 1, 1, 1))
    save_model(folder / "pose.pt", pose, image_px=16)
    save_model(folder / "boxes.pt", plain, image_px=16)
    tensors = rule_tensors(_shapes(1)) | {"smpl.v_template": torch.zeros(6890, 3)}
    write_lightning_checkpoint(folder / "hmr2.ckpt", tensors)
    return folder


@pytest.fixture
def humans4d(monkeypatch, capsys):
    """The command line in this process, with a HMR2.0 of a single block."""
    monkeypatch.setattr(hmr2, "shapes", partial(_shapes, 1))
    monkeypatch.setattr(hmr2, "network_with", partial(network_with, block_count=1))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["humans4d", *map(str, arguments)])
        code = cli._exit_code()
        printed = capsys.readouterr()
        assert code == 0, printed.out + printed.err

    return call


def _run(humans4d, files, out, config, detector):
    humans4d(
        "run",
        files / "clip.mp4",
        f"detection.yolo.weights={files / detector}",
        f"regression.hmr2.weights={files / 'hmr2.ckpt'}",
        "-c",
        config,
        "-o",
        out,
        "-q",
    )
    humans4d("validate", out)
    report = json.loads((out / "run.json").read_text())
    (person,) = (out / "people").glob("person_*.npz")
    return report, dict(np.load(person))


def _check_whole(out, report, person):
    assert len(report["people"]) == 1
    assert person["poses"].shape == (FRAMES, 72)
    assert all(np.isfinite(person[key]).all() for key in ("poses", "trans", "betas"))
    with av.open(str(out / "overlay.mp4")) as overlay:
        assert sum(1 for _ in overlay.decode(video=0)) == FRAMES
    terms = {used["what"]: used for used in report["licences"]["used"]}
    assert terms["ultralytics and YOLO weights"]["copyleft"]
    assert "HMR2.0" in report["licences"]["verdict"], "the weights that allow the least decide"


def _kept(out, stage):
    return dict(np.load(out / f"{stage}.npz"))


def test_hmr2_from_video_to_files(humans4d, files, tmp_path):
    out = tmp_path / "out"
    report, person = _run(humans4d, files, out, "hmr2", "boxes.pt")
    _check_whole(out, report, person)
    assert np.allclose(person["boxes_xyxy_px"], [0, 0, *SIZE_WH_PX])
    assert "keypoints_px" not in person


def test_hmr2_refined_fits_the_keypoints(humans4d, files, tmp_path):
    out = tmp_path / "out"
    report, person = _run(humans4d, files, out, "hmr2_refined", "pose.pt")
    _check_whole(out, report, person)
    expected = np.array(SIZE_WH_PX) / 2 + 64 * _standing_xy()
    assert np.allclose(person["keypoints_px"][..., :2], expected, atol=1e-3)
    assert not [
        event
        for event in report["events"]
        if event["stage"] == "refinement" and event["kind"] != "info"
    ]
    feet = [
        person["joints_camera_m"][:, SMPL24.indices(*names)].mean(axis=(0, 1))
        for names in (("left_ankle", "right_ankle"), ("head",))
    ]
    assert feet[0][1] > feet[1][1] + 0.8, "whatever HMR2.0 said, the fitted body stands upright"

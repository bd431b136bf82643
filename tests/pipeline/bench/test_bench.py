"""The command on a tiny set of scenes, and what it says to bad input."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline import weights
from pipeline.body import load_body
from pipeline.cli import app
from pipeline.context import Context
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.scenes import scene_list
from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.film_cache import cached_film
from pipeline.scenes.specs import Procedural, Role, SceneSpec
from pipeline.skeletons import SMPL24

SINGLE = SceneSpec(
    "one",
    "single",
    (Role(Procedural("reach"), 3),),
    0.8,
    camera=CameraPlan(distance_m=4.0),
    fps=15.0,
    width_px=480,
    height_px=270,
)
SEVERAL = SceneSpec(
    "two",
    "several",
    (Role(Procedural("reach", ((-0.7, 0.0),)), 4), Role(Procedural("squat", ((0.7, 0.0),)), 5)),
    0.8,
    camera=CameraPlan("handheld", distance_m=4.4),
    fps=15.0,
    width_px=480,
    height_px=270,
)


@pytest.fixture
def ready():
    try:
        weights.path("blazepose-detector")
        weights.path("blazepose-landmarks")
    except MissingError as error:
        pytest.skip(str(error))


def bench(*words):
    return CliRunner().invoke(app, ["bench", "-q", *map(str, words)])


def test_a_tiny_benchmark_prints_and_writes_every_figure(ready, tmp_path, monkeypatch):
    tiny = scene_list.SceneList((SINGLE, SEVERAL), None)
    monkeypatch.setattr(scene_list, "scene_list", lambda *_, **__: tiny)
    file = tmp_path / "figures.json"
    done = bench("scenes", "--json", file, "--cache", tmp_path / "cache", "-o", tmp_path / "runs")
    assert done.exit_code == 0, done.output
    for words in ("Scenes, all together", "Scenes, identities", "Figures to reach", "unrefined"):
        assert words in done.output
    figures = json.loads(file.read_text())
    assert set(figures["configurations"]) == {"default", "unrefined"}
    each = figures["scenes"]["each"]
    assert [(s["scene"], s["configuration"]) for s in each] == [
        ("one", "default"),
        ("one", "unrefined"),
        ("two", "default"),
        ("two", "unrefined"),
    ]
    for scene in each:
        for person in scene["score"]["people"]:
            assert person["coverage"] == 1
            assert 5 < person["pa_mpjpe_mm"] < 120
            assert person["pa_mpjpe_mm"] <= person["mpjpe_mm"] <= 1.6 * person["pve_mm"]
            assert 0 < person["true_foot_slide_mm_per_frame"] < 1
        assert scene["seconds"] > 0 and scene["frames"] == 12
    together = figures["scenes"]["together"]["single"]["default"]
    assert together["mpjpe_mm"] == pytest.approx(each[0]["score"]["people"][0]["mpjpe_mm"])
    targets = {t["what"]: t for t in figures["targets"] if t["configuration"] == "default"}
    assert targets["scenes PA-MPJPE"]["value"] == pytest.approx(together["pa_mpjpe_mm"])
    assert targets["scenes PA-MPJPE"]["reached"] == (together["pa_mpjpe_mm"] <= 45)
    assert (tmp_path / "runs" / "two" / "default" / "people" / "person_002.npz").is_file()


def test_a_clip_of_the_user_s_own_is_scored(ready, tmp_path):
    film = cached_film(SINGLE, load_body(), None, tmp_path, Context())
    joints = ("left_hip", "right_hip", "left_knee", "right_knee", "left_elbow", "right_elbow")
    camera = {
        "rotmat_camera_world": film.truth.rotmat_camera_world,
        "t_camera_world_m": film.truth.t_camera_world_m,
    }
    world_m = film.truth.in_world(np.arange(12), film.truth.joints_camera_m[0])
    np.savez(
        tmp_path / "truth.npz",
        joint_names=np.array(joints),
        joints_m=world_m[:, SMPL24.indices(*joints)],
        K_px=film.truth.K_px,
        points="smpl24",
        fps=15.0,
        **camera,
    )
    file = tmp_path / "figures.json"
    done = bench("--clip", film.clip, "--truth", tmp_path / "truth.npz", "--json", file)
    assert done.exit_code == 0, done.output
    scores = {s["configuration"]: s["score"] for s in json.loads(file.read_text())["clip"]}
    assert set(scores) == {"BlazePose's own 3D", "default", "unrefined"}
    assert scores["default"]["frames"] == 12
    assert 5 < scores["default"]["pa_mpjpe_mm"] < 120
    assert scores["BlazePose's own 3D"]["pa_mpjpe_mm"] is None  # it has no SMPL joints


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (["scenes", "--motions", "nowhere"], InputError, "no such folder"),
        (["real", "--data", "nowhere"], InputError, "no such folder"),
        (["-c", "nosuch"], SettingsError, "no shipped settings"),
        (["smoothing.backend=nosuch"], SettingsError, "unknown backend"),
        (["pictures"], SettingsError, "unknown part"),
        (["scenes", "--only", "nosuch"], SettingsError, "unknown scene"),
        (["--clip", "a.mp4"], SettingsError, "belong together"),
        (["scenes", "--clip", "a.mp4", "--truth", "b.npz"], SettingsError, "leave out 'scenes'"),
        (["--clip", "a.mp4", "--truth", "b.npz"], InputError, "b.npz: no such file"),
    ],
)
def test_bad_input_is_told(words, error, says):
    done = bench(*words)
    assert isinstance(done.exception, error), done.output
    assert says in str(done.exception)
    assert done.exception.exit_code == (3 if error is InputError else 2)

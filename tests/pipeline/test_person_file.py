import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.body import load_body
from pipeline.files import write_npz
from pipeline.person_file import person_arrays, person_path, read_person, write_people
from pipeline.schema import PERSON_ENTRIES, person_problems
from pipeline.storage import read_npz
from tests.pipeline.nouns import a_camera, a_person

SCHEMA_PAGE = Path(__file__).parent.parent.parent / "docs" / "schema.md"


@pytest.fixture(scope="module")
def arrays():
    return person_arrays(a_person(unseen=(3,)), a_camera(), load_body(), "clip.mp4")


def test_files_are_written_read_back_and_stale_ones_removed(tmp_path):
    body, camera = load_body(), a_camera()
    write_people(tmp_path, (a_person(1), a_person(2)), camera, body, Path("clip.mp4"))
    write_people(tmp_path, (a_person(2),), camera, body, Path("a/clip.mp4"))
    assert [p.name for p in (tmp_path / "people").iterdir()] == ["person_002.npz"]
    person, loaded = read_person(person_path(tmp_path, 2))
    np.testing.assert_array_equal(person.pose_rotvec, a_person(2).pose_rotvec)
    assert str(loaded["source_video"]) == "clip.mp4"
    assert person_problems(loaded) == []


def test_expected_errors_are_kept_in_degrees(tmp_path):
    person = a_person(1, unseen=(3,))
    told = np.full((len(person), 24), 0.1, np.float32)
    told[3] = np.nan
    person = replace(person, pose_spread_rad=told)
    write_people(tmp_path, (person,), a_camera(), load_body(), Path("clip.mp4"))
    again, loaded = read_person(person_path(tmp_path, 1))
    assert person_problems(loaded) == []
    np.testing.assert_allclose(loaded["expected_error_deg"][0], np.rad2deg(0.1), rtol=1e-6)
    np.testing.assert_allclose(again.pose_spread_rad, told, rtol=1e-6)


def test_amass_readers_find_their_names(arrays):
    assert arrays["poses"].shape == (8, 72)
    assert arrays["trans"].shape == (8, 3)
    assert arrays["mocap_framerate"] == pytest.approx(30.0)
    assert arrays["gender"] == "neutral"


def test_joints_agree_with_the_rest_skeleton_at_the_root(arrays):
    person, body = a_person(), load_body()
    root = body.J_template_m[0].numpy() + body.J_dirs[0].numpy() @ person.betas
    expected = root + person.t_camera_m
    np.testing.assert_allclose(arrays["joints_camera_m"][:, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("poses", None, "poses is missing"),
        ("poses", np.zeros((8, 69), np.float32), "poses has shape"),
        ("trans", np.zeros((7, 3), np.float32), "trans has shape"),
        ("trans", np.full((8, 3), np.nan, np.float32), "trans holds values that are not finite"),
        ("betas", np.zeros(10, np.int64), "betas holds int64"),
        ("frame_index", np.arange(8)[::-1].astype(np.int32), "frame_index does not count up"),
        ("time_s", np.zeros(8), "time_s does not increase"),
        ("status", np.full(8, 9, np.uint8), "status holds [9]"),
        ("confidence", np.full(8, 2, np.float32), "confidence"),
        ("camera_K_px", np.zeros((3, 3)), "camera_K_px"),
        ("schema_version", 99, "schema_version is 99"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, arrays, key, value, words):
    broken = {k: v for k, v in arrays.items() if k != key or value is not None}
    if value is not None:
        broken[key] = value
    write_npz(tmp_path / "p.npz", broken)
    problems = person_problems(read_npz(tmp_path / "p.npz"))
    assert any(words in text for text in problems), problems


def test_the_written_schema_names_every_key():
    listed = set(re.findall(r"`(\w+)`", SCHEMA_PAGE.read_text(encoding="utf-8")))
    assert set(PERSON_ENTRIES) <= listed

"""What a user of `humans4d export` types, and what comes back."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.format_readers.truth import made_up_people, write_made_up_result
from pipeline.errors import EXIT_INPUT, EXIT_OUTPUT, EXIT_SETTINGS
from pipeline.files import write_npz
from pipeline.storage import read_npz


@pytest.fixture
def result(tmp_path):
    return write_made_up_result(tmp_path / "made_up").path


def test_several_formats_after_one_option_beside_the_result(humans4d, result):
    code, text = humans4d("export", result, "--to", "bvh", "csv", "bvh.unit=m", "--people", "2")
    assert code == 0, text
    assert (result / "export" / "bvh" / "made_up_person_002.bvh").exists()
    assert not (result / "export" / "bvh" / "made_up_person_001.bvh").exists()
    assert (result / "export" / "csv" / "made_up_joints.csv").exists()
    assert "assumption: person 2: 2 frames without a body" in text


def test_a_stretch_in_another_folder(humans4d, result, tmp_path):
    out = tmp_path / "elsewhere"
    arguments = ("--start", 0.6, "--end", 0.75, "--to", "motchallenge", "-o", out)
    code, text = humans4d("export", result, *arguments)
    assert code == 0, text
    lines = (out / "motchallenge" / "made_up.txt").read_text().splitlines()
    assert sorted({int(line.split(",")[0]) for line in lines}) == [19, 20, 21, 22, 23]


def test_someone_unseen_in_the_stretch_is_dropped_aloud(humans4d, result):
    code, text = humans4d("export", result, "--to", "csv", "--end", 0.55)
    assert code == 0
    assert "drop: person 2: not seen in this stretch" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--to", "csv", "--people", "7"), EXIT_SETTINGS, "It has: 1,2"),
        (("--to", "csv", "--people", "a"), EXIT_SETTINGS, "write ids with commas"),
        (("--to", "xyz"), EXIT_SETTINGS, "unknown format. Known: amass"),
        (("--to", "fbx"), EXIT_SETTINGS, "Blender"),
        (("--to", "mot"), EXIT_SETTINGS, "motchallenge"),
        (("--to", "csv", "--start", "9"), EXIT_SETTINGS, "no frame there"),
        (("--to", "bvh", "bvh.units=m"), EXIT_SETTINGS, "unknown setting 'units'"),
        (("--to", "bvh", "glb.split=true"), EXIT_SETTINGS, "FORMAT.SETTING=VALUE"),
        (("--to", "csv", "--up", "x"), EXIT_SETTINGS, "up"),
        (("--to", "csv", "--body", "none.pkl"), 4, "no such file"),
        ((), EXIT_SETTINGS, "--to"),
    ],
)
def test_what_is_wrong_is_one_line(humans4d, result, arguments, code, words):
    got, text = humans4d("export", result, *arguments)
    assert got == code, text
    assert words in text
    assert not (result / "export").exists()


def change_report(result, **values):
    path = result / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def change_person(result, **values):
    path = result / "people" / "person_001.npz"
    write_npz(path, {**read_npz(path), **values})


def test_results_that_are_not_whole_are_refused(humans4d, result):
    change_report(result, status="incomplete")
    assert humans4d("export", result, "--to", "csv")[0] == EXIT_OUTPUT
    change_report(result, status="complete", schema_version=0)
    code, text = humans4d("export", result, "--to", "csv")
    assert code == EXIT_OUTPUT and "schema version 0" in text
    change_report(result, schema_version=1)
    (result / "people" / "person_001.npz").unlink()
    assert humans4d("export", result, "--to", "csv")[0] == EXIT_OUTPUT
    assert humans4d("export", result.parent, "--to", "csv")[0] == EXIT_OUTPUT


def test_nan_and_edited_files_are_named(humans4d, result):
    bad = np.full((14, 3), np.nan, np.float32)
    change_person(result, trans=bad)
    code, text = humans4d("export", result, "--to", "csv")
    assert code == EXIT_OUTPUT
    assert "trans holds values that are not finite" in text and "humans4d validate" in text


def test_another_body_than_the_results_is_refused(humans4d, result):
    change_person(result, body_model="smpl-12345678")
    code, text = humans4d("export", result, "--to", "csv")
    assert code == EXIT_SETTINGS and "--body" in text


def test_nobody_to_export(humans4d, tmp_path):
    empty = write_made_up_result(tmp_path / "empty", people=())
    code, text = humans4d("export", empty.path, "--to", "csv")
    assert code == EXIT_INPUT and "nobody" in text


def test_the_floor_is_that_of_the_whole_result(humans4d, result, tmp_path):
    """Whatever part is exported, what is level is the same: a body leans as much."""
    leans = []
    for part in ((), ("--people", "2", "--start", "0.7"), None):
        out, floor = tmp_path / str(len(leans)), () if part is None else ("--floor",)
        code, text = humans4d("export", result, "--to", "csv", *floor, *(part or ()), "-o", out)
        assert code == 0 and ("degrees down" in text) == bool(floor)
        with next((out / "csv").glob("*.csv")).open() as file:
            rows = list(csv.DictReader(file))
        row = next(r for r in rows if r["person"] == "2" and float(r["time_s"]) > 0.8)
        leans.append([float(row[f"head_{k}_m"]) - float(row[f"pelvis_{k}_m"]) for k in "xyz"])
    assert leans[0] == pytest.approx(leans[1], abs=2e-6)
    assert np.abs(np.subtract(leans[0], leans[2])).max() > 0.01


def test_one_frame_is_enough(humans4d, tmp_path):
    person = made_up_people()[0]
    part = {
        key: getattr(person, key)[:1]
        for key in (
            *("frame_index", "time_s", "status", "confidence", "pose_rotvec", "t_camera_m"),
            *("boxes_xyxy_px", "keypoints_px"),
        )
    }
    single = write_made_up_result(tmp_path / "one", people=(replace(person, **part),))
    code, text = humans4d("export", single.path, "--to", "all")
    assert code == 0, text

"""`--json`: one document on stdout and nothing else there, also when it fails."""

import json
import sys

import numpy as np
import pytest

from benchmarks.format_readers.truth import made_up_people, write_made_up_result
from pipeline import cli
from pipeline.errors import EXIT_INPUT, EXIT_OUTPUT, EXIT_SETTINGS
from pipeline.mot_text import mot_of, write_mot
from tests.pipeline.test_cli import write_clip


@pytest.fixture
def document(monkeypatch, capsys):
    """Run the command line; gives the exit code and stdout as JSON."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["humans4d", *map(str, arguments), "--json"])
        code = cli._exit_code()
        return code, json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    return call


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return write_made_up_result(tmp_path_factory.mktemp("json") / "result")


def test_a_run_prints_its_report_with_times(document, tmp_path):
    clip = write_clip(tmp_path / "noise.mp4")
    code, told = document("run", clip, "-o", tmp_path / "out")
    assert code == 0
    assert told["video"]["frame_count"] == 4
    assert told["nothing_to_do"] is False
    timings = told["timings"]
    assert timings["seconds"] == pytest.approx(sum(m["seconds"] for m in told["made"].values()))
    seconds = told["made"]["perception"]["seconds"]
    assert timings["frames_per_second"]["perception"] == pytest.approx(4 / seconds, abs=0.01)
    assert 50 < timings["peak_memory_mb"] < 10_000
    assert all(made["peak_memory_mb"] > 50 for made in told["made"].values())
    lines = (tmp_path / "out" / "run.log.jsonl").read_text().splitlines()
    stages = {json.loads(line)["stage"] for line in lines}
    assert {"perception", "tracking", "people"} <= stages
    code, again = document("run", clip, "-o", tmp_path / "out")
    assert (code, again["nothing_to_do"]) == (0, True)


def test_inspect_and_validate(document, result):
    code, told = document("inspect", result.path)
    assert code == 0
    assert [person["id"] for person in told["people"]] == [p.id for p in made_up_people()]
    assert told["verdicts"] == []
    file = next((result.path / "people").iterdir())
    code, told = document("inspect", file)
    assert code == 0
    assert "poses" in {row["array"] for row in told["arrays"]}
    code, told = document("validate", result.path)
    assert (code, told["valid"], told["problems"]) == (0, True, [])


def test_what_is_not_valid_is_listed(document, tmp_path):
    folder = write_made_up_result(tmp_path / "result").path
    path = sorted((folder / "people").iterdir())[0]
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    np.savez(path, **{**arrays, "confidence": arrays["confidence"] + 5})
    code, told = document("validate", folder)
    assert (code, told["valid"]) == (EXIT_OUTPUT, False)
    assert any("confidence leaves 0..1" in problem for problem in told["problems"])


def test_track_tells_who_was_found(document, tmp_path):
    write_mot(tmp_path / "boxes.txt", mot_of(made_up_people()))
    code, told = document("track", "--detections", tmp_path / "boxes.txt", "tracking.backend=sort")
    assert (code, told["backend"]) == (0, "sort")
    assert told["people"]
    assert sum(person["boxes"] for person in told["people"]) <= told["boxes"]


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (["run", "no.mp4"], EXIT_INPUT, "InputError"),
        (["inspect", "nowhere"], EXIT_OUTPUT, "OutputError"),
        (["run", "no.mp4", "camera.fokal=3"], EXIT_SETTINGS, "SettingsError"),
        (["validate", "a", "b"], EXIT_SETTINGS, "SettingsError"),
    ],
)
def test_errors_are_documents_with_their_exit_code(document, words, code, kind):
    found, told = document(*words)
    assert (found, told["error"]["kind"], told["error"]["exit_code"]) == (code, kind, code)
    assert told["error"]["message"]

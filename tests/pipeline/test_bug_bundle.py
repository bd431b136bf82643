"""A bundle for a bug report tells the run and nobody's name, path or motion."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks.format_readers.truth import write_made_up_result
from pipeline import cli
from pipeline.bug_bundle import CONTENT, write_bundle
from pipeline.errors import EXIT_SETTINGS, InputError
from pipeline.identities import Edit, Identities, write_identities
from pipeline.privacy import scrubber

PLANTED = ("Zelda", "Brunhilde", "Wedding", "Kunigunde", "Habicht", "Ottokar", "secret_body")


@pytest.fixture
def result(tmp_path):
    """A result in a folder, of a video, with people and settings that have private names."""
    folder = write_made_up_result(tmp_path / "Zelda family" / "result")
    video = "/home/ottokar/Wedding of Brunhilde.mp4"
    report = json.loads(folder.report_path.read_text())
    report["video"]["path"] = video
    report["people"][0]["name"] = "Kunigunde Habicht"
    report["settings"]["body"] = {"model": "models/secret_body.npz"}
    message = f"{video} is cut off; see Wedding of Brunhilde.mp4. Kunigunde left (person 1)"
    report["events"] = [{"stage": "video", "kind": "truncation", "message": message}]
    folder.report_path.write_text(json.dumps(report))
    write_identities(folder.path, Identities("", (Edit("name", (2,), "Ottokar"),)))
    lines = [
        {"message": f"reading {video}", "fields": {"who": "HABICHT", "at": str(folder.path)}},
        {"message": "mail ottokar@example.org, see file:///home/ottokar/x or ~/Zelda/y"},
    ]
    (folder.path / "run.log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    return folder


def members_of(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def test_no_private_word_is_in_a_bundle(result, tmp_path):
    names = write_bundle(tmp_path / "bug.zip", result.path)
    members = members_of(tmp_path / "bug.zip")
    assert list(members) == names == list(CONTENT)
    for name, text in members.items():
        for word in (*PLANTED, str(tmp_path), str(Path.home()) + "/"):
            assert word.lower() not in text.lower(), f"{word} in {name}"
    run = json.loads(members["run.json"])
    assert run["video"]["frame_count"] > 0
    assert run["people"][0]["confidence"] > 0
    assert "is cut off" in run["events"][0]["message"]
    assert run["settings"]["body"]["model"].startswith("<")
    assert len(members["run.log.jsonl"].splitlines()) == 2
    versions = json.loads(members["versions.json"])
    assert versions["packages"]["numpy"]


def test_a_bundle_holds_no_motion_and_no_picture(result, tmp_path):
    write_bundle(tmp_path / "bug.zip", result.path)
    text = "".join(members_of(tmp_path / "bug.zip").values())
    for word in ("keypoints", "poses", "betas", "boxes", "base64", "trail_m", "series"):
        assert word not in text
    assert (tmp_path / "bug.zip").stat().st_size < 50_000


def test_a_damaged_result_and_none_at_all_have_bundles_too(result, tmp_path):
    result.report_path.write_text("{")
    write_bundle(tmp_path / "bug.zip", result.path)
    assert "damaged" in members_of(tmp_path / "bug.zip")["run.json"]
    assert set(write_bundle(tmp_path / "alone.zip", None)) == {
        "README.txt",
        "versions.json",
        "machine.json",
    }


def test_wrong_use_is_told(result, tmp_path, monkeypatch, capsys):
    with pytest.raises(InputError, match=r"bug\.zip"):
        write_bundle(tmp_path / "bundle.txt", None)
    with pytest.raises(InputError, match="no such result folder"):
        write_bundle(tmp_path / "bug.zip", tmp_path / "nowhere")
    monkeypatch.setattr(sys, "argv", ["humans4d", "doctor", str(result.path)])
    assert cli._exit_code() == EXIT_SETTINGS
    assert "--bundle" in capsys.readouterr().err


def test_a_word_that_cannot_be_taken_out_stops_the_bundle(tmp_path):
    scrub = scrubber({"video": "x/numpy.mp4"}, {}, frozenset())
    assert scrub.left_in("numpy 2.0") == ["numpy"]
    assert scrub.text("numpy, NumPy and numpyro") == "<video>, <video> and numpyro"


def test_paths_and_addresses_of_any_kind_go():
    scrub = scrubber({}, {7: "Jo Li"}, frozenset())
    for private in (
        "/data/x/y.mp4",
        "~/films/z.mov",
        "s3://bucket/key",
        "a.b@example.org",
        "C:\\Users\\x\\y.mp4",
        "Jo Li",
    ):
        text = scrub.text(f"cannot read {private}: gone")
        assert private not in text
        assert text.startswith("cannot read <")
        assert text.endswith("gone")
    assert scrub.text("12/25 frames, 3 m/s, and/or") == "12/25 frames, 3 m/s, and/or"

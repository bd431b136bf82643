"""report.html and report.json: self-contained, small, made from what is there, true to it."""

import json
import re
import sys

import numpy as np
import pytest

from benchmarks.format_readers.truth import made_up_people, write_made_up_result
from pipeline import cli, storage
from pipeline.context import Context
from pipeline.encode import OverlayWriter
from pipeline.errors import OutputError
from pipeline.files import write_npz
from pipeline.judging.floor import floor_words
from pipeline.report_page import write_report
from pipeline.report_page.charts import Span
from pipeline.report_page.facts import status_runs
from pipeline.report_page.page import _backends
from pipeline.report_page.stills import read_pictures
from pipeline.types import Video
from pipeline.viewer import write_viewer
from tests.pipeline.test_cli import write_clip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = write_made_up_result(tmp_path_factory.mktemp("report") / "made_up")
    files = write_report(folder, Context())
    return folder, files


def test_the_page_needs_nothing_else(report):
    folder, files = report
    assert [file.name for file in files] == ["report.json", "report.html"]
    page = folder.page_path.read_text(encoding="utf-8")
    outside = re.findall(r'(?:src|href)\s*=\s*"(?!data:)[^"]*"|url\((?!#)[^)]*\)|@import', page)
    assert not outside
    assert "<script" not in page
    assert len(page) < 200_000


def test_page_and_json_say_the_same(report):
    folder, _ = report
    facts = json.loads(folder.quality_path.read_text())
    page = " ".join(folder.page_path.read_text(encoding="utf-8").split())
    assert [person["id"] for person in facts["people"]] == [1, 2]
    for person in facts["people"]:
        assert person["verdict"]["level"] in ("good", "fair", "poor")
        for finding in person["verdict"]["findings"]:
            assert finding["text"].replace("'", "&#39;") in page


def test_numbers_are_those_of_the_files(report):
    folder, _ = report
    facts = json.loads(folder.quality_path.read_text())
    for person, entry in zip(made_up_people(), facts["people"], strict=True):
        assert entry["summary"]["observed_share"] == pytest.approx(person.observed.mean(), abs=1e-4)
        assert entry["series"]["time_s"] == pytest.approx(person.time_s, abs=1e-4)
        drawn = np.where(person.drawn, person.confidence, np.nan)
        known = [v for v in entry["series"]["confidence"] if v is not None]
        assert known == pytest.approx(drawn[np.isfinite(drawn)], abs=1e-4)


def test_status_runs_cover_the_whole_time():
    person = made_up_people()[1]
    runs = status_runs(person)
    assert runs[0]["start_s"] == pytest.approx(person.time_s[0], abs=1e-4)
    assert [a["end_s"] for a in runs[:-1]] == [b["start_s"] for b in runs[1:]]
    gone = [run for run in runs if run["status"] == "missing"]
    assert gone[0]["end_s"] - gone[0]["start_s"] == pytest.approx(2 / 30, abs=1e-3)


def test_ticks_are_round_and_inside():
    ticks = Span(0.98, 3.99, 0.0, 100.0).ticks_s()
    assert ticks[0] >= 0.98
    assert ticks[-1] <= 3.99
    assert np.diff(ticks) == pytest.approx(0.5)


def test_nobody_is_a_page_too(tmp_path):
    folder = write_made_up_result(tmp_path / "empty", people=())
    write_report(folder, Context())
    assert "No person was found" in folder.page_path.read_text(encoding="utf-8")


def test_a_file_edited_into_nonsense_is_named(tmp_path):
    folder = write_made_up_result(tmp_path / "bad")
    path = next((folder.path / "people").glob("*.npz"))
    arrays = storage.read_npz(path)
    write_npz(path, {**arrays, "poses": arrays["poses"][:, :60]})
    with pytest.raises(OutputError, match=r"poses has shape .*humans4d validate"):
        write_report(folder, Context())


@pytest.mark.parametrize("frames", [40, 700])
def test_key_frames_and_portraits_show_the_right_moment(tmp_path, frames):
    """Every frame's brightness tells its number."""
    clip = write_clip(tmp_path / "source.mp4", frames=2)
    time_s = np.arange(frames) / 30.0
    video = Video(clip, 96, 64, 0, time_s, 0, False, "h264")
    film = tmp_path / "overlay.mp4"
    with OverlayWriter(film, video) as writer:
        for row in range(frames):
            writer.write(np.full((64, 96, 3), 20 + 200 * row // frames, np.uint8))
    people = made_up_people()[:1]
    pictures = read_pictures(film, time_s, people)
    shown = [_brightness(still.jpeg) for still in pictures.stills]
    expected = [20 + 200 * still.time_s * 30 / frames for still in pictures.stills]
    assert len(shown) >= 2
    assert shown == pytest.approx(expected, abs=4)
    assert set(pictures.portraits) == {1}
    portrait = pictures.portraits[1]
    assert people[0].time_s[0] <= portrait.time_s <= people[0].time_s[-1]
    assert _brightness(portrait.jpeg) == pytest.approx(
        20 + 200 * portrait.time_s * 30 / frames, abs=4
    )


def _brightness(jpeg: bytes) -> float:
    import cv2

    return float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).mean())


def run_cli(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["humans4d", *map(str, arguments)])
    return cli._exit_code()


def test_a_run_writes_it_keeps_it_and_can_leave_it_out(tmp_path, monkeypatch):
    clip, out = write_clip(tmp_path / "noise.mp4"), tmp_path / "out"
    assert run_cli(monkeypatch, "run", clip, "-o", out, "-q") == 0
    made = (out / "report.html").stat().st_mtime_ns
    report = json.loads((out / "run.json").read_text())
    assert set(report["made"]["report"]["files"]) == {"report.html", "report.json"}
    assert run_cli(monkeypatch, "run", clip, "-o", out, "-q", "camera.focal_px=null") == 0
    assert (out / "report.html").stat().st_mtime_ns == made
    (out / "report.html").unlink()
    assert run_cli(monkeypatch, "run", clip, "-o", out, "-q") == 0
    assert (out / "report.html").exists()
    assert json.loads((out / "run.json").read_text())["made"]["perception"]["reused"]
    without = tmp_path / "without"
    assert run_cli(monkeypatch, "run", clip, "-o", without, "-q", "report.enabled=false") == 0
    assert not (without / "report.html").exists()


def test_inspect_tells_the_verdicts(report, monkeypatch, capsys):
    folder, _ = report
    whole = json.loads(folder.report_path.read_text())
    people = [
        {**entry, "first_frame": 0, "last_frame": 1, "first_s": 0.0, "last_s": 1.0}
        | {"observed_share": 1.0, "interpolated_share": 0.0, "confidence": 1.0}
        | {"reprojection_px": None, "jitter_m_s3": None}
        for entry in whole["people"]
    ]
    whole["video"]["duration_s"] = 1.0
    whole["licences"] = {"verdict": "free", "used": []}
    folder.report_path.write_text(json.dumps({**whole, "people": people}))
    assert run_cli(monkeypatch, "inspect", folder.path) == 0
    shown = " ".join(capsys.readouterr().out.split())
    facts = json.loads(folder.quality_path.read_text())
    for person in facts["people"]:
        assert f"person {person['id']}: {person['verdict']['text']}" in shown


def test_names_given_by_hand_are_shown_and_run_nothing(tmp_path):
    folder = write_made_up_result(tmp_path / "made_up")
    report = folder.read_report()
    report["people"][0]["name"] = "Ada </script><b>"
    folder.write_report(report)
    write_report(folder, Context())
    page = folder.page_path.read_text(encoding="utf-8")
    assert "Person 1 Ada &lt;/script&gt;&lt;b&gt;" in page and "Person 2 <span" in page
    viewer = write_viewer(folder, tmp_path / "viewer.html", Context()).read_text(encoding="utf-8")
    facts = re.search(r'<script type="application/json" id="facts">(.*?)</script>', viewer, re.S)
    assert facts is not None
    assert [p["name"] for p in json.loads(facts[1])["people"]] == ["Ada </script><b>", ""]


def test_a_floor_that_is_a_guess_is_called_one(tmp_path):
    told = write_made_up_result(tmp_path / "made_up")
    write_report(told, Context())
    source = json.loads(told.quality_path.read_text())["floor"]["source"]
    page = " ".join(told.page_path.read_text(encoding="utf-8").split())
    assert source == "lowest feet" and "is a guess, and people may hover above it" in page
    assert floor_words("standing feet") not in page


def test_the_first_pass_has_one_time_for_its_two_stages():
    settings = {
        "detection": {"backend": "a"},
        "regression": {"backend": "b"},
        "tracking": {"backend": "c"},
        "video": {"max_frames": 1},
    }
    rows = _backends({"settings": settings, "seconds": {"perception": 2.0}})
    assert rows == [("detection and regression", "a, b", 2.0), ("tracking", "c", None)]

"""Results of other versions: brought up to date, or refused with the way out."""

import json

import pytest

from benchmarks.format_readers.truth import write_made_up_result
from pipeline.errors import OutputError
from pipeline.migrations import SCHEMA_VERSION, brought_up_to_date
from pipeline.result import ResultFolder


def test_the_first_results_of_version_1_get_events_with_their_stages():
    events = [{"stage": "video", "kind": "info", "message": "x"}]
    report = {
        "schema_version": 1,
        "made": {"tracking": {"files": {}}, "people": {"files": {}, "events": events}},
    }
    made = brought_up_to_date(report, "run.json")["made"]
    assert made == {
        "tracking": {"files": {}, "events": []},
        "people": {"files": {}, "events": events},
    }
    assert "events" not in report["made"]["tracking"], "what came in is left alone"


def test_steps_are_taken_one_after_the_other():
    steps = {
        1: lambda report: {**report, "camera": {"K_px": report["K"]}},
        2: lambda report: {**report, "said": f"from {report['schema_version']}"},
    }
    told = brought_up_to_date({"schema_version": 1, "K": 7}, "run.json", steps, newest=3)
    assert told["schema_version"] == 3
    assert told["camera"] == {"K_px": 7} and told["said"] == "from 2"
    halfway = brought_up_to_date({"schema_version": 2, "K": 7}, "run.json", steps, newest=3)
    assert "camera" not in halfway


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (
            {"schema_version": SCHEMA_VERSION + 1, "humans4d_version": "9.1"},
            r"humans4d 9\.1.*Update",
        ),
        ({"schema_version": 0, "humans4d_version": "0.0.1"}, r"knows no way from 0.*Run the video"),
        ({"schema_version": "1"}, "is no version"),
        ({"schema_version": True}, "is no version"),
        ({}, "is no version"),
        ([], "is no version"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(report, words):
    with pytest.raises(OutputError, match=words):
        brought_up_to_date(report, "run.json")


def test_a_folder_is_brought_up_when_it_is_read(tmp_path):
    folder = write_made_up_result(tmp_path / "x")
    written = json.loads(folder.report_path.read_text())
    for stage in written["made"].values():
        stage.pop("events", None)
    folder.report_path.write_text(json.dumps(written))
    made = ResultFolder(folder.path).read_report()["made"]
    assert all(stage["events"] == [] for stage in made.values())
    written["schema_version"] = 7
    folder.report_path.write_text(json.dumps(written))
    with pytest.raises(OutputError, match="Update humans4d"):
        folder.read_report()

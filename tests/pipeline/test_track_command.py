"""`humans4d track`: boxes as text in, boxes with ids as text out."""

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import InputError, SettingsError
from pipeline.mot_text import MotBoxes, read_mot, write_mot

FRAMES = 60


@pytest.fixture
def detections(tmp_path):
    """Two people who walk past each other, at 25 fps, in a file of boxes without ids."""
    x = np.stack([100 + 6.0 * np.arange(FRAMES), 500 - 6.0 * np.arange(FRAMES)], axis=1)
    y = np.array([100.0, 130.0]) + np.zeros((FRAMES, 1))
    boxes = np.stack([x - 40, y, x + 40, y + 200], axis=-1).reshape(-1, 4)
    frame = np.repeat(np.arange(FRAMES), 2)
    ids, score = np.full(len(frame), -1), np.full(len(frame), 0.9)
    write_mot(tmp_path / "det.txt", MotBoxes(frame, ids, boxes, score))
    return tmp_path / "det.txt"


@pytest.mark.parametrize("tracker", ["phalp", "sort", "bytetrack"])
def test_ids_are_given_to_boxes(detections, tmp_path, tracker):
    out = tmp_path / "result.txt"
    words = ["track", "--detections", str(detections), "--mot-out", str(out)]
    done = CliRunner().invoke(app, [*words, f"tracking.backend={tracker}"])
    assert done.exit_code == 0, done.output
    found = read_mot(out)
    assert len(found.ids) == 2 * FRAMES
    for person in (1, 2):
        own = found.boxes_xyxy_px[found.ids == person, 0]
        np.testing.assert_allclose(np.diff(own), 6.0 if own[0] < 300 else -6.0, atol=0.01)


def test_what_is_wrong_is_told(detections, tmp_path):
    runner = CliRunner()
    bad = tmp_path / "bad.txt"
    bad.write_text("1,2\n")
    failed = runner.invoke(app, ["track", "--detections", str(bad)])
    assert isinstance(failed.exception, InputError)
    failed = runner.invoke(app, ["track", "--detections", str(detections), "--size", "big"])
    assert isinstance(failed.exception, SettingsError)
    bad.write_text("")
    failed = runner.invoke(app, ["track", "--detections", str(bad)])
    assert isinstance(failed.exception, InputError)
    assert "holds no boxes" in str(failed.exception)


def test_posetrack_json_goes_in_and_out(detections, tmp_path):
    """The same people by both formats."""
    runner, mot, json = CliRunner(), tmp_path / "a.txt", tmp_path / "a.json"
    both = ["--mot-out", str(mot), "--posetrack-out", str(json)]
    done = runner.invoke(app, ["track", "--detections", str(detections), *both])
    assert done.exit_code == 0, done.output
    again = tmp_path / "b.txt"
    done = runner.invoke(app, ["track", "--detections", str(json), "--mot-out", str(again)])
    assert done.exit_code == 0, done.output
    first, second = read_mot(mot), read_mot(again)
    np.testing.assert_array_equal(first.ids, second.ids)
    np.testing.assert_allclose(first.boxes_xyxy_px, second.boxes_xyxy_px, atol=0.01)

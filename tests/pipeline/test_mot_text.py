"""MOT text: there and back, counted from 1, faults named by line."""

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.mot_text import MotBoxes, as_detections, filled_boxes, mot_of, read_mot, write_mot
from tests.stages.tracking.scenes import boxes_at, detections_of, track, video_of


def test_frames_and_pixels_are_counted_from_one(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text("2,-1,11,21,30,40,0.5,-1,-1,-1\n1,-1,1,1,10,20,7\n\n")
    boxes = read_mot(path)
    assert boxes.frame_index.tolist() == [0, 1]
    np.testing.assert_allclose(boxes.boxes_xyxy_px, [[0, 0, 10, 20], [10, 20, 40, 60]])
    np.testing.assert_allclose(as_detections(boxes).score, [1.0, 0.5])


def test_what_is_written_is_read_back(tmp_path):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 500, (20, 2))
    size = rng.uniform(5, 90, (20, 2))
    boxes = MotBoxes(
        np.sort(rng.integers(0, 9, 20)),
        rng.integers(1, 5, 20),
        np.concatenate([corner, corner + size], axis=1),
        rng.random(20),
    )
    write_mot(tmp_path / "out.txt", boxes)
    back = read_mot(tmp_path / "out.txt")
    np.testing.assert_array_equal(back.frame_index, boxes.frame_index)
    np.testing.assert_array_equal(back.ids, boxes.ids)
    np.testing.assert_allclose(back.boxes_xyxy_px, boxes.boxes_xyxy_px, atol=2e-3)


@pytest.mark.parametrize(
    ("line", "fault"),
    [("1,-1,a,2,3,4,1", "line 1"), ("1,-1,2,3", "has 4 numbers"), ("0,-1,1,1,2,2,1", "from 1")],
)
def test_faults_are_named(tmp_path, line, fault):
    (tmp_path / "det.txt").write_text(line + "\n")
    with pytest.raises(InputError, match=fault):
        read_mot(tmp_path / "det.txt")


def test_a_missing_file_and_an_empty_one(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_mot(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("\n")
    assert len(read_mot(tmp_path / "empty.txt").ids) == 0


def test_short_absences_are_filled_straight_and_long_ones_are_left():
    walk = boxes_at(100.0 + 4.0 * np.arange(90))
    truth = walk.copy()
    walk[10:20], walk[40:75] = np.nan, np.nan
    video = video_of(90)
    (person,) = track(video, detections_of([walk], video))
    filled = filled_boxes(person, 0.5)
    np.testing.assert_allclose(filled[10:20], truth[10:20], atol=1e-2)
    assert np.isnan(filled[40:75]).all()
    boxes = mot_of((person,), 0.5)
    assert len(boxes.ids) == 90 - 35
    assert (boxes.score[10:20] == 0).all()
    assert len(mot_of(()).ids) == 0

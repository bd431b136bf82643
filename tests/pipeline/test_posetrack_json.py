"""PoseTrack's JSON: there and back, faults named, and a real annotated clip tracked through it."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.bench.bonn import TRUTH, read_bonn
from pipeline.bench.identities import have_trackeval, identities, tracked_sequence
from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.posetrack_json import (
    PoseTrackPeople,
    as_detections,
    posetrack_of,
    read_posetrack,
    write_posetrack,
)
from pipeline.skeletons import POSETRACK17
from tests.stages.tracking.scenes import boxes_at, detections_of, track, video_of

BONN = Path(__file__).resolve().parents[3] / "shared" / "data" / "bonn_posetrack"
MPII = {
    f"{letter}{part}": f"{side}_{part.lower()}"
    for letter, side in (("L", "left"), ("R", "right"))
    for part in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
} | {"Neck": "head_bottom", "HeadTop": "head_top"}
needs_bonn = pytest.mark.skipif(not BONN.is_dir(), reason=f"no annotated clip at {BONN}")


def made_up(seed: int = 0, people: int = 3, frames: int = 7) -> PoseTrackPeople:
    rng = np.random.default_rng(seed)
    count = people * frames
    corner, size = rng.uniform(0, 500, (count, 2)), rng.uniform(5, 90, (count, 2))
    points = np.concatenate([rng.uniform(1, 600, (count, 17, 2)), np.ones((count, 17, 1))], axis=-1)
    points[rng.random((count, 17)) < 0.2] = 0
    return PoseTrackPeople(
        np.repeat(np.arange(frames), people),
        np.tile(np.arange(people), frames),
        np.concatenate([corner, corner + size], axis=1),
        rng.random(count),
        points,
    )


def test_what_is_written_is_read_back(tmp_path):
    people = made_up()
    write_posetrack(tmp_path / "000342_x.json", people, video_of(7))
    back = read_posetrack(tmp_path / "000342_x.json")
    np.testing.assert_array_equal(back.frame_index, people.frame_index)
    np.testing.assert_array_equal(back.ids, people.ids)
    np.testing.assert_allclose(back.boxes_xyxy_px, people.boxes_xyxy_px, atol=2e-3)
    np.testing.assert_allclose(back.keypoints_px, people.keypoints_px, atol=1e-3)
    np.testing.assert_allclose(back.score, people.score, atol=1e-4)


def test_a_file_as_published_is_read(tmp_path):
    """An image left out, no track id, no box: frames come from the ids, the box from keypoints."""
    first = 10003420000
    points = [0.0] * 51
    for column, (x, y) in ((5, (100, 50)), (6, (60, 50)), (11, (95, 150)), (12, (65, 150))):
        points[3 * column : 3 * column + 3] = [x, y, 1]
    content = {
        "images": [{"id": first + n, "frame_id": first + n} for n in (2, 4)],
        "annotations": [
            {"image_id": first + 4, "keypoints": points, "scores": []},
            {"image_id": first + 2, "track_id": 7, "bbox": [10, 20, 30, 40], "keypoints": []},
        ],
        "categories": [],
    }
    (tmp_path / "x.json").write_text(json.dumps(content))
    people = read_posetrack(tmp_path / "x.json")
    assert people.frame_index.tolist() == [2, 4]
    assert people.ids.tolist() == [7, -1]
    np.testing.assert_allclose(people.boxes_xyxy_px[0], [10, 20, 40, 60])
    np.testing.assert_allclose(people.boxes_xyxy_px[1], [56.5, 40.5, 104.5, 160.5])
    assert people.keypoints_px[1, 5].tolist() == [100.5, 50.5, 1]
    assert as_detections(people).skeleton == "posetrack17"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[", "as JSON"),
        ("[]", "'images'"),
        ('{"images": [{}], "annotations": []}', "whole number"),
        ('{"images": [], "annotations": [{"image_id": 3}]}', "of no image"),
        ('{"images": [{"id": 1}], "annotations": [{"image_id": 1}]}', "neither a box"),
        ('{"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [1, 2]}]}', "of a box"),
        ('{"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": "abcd"}]}', "numbers"),
        (
            '{"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [NaN, 1, 2, 3]}]}',
            "not finite",
        ),
        (
            '{"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [0, 1, 2, 3], '
            '"track_id": 9223372036854775808}]}',
            "track_id is beyond",
        ),
    ],
)
def test_faults_are_named(tmp_path, content, fault):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=fault):
        read_posetrack(tmp_path / "x.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_posetrack(tmp_path / "none.json")


def test_other_landmarks_are_written_by_name(tmp_path):
    """A tracker's people with COCO's landmarks: shared points, the others left out."""
    video = video_of(30)
    walk = boxes_at(100.0 + 4.0 * np.arange(30))
    (person,) = track(video, detections_of([walk], video, landmarks=True))
    people = posetrack_of((person,))
    assert people.ids.tolist() == [1] * 30
    seen = people.keypoints_px[..., 2] > 0
    known = [name.split("_")[0] != "head" for name in POSETRACK17.points]
    assert (seen == np.array(known)).all()
    np.testing.assert_allclose(people.keypoints_px[:, 5, :2], person.keypoints_px[:, 5, :2])
    write_posetrack(tmp_path / "x.json", people, video)
    assert len(read_posetrack(tmp_path / "x.json").ids) == 30
    assert len(posetrack_of(()).ids) == 0


@needs_bonn
@pytest.mark.skipif(not have_trackeval(), reason="TrackEval is not installed")
def test_a_real_annotation_keeps_its_ids(tmp_path):
    """Annotated people through the command: in as detections without ids, out with ids."""
    truth = read_bonn(BONN)
    given = annotated()
    write_posetrack(tmp_path / "in.json", given, video_of(truth.visible.shape[1], 25.0))
    back = read_posetrack(tmp_path / "in.json")
    there = np.isfinite(truth.boxes_xyxy_px).all(axis=-1)
    np.testing.assert_allclose(
        back.boxes_xyxy_px, truth.boxes_xyxy_px.swapaxes(0, 1)[there.T], atol=2e-3
    )
    out = tmp_path / "out.json"
    words = ["track", "--detections", str(tmp_path / "in.json"), "--posetrack-out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = read_posetrack(out)
    boxes = np.full((found.ids.max() + 1, truth.visible.shape[1], 4), np.nan)
    boxes[found.ids, found.frame_index] = found.boxes_xyxy_px
    sequence = tracked_sequence(truth.boxes_xyxy_px, truth.visible, boxes, there=there)
    score = identities({"bonn": sequence})["bonn"]
    assert score.id_switches == 0
    assert score.idf1 > 0.99
    assert len(np.unique(found.ids)) == truth.visible.shape[0]


def annotated() -> PoseTrackPeople:
    """The clip's annotation: MPII's names, pixels counted from 1, as PoseTrack's."""
    content = json.loads((BONN / TRUTH).read_text(encoding="utf-8"))
    truth, rows = read_bonn(BONN), []
    ids = sorted({p["track_id"] for frame in content["frames"] for p in frame["people"]})
    for number, frame in enumerate(content["frames"]):
        for person in sorted(frame["people"], key=lambda p: ids.index(p["track_id"])):
            points = np.zeros((17, 3))
            for name, (x, y, seen) in zip(content["joint_names"], person["keypoints"], strict=True):
                if name in MPII and x is not None and seen:
                    points[POSETRACK17.index(MPII[name])] = x - 0.5, y - 0.5, 1
            rows.append((number, ids.index(person["track_id"]), points))
    boxes = [truth.boxes_xyxy_px[who, frame] for frame, who, _ in rows]
    return PoseTrackPeople(
        np.array([frame for frame, _, _ in rows]),
        np.array([who for _, who, _ in rows]),
        np.array(boxes),
        np.ones(len(rows)),
        np.array([points for _, _, points in rows]),
    )

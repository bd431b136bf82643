import json

import numpy as np
import pytest

from pipeline.bench.bonn import LIMBS, grown_box, read_bonn
from pipeline.bench.clips import pose2sim_truth
from pipeline.bench.detections import counted, summed
from pipeline.camera import project


def test_hits_misses_and_findings_by_hand():
    true = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10.0]])
    visible = np.array([True, True, False])
    found = np.array([[0, 0, 10, 9], [41, 0, 51, 10], [70, 0, 80, 10.0]])
    count = counted(true, visible, found)
    # One of two visible people; of three findings one is right, one on a hidden person, one wrong.
    assert (count.visible, count.hits, count.findings) == (2, 1, 2)
    both = summed([count, counted(true, visible, np.zeros((0, 4)))])
    assert both.recall == pytest.approx(1 / 4) and both.precision == pytest.approx(1 / 2)
    assert np.isnan(summed([]).recall)


def test_a_box_is_grown_by_a_tenth_on_each_side():
    np.testing.assert_allclose(grown_box(np.array([[0, 0], [10, 20.0]])), [-1, -2, 11, 22])


def bonn_folder(path):
    names = [*LIMBS, "Neck"]
    points = [[10.0 * i, 5.0 * i, 1.0] for i in range(len(names))]
    hidden = [[x, y, 0.0] for x, y, _ in points]
    hidden[3] = [None, None, None]
    head = [0.0, 0.0, 30.0, 40.0]
    frames = [
        {"people": [{"track_id": 7, "keypoints": points, "head_rect": head}]},
        {
            "people": [
                {"track_id": 7, "keypoints": hidden, "head_rect": head},
                {"track_id": 9, "keypoints": points, "head_rect": head},
            ]
        },
    ]
    text = json.dumps({"joint_names": names, "frames": frames})
    (path / "gt_060470979.json").write_text(text)
    return path


def test_bonn_s_annotation_is_read_with_its_gaps(tmp_path):
    truth = read_bonn(bonn_folder(tmp_path))
    assert truth.visible.tolist() == [[True, False], [False, True]]
    assert np.isnan(truth.boxes_xyxy_px[1, 0]).all()
    np.testing.assert_allclose(truth.limbs_px[0, 0, 2], [19.5, 9.5])
    assert truth.limbs_seen[0, 0].all() and not truth.limbs_seen[0, 1].any()
    assert np.isnan(truth.limbs_px[0, 1, 3]).all()
    assert truth.head_px[0, 0] == pytest.approx(0.6 * 50)


def test_pose2sim_s_joints_fall_on_its_own_keypoints(data_folder):
    folder = data_folder / "pose2sim_single"
    with np.load(folder / "gt3d_single.npz") as file:
        names, seen_px = list(file["joint_names"]), file["joints2d_reproj"]
    for camera in (1, 4):
        truth = pose2sim_truth(folder, camera)
        assert truth.joints_camera_m.shape == (100, 12, 3)
        column = names.index("LKnee")
        knee_px = project(truth.joints_camera_m[:, truth.joints.index("left_knee")], truth.K_px)
        away_px = np.linalg.norm(knee_px - seen_px[camera - 1, :, column], axis=-1)
        assert away_px.max() < 0.01  # 0.0007 px measured


@pytest.fixture
def data_folder():
    from pathlib import Path

    folder = Path(__file__).parents[4] / "shared" / "data"
    if not (folder / "pose2sim_single").is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder

import numpy as np
import pytest

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.boxes import body_box_xyxy_px
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.landmarks import pose_from, refined


def outputs(points_crop_px, world_m):
    landmarks = np.zeros((39, 5), np.float32)
    landmarks[:, :2], landmarks[:, 3] = points_crop_px, 2.0
    flat_heatmaps = np.full((64, 64, 39), -20, np.float32)
    return [
        landmarks.reshape(-1),
        np.array([0.75], np.float32),
        flat_heatmaps,
        np.asarray(world_m, np.float32).reshape(-1),
    ]


def test_projection_into_the_frame_and_world_turned_back():
    rng = np.random.default_rng(0)
    region = Region(400.0, 300.0, 512.0, np.pi / 2)
    points, world = rng.uniform(0, 256, (39, 2)), rng.normal(size=(39, 3))
    pose = pose_from(outputs(points, world), region)
    # A clockwise quarter turn: the crop's right is the frame's down, its down the frame's left.
    x, y = points[:33, 0] - 128, points[:33, 1] - 128
    expected = np.stack([400 - 2 * y, 300 + 2 * x], axis=1)
    np.testing.assert_allclose(pose.points_px, expected, atol=1e-3)
    hips = (world[23] + world[24]) / 2
    turned = np.stack([-world[:33, 1], world[:33, 0], world[:33, 2]], axis=1)
    hips_turned = np.array([-hips[1], hips[0], hips[2]])
    np.testing.assert_allclose(pose.points_m, turned - hips_turned, atol=1e-5)
    np.testing.assert_allclose(pose.visibility, 1 / (1 + np.exp(-2)), atol=1e-6)
    assert pose.presence == pytest.approx(0.75)
    assert pose.next_region.x_px == pytest.approx(400 - 2 * (points[33, 1] - 128), abs=1e-3)


def test_heatmap_moves_a_point_to_the_centre_of_mass():
    heatmaps = np.full((64, 64, 3), -30, np.float32)
    heatmaps[20, 31, 0] = heatmaps[20, 33, 0] = 4.0
    heatmaps[40, 40, 1] = -1.0
    heatmaps[0, 0, 2] = 4.0
    points = np.array([[30.2, 21.9], [40.5, 40.5], [1.5, 2.5]], np.float32) / 64
    moved = refined(points, heatmaps) * 64
    np.testing.assert_allclose(moved[0], [32, 20], atol=1e-4)
    np.testing.assert_allclose(moved[1], [40.5, 40.5], atol=1e-4)  # not confident: stays
    np.testing.assert_allclose(moved[2], [0, 0], atol=1e-4)  # the window ends at the border


def test_points_outside_the_crop_stay():
    heatmaps = np.full((64, 64, 2), 9, np.float32)
    points = np.array([[-0.1, 0.5], [0.5, 1.0]], np.float32)
    np.testing.assert_array_equal(refined(points, heatmaps), points)


def test_box_reaches_the_top_of_the_head_and_leaves_hidden_points_out():
    points = np.zeros((33, 2), np.float32)
    points[:] = 50, 100
    for name, at in {
        "left_ear": (55, 30),
        "right_ear": (45, 30),
        "left_shoulder": (70, 50),
        "right_shoulder": (30, 50),
        "left_wrist": (90, 100),
        "left_ankle": (60, 200),
        "right_ankle": (400, 400),
    }.items():
        points[BLAZEPOSE33.index(name)] = at
    visibility = np.ones(33, np.float32)
    visibility[BLAZEPOSE33.index("right_ankle")] = 0.05
    box = body_box_xyxy_px(points, visibility)
    # x 30..90 and y 16..200 (ears 30, minus 0.7 of the neck's 20 px), and a tenth of the torso's
    # 50 px (from the shoulders at 50 to the hips at 100) on each side.
    np.testing.assert_allclose(box, [30 - 5, 16 - 5, 90 + 5, 200 + 5], atol=1e-3)

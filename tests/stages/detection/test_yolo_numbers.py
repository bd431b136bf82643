"""Letterbox, reading of boxes and suppression against hand values and ultralytics' own."""

import numpy as np
import pytest
import torch

pytest.importorskip("ultralytics", reason="ultralytics (extra 'yolo') is not installed")

from ultralytics.data.augment import LetterBox
from ultralytics.utils.nms import non_max_suppression

from stages.detection.yolo.decode import FramePeople, HeadFacts, candidates, people_in
from stages.detection.yolo.letterbox import Letterbox
from stages.detection.yolo.nms import non_maximum_suppression

SIZES = [(640, 360), (1920, 1080), (203, 121), (121, 203), (641, 639), (64, 64), (7, 400), (1, 1)]


def test_letterbox_by_hand():
    box = Letterbox.fitted((1920, 1080), 640, 32)
    assert box.scaled_wh_px == (640, 360)
    assert box.padded_wh_px == (640, 384)
    assert box.left_top_px == (0, 12)
    corners = np.array([[0, 12], [640, 372], [320, 192]], np.float32)
    assert np.allclose(box.to_frame(corners), [[0, 0], [1920, 1080], [960, 540]])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("image_px", [320, 333])
def test_the_picture_is_ultralytics_own_to_the_pixel(size, image_px):
    rgb = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    side = -(-image_px // 32) * 32
    theirs = LetterBox(new_shape=(side, side), auto=True, stride=32)(image=rgb)
    ours = Letterbox.fitted(size, image_px, 32).image(rgb)
    assert np.array_equal(ours, theirs)
    assert ours.shape[0] % 32 == ours.shape[1] % 32 == 0


@pytest.mark.parametrize("size", SIZES)
def test_places_go_there_and_back(size):
    box = Letterbox.fitted(size, 640, 32)
    places = np.random.default_rng(2).uniform(-50, 2000, (40, 2)).astype(np.float32)
    assert np.allclose(box.to_frame(box.from_frame(places)), places, atol=1e-2)
    edges = np.array([[0, 0], size], np.float32)
    inside = box.from_frame(edges)
    assert np.allclose(inside[0], box.left_top_px)
    assert np.allclose(inside[1] - inside[0], box.scaled_wh_px, atol=1e-3)


def test_a_drawn_square_lands_where_the_letterbox_says():
    rgb = np.zeros((360, 500, 3), np.uint8)
    rgb[90:180, 100:300] = 255
    box = Letterbox.fitted((500, 360), 640, 32)
    white = np.argwhere((box.image(rgb) > 127).all(axis=2))
    low, high = white.min(axis=0)[::-1], white.max(axis=0)[::-1] + 1
    found = box.to_frame(np.stack([low, high]).astype(np.float32))
    assert np.abs(found - [[100, 90], [300, 180]]).max() < 500 / 640


def test_suppression_by_hand():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10], [30, 30, 30, 40]], np.float32)
    score = np.array([0.5, 0.9, 0.6, 0.1], np.float32)
    # overlaps: 0 with 1 9/11, 1 with 2 6/14, 0 with 2 5/15; the last box has no area
    for largest, kept in (
        (0.81, [1, 2, 3]),
        (0.82, [1, 2, 0, 3]),
        (0.42, [1, 3]),
        (0.43, [1, 2, 3]),
    ):
        assert non_maximum_suppression(boxes, score, largest, 9).tolist() == kept
    assert non_maximum_suppression(boxes, score, 1.0, 2).tolist() == [1, 2]
    assert non_maximum_suppression(boxes[:0], score[:0], 0.5, 9).tolist() == []


def _raw(seed, count, classes=3, extra=0):
    rng = np.random.default_rng(seed)
    centre, size = rng.uniform(0, 300, (2, count)), rng.uniform(20, 120, (2, count))
    scores = rng.uniform(0, 1, (classes, count)) ** 2
    points = rng.uniform(0, 300, (extra, count))
    return torch.from_numpy(np.concatenate([centre, size, scores, points]).astype(np.float32))


@pytest.mark.parametrize("largest_iou", [0.3, 0.7])
@pytest.mark.parametrize("extra", [0, 51])
def test_people_are_those_of_ultralytics(largest_iou, extra):
    raw = _raw(3, 600, extra=extra)
    facts = HeadFacts(3, (1,), (17, 3) if extra else None, False)
    ours = people_in(raw, facts, 0.25, largest_iou, 300)
    theirs = non_max_suppression(
        raw[None].clone(), 0.25, largest_iou, classes=[1], nc=3, max_det=300
    )[0]
    assert 20 < len(ours) == len(theirs)
    assert np.allclose(ours.boxes_xyxy_px, theirs[:, :4].numpy(), atol=1e-4)
    assert np.allclose(ours.score, theirs[:, 4].numpy())
    if extra:
        assert np.array_equal(ours.keypoints_px.reshape(-1, 51), theirs[:, 6:].numpy())


def test_a_column_is_a_person_only_if_nothing_else_is_likelier():
    raw = torch.tensor([[50.0, 40, 20, 10, 0.6, 0.5], [50, 40, 20, 10, 0.4, 0.5]]).T
    found = candidates(raw, HeadFacts(2, (0,), None, False), 0.25)
    assert found.boxes_xyxy_px.tolist() == [[40, 35, 60, 45]]
    assert found.score.tolist() == pytest.approx([0.6])


def test_rows_of_an_end_to_end_head_are_taken_as_they_are():
    rows = torch.tensor(
        [[0, 0, 9, 9, 0.9, 2], [1, 2, 3, 4, 0.3, 0], [1, 2, 3, 4, 0.8, 0], [5, 5, 6, 6, 0.1, 0.0]]
    )
    found = people_in(rows, HeadFacts(3, (0,), None, True), 0.25, 0.7, 9)
    assert found.boxes_xyxy_px.tolist() == [[1, 2, 3, 4], [1, 2, 3, 4]]
    assert found.score.tolist() == pytest.approx([0.8, 0.3])


def test_points_without_visibility_count_as_visible():
    raw = torch.cat([torch.tensor([50.0, 40, 20, 10, 0.6]), torch.arange(34.0)])[:, None]
    found = candidates(raw, HeadFacts(1, (0,), (17, 2), False), 0.25)
    assert found.keypoints_px[0, 3].tolist() == [6, 7, 1]


def test_boxes_end_at_the_edge_and_those_outside_are_left_out():
    letterbox = Letterbox.fitted((100, 50), 96, 32)
    corners = np.array([[-10, 10, 60, 90], [120, 10, 140, 20], [10, 10, 20, 20]], np.float32)
    boxes = letterbox.from_frame(corners.reshape(-1, 2, 2)).reshape(-1, 4)
    points = np.full((3, 17, 3), 0.5, np.float32)
    points[..., :2] = letterbox.from_frame(np.full((3, 17, 2), -7, np.float32))
    found = FramePeople(boxes, np.array([0.9, 0.8, 0.7], np.float32), points).in_frame(letterbox)
    assert np.allclose(found.boxes_xyxy_px, [[0, 10, 60, 50], [10, 10, 20, 20]], atol=1e-4)
    assert np.allclose(found.score, [0.9, 0.7])
    assert np.allclose(found.keypoints_px[..., :2], -7, atol=1e-4), "points may lie outside"
    assert np.allclose(found.keypoints_px[..., 2], 0.5)

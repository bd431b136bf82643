import numpy as np
import pytest

from pipeline.boxes import box_iou
from stages.detection.blazepose.anchors import anchor_centers_px
from stages.detection.blazepose.detector import Candidates, decoded, joined, merged


def candidates(boxes, scores) -> Candidates:
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.repeat((boxes[:, None, :2] + boxes[:, None, 2:]) / 2, 4, axis=1)
    return Candidates(boxes, points, np.array(scores, np.float32))


def test_decoding_undoes_the_encoding():
    rng = np.random.default_rng(1)
    anchors = anchor_centers_px()
    rows = [5, 700, 1999]
    center, size = rng.uniform(20, 200, (3, 2)), rng.uniform(5, 50, (3, 2))
    points = rng.uniform(0, 224, (3, 4, 2))
    raw, logits = np.zeros((2254, 12), np.float32), np.full((2254, 1), -9, np.float32)
    raw[rows, 0:2], raw[rows, 2:4] = center - anchors[rows], size
    raw[rows, 4:] = (points - anchors[rows][:, None]).reshape(3, 8)
    logits[rows, 0] = 0.1, 3.0, 1.0
    found = decoded(raw, logits, anchors, 0.5)
    order = [1, 2, 0]
    np.testing.assert_allclose(found.points_px, points[order], atol=1e-3)
    np.testing.assert_allclose(
        found.boxes_xyxy_px, np.hstack([center - size / 2, center + size / 2])[order], atol=1e-3
    )
    np.testing.assert_allclose(found.score, 1 / (1 + np.exp([-3.0, -1.0, -0.1])), rtol=1e-5)


def test_extreme_logits_are_no_overflow():
    logits = np.array([[1e6], [-1e6]], np.float32)
    with np.errstate(over="raise"):
        found = decoded(np.zeros((2, 12), np.float32), logits, np.zeros((2, 2), np.float32), 0.5)
    np.testing.assert_allclose(found.score, [1.0])


def test_overlapping_boxes_become_their_weighted_mean():
    found = merged(candidates([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], [0.9, 0.3, 0.6]))
    np.testing.assert_allclose(found.boxes_xyxy_px, [[0.25, 0, 10.25, 10], [50, 50, 60, 60]])
    np.testing.assert_allclose(found.points_px[0], [[5.25, 5]] * 4)
    np.testing.assert_allclose(found.score, [0.9, 0.6])


def test_barely_touching_boxes_stay_apart():
    assert len(merged(candidates([[0, 0, 10, 10], [6, 0, 16, 10]], [0.9, 0.8]))) == 2


def test_an_empty_box_does_not_hang():
    assert len(merged(candidates([[5, 5, 5, 5], [0, 0, 10, 10]], [0.9, 0.8]))) == 2


def test_nothing_found_keeps_its_shape():
    found = merged(candidates([], []))
    assert found.points_px.shape == (0, 4, 2)
    assert len(joined([found, found])) == 0


def test_iou_by_hand():
    a = np.array([[0, 0, 2, 2]], float)
    b = np.array([[1, 1, 3, 3], [0, 0, 2, 1], [5, 5, 6, 6]], float)
    assert box_iou(a, b)[0] == pytest.approx([1 / 7, 1 / 2, 0])

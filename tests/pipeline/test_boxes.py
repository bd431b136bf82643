"""Overlap of boxes, checked by hand."""

import numpy as np

from pipeline.boxes import box_iou, paired_iou


def test_box_iou_by_hand():
    a, b = np.array([[0, 0, 2, 2], [5, 5, 6, 6.0]]), np.array([[1, 0, 3, 2], [0, 0, 2, 2.0]])
    np.testing.assert_allclose(box_iou(a, b), [[1 / 3, 1], [0, 0]])
    assert box_iou(a, np.zeros((0, 4))).shape == (2, 0)


def test_nonsense_boxes_overlap_nothing():
    boxes = np.array([[0, 0, 2, 2], [np.nan, 0, 1, 1], [3, 3, 3, 3]], float)
    expected = [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(box_iou(boxes, boxes), expected)


def test_pair_by_pair_is_the_diagonal_of_all_with_all():
    rng = np.random.default_rng(3)
    corner, size = rng.uniform(0, 60, (2, 40, 2)), rng.uniform(1, 60, (2, 40, 2))
    a, b = np.concatenate([corner, corner + size], axis=-1)
    np.testing.assert_allclose(paired_iou(a, b), np.diagonal(box_iou(a, b)), atol=1e-12)
    a[0] = np.nan
    assert paired_iou(a, b)[0] == 0

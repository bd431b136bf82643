import numpy as np

from stages.detection.blazepose.anchors import anchor_centers_px


def test_count_and_centres_by_hand():
    anchors = anchor_centers_px()
    # 28x28 cells of 8 px with 2, 14x14 of 16 px with 2, 7x7 of 32 px with 3 layers of 2.
    assert anchors.shape == (28 * 28 * 2 + 14 * 14 * 2 + 7 * 7 * 6, 2) == (2254, 2)
    np.testing.assert_allclose(anchors[[0, 1, 2]], [[4, 4], [4, 4], [12, 4]])
    np.testing.assert_allclose(anchors[28 * 2], [4, 12])
    np.testing.assert_allclose(anchors[1568], [8, 8])
    np.testing.assert_allclose(anchors[1960 : 1960 + 7], [[16, 16]] * 6 + [[48, 16]])
    np.testing.assert_allclose(anchors[-1], [208, 208])

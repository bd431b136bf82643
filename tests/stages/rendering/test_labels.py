"""Name tags: inside the picture, above the head, readable."""

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.palette import colour_of
from stages.rendering._labels import place_tag
from stages.rendering.raster import Backend, Config
from tests.stages.rendering.shapes import mesh_of, sphere, whole

WIDTH_PX, HEIGHT_PX = 641, 361
K_PX = np.array([[600.0, 0.0, 320.0], [0.0, 600.0, 180.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize("centre_px", [(5, 5), (636, 5), (5, 356), (636, 356), (320, 180)])
def test_tags_stay_inside_the_picture(centre_px):
    points = np.array(centre_px) + 30.0 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (0, 0)])
    tag = place_tag("12", colour_of(2), points, WIDTH_PX, HEIGHT_PX)
    assert tag is not None
    height, width = tag.rgba.shape[:2]
    assert 0 <= tag.x_px and tag.x_px + width <= WIDTH_PX
    assert 0 <= tag.y_px and tag.y_px + height <= HEIGHT_PX


def test_a_tag_sits_above_the_head():
    vertices, faces = sphere([0.0, 0.0, 2.0], 0.3)
    for labels in (True, False):
        raster = Backend(Config(alpha=1.0, labels=labels), Context())
        layer = raster([mesh_of(vertices, label="1")], faces, K_PX, WIDTH_PX, HEIGHT_PX)
        top = 180 - 600 * 0.3 / 2.0
        above = whole(layer, WIDTH_PX, HEIGHT_PX)[: int(top) - 2]
        assert above[..., 3].any() == labels
        if labels:
            x = np.nonzero(above[..., 3].any(axis=0))[0]
            assert abs(x.mean() + 0.5 - 320) <= 1.0
            ink = above[above[..., 3] > 200][:, :3]
            assert (ink.min(axis=1) > 230).sum() >= 8, "white text"


def test_points_behind_the_camera_do_not_move_the_tag():
    points = np.array([(300.0, 100.0), (340.0, 101.0), (320.0, 300.0)])
    behind = np.concatenate([points, [(np.nan, np.nan), (9e4, -9e5), (-9e4, 9e5)]])
    tags = [place_tag("1", colour_of(1), some, WIDTH_PX, HEIGHT_PX) for some in (points, behind)]
    assert tags[0] is not None and tags[1] is not None
    assert (tags[0].x_px, tags[0].y_px) == (tags[1].x_px, tags[1].y_px)
    assert tags[0].y_px < 100 and abs(tags[0].x_px + tags[0].rgba.shape[1] / 2 - 320) <= 1


def test_no_tag_where_nobody_is_seen_or_nothing_fits():
    points = np.array([(-50.0, 10.0), (-20.0, 60.0), (np.nan, np.nan)])
    assert place_tag("1", colour_of(1), points, WIDTH_PX, HEIGHT_PX) is None
    assert place_tag("1", colour_of(1), np.array([(0.5, 0.5)]), 1, 1) is None


def test_colours_are_stable_and_differ():
    colours = [tuple(int(c) for c in colour_of(i)) for i in range(1, 41)]
    assert colours == [tuple(int(c) for c in colour_of(i)) for i in range(1, 41)]
    assert len(set(colours)) == 40
    near = np.array(colours[:10], dtype=float)
    gaps = np.linalg.norm(near[:, None] - near[None], axis=2) + 1e3 * np.eye(10)
    assert gaps.min() > 40

"""Name tags: inside the picture, above the head, readable."""

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.palette import colour_of
from stages.rendering._labels import Tag, place_tag, spread_tags
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


def boxes_of(tags):
    sizes = [tag.rgba.shape[:2] for tag in tags]
    return np.array(
        [(t.x_px, t.y_px, t.x_px + w, t.y_px + h) for t, (h, w) in zip(tags, sizes, strict=True)]
    )


def overlapping(tags):
    boxes = boxes_of(tags)
    pairs = [(a, b) for k, a in enumerate(boxes) for b in boxes[k + 1 :]]
    return [(a, b) for a, b in pairs if (np.maximum(a, b)[:2] < np.minimum(a, b)[2:]).all()]


def tags_at(places, text="3 filled in"):
    plate = place_tag(text, colour_of(3), np.array([(320.0, 180.0)]), WIDTH_PX, HEIGHT_PX).rgba
    return [Tag(x, y, plate) for x, y in places]


def test_tags_of_people_close_together_do_not_hide_each_other():
    generator = np.random.default_rng(3)
    for _ in range(200):
        count = int(generator.integers(2, 6))
        places = np.rint(generator.normal((300, 160), (60, 25), (count, 2))).astype(int)
        tags = tags_at(places.tolist())
        spread = spread_tags(tags, WIDTH_PX, HEIGHT_PX)
        assert not overlapping(spread)
        assert (boxes_of(spread) >= 0).all()
        assert (boxes_of(spread)[:, 2:] <= (WIDTH_PX, HEIGHT_PX)).all()
        assert spread[-1] == tags[-1], "the nearest person's tag stays"


def test_tags_that_do_not_touch_stay_and_others_slide():
    apart = tags_at([(10, 10), (300, 10), (300, 200)])
    assert spread_tags(apart, WIDTH_PX, HEIGHT_PX) == apart
    height, width = apart[0].rgba.shape[:2]
    for overlap in (1, 2, 3, 5):
        tags = tags_at([(300 - width + overlap, 100), (300, 100)])
        farther, nearer = spread_tags(tags, WIDTH_PX, HEIGHT_PX)
        assert (nearer.x_px, farther.x_px, farther.y_px) == (300, 300 - width, 100)
        above = tags_at([(300, 100 - height + overlap), (300, 100)])
        assert spread_tags(above, WIDTH_PX, HEIGHT_PX)[0].y_px == 100 - height


def test_the_renderer_draws_both_tags_of_people_behind_each_other():
    far, faces = sphere([0.02, 0.0, 3.0], 0.3)
    near, _ = sphere([0.0, 0.0, 2.0], 0.2)
    bodies = [mesh_of(far, label="1"), mesh_of(near, label="2")]
    raster = Backend(Config(alpha=0.0), Context())
    together = whole(raster(bodies, faces, K_PX, WIDTH_PX, HEIGHT_PX), WIDTH_PX, HEIGHT_PX)
    alone = [
        whole(raster([body], faces, K_PX, WIDTH_PX, HEIGHT_PX), WIDTH_PX, HEIGHT_PX)
        for body in bodies
    ]
    covered = [(picture[..., 3] > 100).sum() for picture in (together, *alone)]
    assert covered[0] == covered[1] + covered[2]


def test_colours_are_stable_and_differ():
    colours = [tuple(int(c) for c in colour_of(i)) for i in range(1, 41)]
    assert colours == [tuple(int(c) for c in colour_of(i)) for i in range(1, 41)]
    assert len(set(colours)) == 40
    near = np.array(colours[:10], dtype=float)
    gaps = np.linalg.norm(near[:, None] - near[None], axis=2) + 1e3 * np.eye(10)
    assert gaps.min() > 40

"""Transparency, scaling and soft lines, by numbers."""

import numpy as np
import pytest

from pipeline.types import Layer
from pipeline.views import canvas


def test_a_layer_over_nothing_comes_back_as_it_was():
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (6, 8, 4)).astype(np.uint8)
    rgba[0] = 0
    blank = canvas.blank((12, 10))
    canvas.lay(Layer(2, 4, rgba), blank)
    back = canvas.straight(blank)[4:10, 2:10]
    assert (back[..., 3] == rgba[..., 3]).all()
    strong = rgba[..., 3] > 100
    assert np.abs(back[strong].astype(int) - rgba[strong]).max() <= 2


def test_a_layer_over_a_colour_mixes_by_its_alpha():
    ground = canvas.blank((4, 4), (100, 100, 100))
    canvas.lay(Layer(0, 0, np.full((4, 4, 4), (200, 0, 50, 51), np.uint8)), ground)
    assert ground[0, 0].tolist() == [120, 80, 90, 255]


def test_a_soft_line_on_nothing_has_its_own_colour_everywhere():
    sheet = canvas.blank((60, 60))
    canvas.lines(sheet, np.array([[[5.0, 7.0], [50.0, 41.0]]]), (240, 120, 60), 3)
    drawn = sheet[..., 3] > 60
    colours = canvas.straight(sheet)[drawn][:, :3].astype(int)
    assert drawn.sum() > 100
    assert np.abs(colours - (240, 120, 60)).max() <= 4


def test_pixel_centres_lie_at_a_half():
    sheet = canvas.blank((21, 21))
    canvas.dot(sheet, np.array([10.5, 10.5]), 4.0, (255, 255, 255))
    weight = sheet[..., 3].astype(float)
    rows, columns = np.mgrid[:21, :21] + 0.5
    assert (weight * columns).sum() / weight.sum() == pytest.approx(10.5, abs=0.02)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(10.5, abs=0.02)


def test_lines_without_a_place_are_left_out():
    sheet = canvas.blank((20, 20))
    canvas.lines(sheet, np.array([[[np.nan, 1], [5, 5]], [[1e9, 0], [3, 3]]]), (255, 0, 0))
    canvas.dot(sheet, np.array([np.inf, 2.0]), 3.0, (255, 0, 0))
    assert not sheet.any()


@pytest.mark.parametrize("size", [(200, 100), (100, 200), (50, 50), (333, 77)])
def test_a_picture_fits_in_the_middle(size):
    where = canvas.fit((160, 90), size)
    K_px = where.intrinsics(np.array([[100.0, 0, 80], [0, 100, 45], [0, 0, 1]]))
    assert K_px[:2, 2] == pytest.approx([size[0] / 2, size[1] / 2])
    assert where.scale == pytest.approx(min(size[0] / 160, size[1] / 90))
    sheet = canvas.blank(size, (0, 0, 0))
    canvas.place(np.full((90, 160, 3), 200, np.uint8), where, sheet)
    share = (sheet[..., 0] == 200).mean()
    assert share == pytest.approx(where.scale**2 * 160 * 90 / (size[0] * size[1]), rel=0.03)


@pytest.mark.parametrize("strength", [1.0, 0.45])
def test_a_canvas_over_another_mixes_by_its_alpha_wherever_it_lies(strength):
    rng = np.random.default_rng(1)
    top, below = (rng.integers(0, 256, (20, 30, 4)).astype(np.uint8) for _ in range(2))
    for layer in (top, below):
        layer[..., :3] = np.minimum(layer[..., :3], layer[..., 3:])
    top[:7], top[:, 22:] = 0, 0
    mixed = below.copy()
    canvas.lay_canvas(top, mixed, strength)
    wanted = strength * top + below * (1 - strength * top[..., 3:] / 255)
    assert np.abs(mixed - wanted).max() <= 2
    nothing = below.copy()
    canvas.lay_canvas(np.zeros_like(top), nothing)
    assert (nothing == below).all()


@pytest.mark.parametrize(("width", "shown"), [(2000, True), (260, True), (60, False)])
def test_words_fit_or_are_left_out(width, shown):
    picture = canvas.blank((width, 200))
    canvas.write_text(picture, "3.80 s   grid 1 m, the camera is below", (4.0, 190.0), (9, 9, 9))
    columns = np.flatnonzero(picture[..., 3].any(axis=0))
    assert bool(len(columns)) == shown
    if shown:
        assert columns.max() <= width - 1
        last = picture[:, -1, 3] if width > columns.max() + 1 else np.zeros(1)
        assert not last.any(), "nothing is cut off"

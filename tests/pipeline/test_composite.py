"""Laying a layer over RGB and over 4:2:0 planes."""

import numpy as np
import pytest

from pipeline.composite import blend_on_rgb, blend_on_yuv
from pipeline.types import Layer
from pipeline.yuv import YuvImage, empty_yuv, rgb_to_yuv, rgb_to_yuv_matrix

FORMATS = [("bt601", False), ("bt601", True), ("bt709", False), ("bt709", True)]


def random_layer(height=38, width=50, x_px=6, y_px=4, seed=0) -> Layer:
    rng = np.random.default_rng(seed)
    rgba = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    rgba[: height // 3, :, 3] = 0
    rgba[height // 3 : height // 2, :, 3] = 255
    return Layer(x_px, y_px, rgba)


def grey_image(width_px, height_px, matrix="bt709", full_range=False, seed=1) -> YuvImage:
    image = empty_yuv(width_px, height_px, matrix, full_range)
    rng = np.random.default_rng(seed)
    for plane in (image.y, image.u, image.v):
        plane[:] = rng.integers(16, 236, plane.shape)
    return image


def test_rgb_is_the_alpha_mean():
    layer = random_layer()
    frame = np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    expected = frame.astype(float)
    alpha = layer.rgba[..., 3:] / 255.0
    expected[4:42, 6:56] += alpha * (layer.rgba[..., :3] - expected[4:42, 6:56])
    blend_on_rgb(layer, frame)
    np.testing.assert_allclose(frame, expected, atol=0.51)


@pytest.mark.parametrize(("matrix", "full_range"), FORMATS)
def test_yuv_is_the_alpha_mean_of_luma_and_of_chroma_blocks(matrix, full_range):
    layer, image = random_layer(), grey_image(80, 60, matrix, full_range)
    m, offset = rgb_to_yuv_matrix(matrix, full_range)
    yuv = layer.rgba[..., :3] @ m.T + offset
    alpha = layer.rgba[..., 3] / 255.0
    y, u, v = (plane.astype(float) for plane in (image.y, image.u, image.v))
    y[4:42, 6:56] += alpha * (yuv[..., 0] - y[4:42, 6:56])
    blocks = alpha.reshape(19, 2, 25, 2)
    for plane, channel in ((u, 1), (v, 2)):
        colour = (blocks * yuv[..., channel].reshape(19, 2, 25, 2)).sum(axis=(1, 3)) / 4
        plane[2:21, 3:28] = plane[2:21, 3:28] * (1 - blocks.mean(axis=(1, 3))) + colour
    blend_on_yuv(layer, image)
    for plane, expected in ((image.y, y), (image.u, u), (image.v, v)):
        np.testing.assert_allclose(plane, expected, atol=0.51)


@pytest.mark.parametrize(("matrix", "full_range"), FORMATS)
def test_rgb_and_yuv_agree_within_rounding(matrix, full_range):
    """A plain background and colours that are constant per 2 x 2 block."""
    coarse = random_layer(19, 25).rgba
    layer = Layer(6, 4, coarse.repeat(2, axis=0).repeat(2, axis=1))
    frame = np.full((60, 80, 3), (40, 120, 90), dtype=np.uint8)
    image = empty_yuv(80, 60, matrix, full_range)
    image.y[:], image.u[:], image.v[:] = rgb_to_yuv(frame[0, 0], matrix, full_range)
    blend_on_rgb(layer, frame)
    blend_on_yuv(layer, image)
    yuv = rgb_to_yuv(frame, matrix, full_range).astype(int)
    assert np.abs(yuv[..., 0] - image.y).max() <= 1
    assert np.abs(yuv[::2, ::2, 1] - image.u).max() <= 1
    assert np.abs(yuv[::2, ::2, 2] - image.v).max() <= 1


def test_layers_reach_the_last_column_and_row_of_odd_pictures():
    layer = Layer(70, 50, np.full((11, 11, 4), 255, dtype=np.uint8))
    image = grey_image(81, 61)
    before = image.y.copy(), image.u.copy(), image.v.copy()
    blend_on_yuv(layer, image)
    assert (image.y[50:61, 70:81] == 235).all()
    assert (image.u[25:31, 35:41] == 128).all() and (image.v[25:31, 35:41] == 128).all()
    image.y[50:61, 70:81], image.u[25:31, 35:41], image.v[25:31, 35:41] = 0, 0, 0
    for plane, old, corner in zip((image.y, image.u, image.v), before, (50, 25, 25), strict=True):
        np.testing.assert_array_equal(plane[:corner], old[:corner])


def test_nothing_changes_outside_the_layer_or_where_it_is_clear():
    layer = random_layer()
    layer.rgba[..., 3] = 0
    image, frame = grey_image(80, 60), np.arange(60 * 80 * 3).reshape(60, 80, 3).astype(np.uint8)
    before = image.y.copy(), image.u.copy(), image.v.copy(), frame.copy()
    empty = Layer(0, 0, np.zeros((0, 0, 4), dtype=np.uint8))
    for nothing in (layer, empty):
        blend_on_yuv(nothing, image)
        blend_on_rgb(nothing, frame)
    for plane, old in zip((image.y, image.u, image.v, frame), before, strict=True):
        np.testing.assert_array_equal(plane, old)


def test_layers_beyond_the_picture_are_our_own_slip():
    layer = random_layer(x_px=40)
    with pytest.raises(AssertionError, match="beyond"):
        blend_on_yuv(layer, grey_image(80, 60))
    with pytest.raises(AssertionError, match="beyond"):
        blend_on_rgb(layer, np.zeros((60, 80, 3), dtype=np.uint8))

"""Lay a drawn layer over a picture: onto RGB, or straight onto 4:2:0 planes.

Drawing on the planes of a decoded frame saves converting the whole picture to RGB and back.
"""

# mypy: disable-error-code="no-untyped-def"

import numpy as np
from jaxtyping import UInt8

from pipeline.jit import jit
from pipeline.types import Layer
from pipeline.yuv import YuvImage, rgb_to_yuv_matrix

FRACTION_BITS = 16
"""Colour conversion in integers with this many bits behind the point."""


@jit
def _over_rgb(rgba, frame):
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            alpha = np.int32(rgba[y, x, 3])
            if alpha == 0:
                continue
            for k in range(3):
                mixed = np.int32(frame[y, x, k]) * (255 - alpha) + np.int32(rgba[y, x, k]) * alpha
                frame[y, x, k] = (mixed + 127) // 255


@jit
def _over_yuv(rgba, luma, cb, cr, coefficients, offset):
    height, width = rgba.shape[0], rgba.shape[1]
    half = np.int32(1 << (FRACTION_BITS - 1))
    for by in range((height + 1) // 2):
        for bx in range((width + 1) // 2):
            cover, sum_cb, sum_cr, count = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
            for y in range(2 * by, min(2 * by + 2, height)):
                for x in range(2 * bx, min(2 * bx + 2, width)):
                    count += 1
                    alpha = np.int32(rgba[y, x, 3])
                    if alpha == 0:
                        continue
                    r = np.int32(rgba[y, x, 0])
                    g = np.int32(rgba[y, x, 1])
                    b = np.int32(rgba[y, x, 2])
                    colour = coefficients[0, 0] * r + coefficients[0, 1] * g
                    colour += coefficients[0, 2] * b + half
                    colour = (colour >> FRACTION_BITS) + offset[0]
                    mixed = np.int32(luma[y, x]) * (255 - alpha) + colour * alpha
                    luma[y, x] = (mixed + 127) // 255
                    colour = coefficients[1, 0] * r + coefficients[1, 1] * g
                    colour += coefficients[1, 2] * b + half
                    sum_cb += alpha * ((colour >> FRACTION_BITS) + offset[1])
                    colour = coefficients[2, 0] * r + coefficients[2, 1] * g
                    colour += coefficients[2, 2] * b + half
                    sum_cr += alpha * ((colour >> FRACTION_BITS) + offset[2])
                    cover += alpha
            if cover == 0:
                continue
            whole = 255 * count
            mixed = np.int32(cb[by, bx]) * (whole - cover) + sum_cb
            cb[by, bx] = min((mixed + whole // 2) // whole, 255)
            mixed = np.int32(cr[by, bx]) * (whole - cover) + sum_cr
            cr[by, bx] = min((mixed + whole // 2) // whole, 255)


def blend_on_rgb(layer: Layer, frame: UInt8[np.ndarray, "h w 3"]) -> None:
    """Lay the layer over an RGB picture, in place. The layer must lie inside the picture."""
    height, width = layer.rgba.shape[:2]
    below = frame[layer.y_px : layer.y_px + height, layer.x_px : layer.x_px + width]
    assert below.shape[:2] == (height, width), "the layer reaches beyond the picture"
    if layer.rgba.size:
        _over_rgb(layer.rgba, below)


def blend_on_yuv(layer: Layer, image: YuvImage) -> None:
    """Lay the layer over 4:2:0 planes, in place. The layer must lie inside the picture.

    Luma mixes per pixel. Chroma mixes per 2 x 2 block by the mean coverage of the block's pixels,
    so a block that is half covered takes half of the new colour.
    """
    height, width = layer.rgba.shape[:2]
    x, y = layer.x_px, layer.y_px
    assert x % 2 == 0 and y % 2 == 0, "a layer starts at even pixels"
    assert x + width <= image.width_px and y + height <= image.height_px, "layer beyond picture"
    if layer.rgba.size == 0:
        return
    matrix, offset = rgb_to_yuv_matrix(image.matrix, image.full_range)
    _over_yuv(
        layer.rgba,
        image.y[y : y + height, x : x + width],
        image.u[y // 2 : (y + height + 1) // 2, x // 2 : (x + width + 1) // 2],
        image.v[y // 2 : (y + height + 1) // 2, x // 2 : (x + width + 1) // 2],
        np.rint(matrix * (1 << FRACTION_BITS)).astype(np.int32),
        np.rint(offset).astype(np.int32),
    )

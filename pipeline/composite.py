"""Lay a drawn layer over a picture: onto RGB, or straight onto 4:2:0 planes.

Drawing on the planes of a decoded frame saves converting the whole picture to RGB and back.
"""

# mypy: disable-error-code="no-untyped-def"

import numpy as np
from jaxtyping import UInt8

from pipeline.jit import jit
from pipeline.types import Layer
from pipeline.yuv import YuvImage, rgb_to_yuv_matrix


@jit
def _over_rgb(rgba, x0, y0, frame):
    for y in range(rgba.shape[0]):
        for x in range(rgba.shape[1]):
            alpha = np.int32(rgba[y, x, 3])
            if alpha == 0:
                continue
            for k in range(3):
                below = np.int32(frame[y0 + y, x0 + x, k])
                mixed = below * (255 - alpha) + np.int32(rgba[y, x, k]) * alpha
                frame[y0 + y, x0 + x, k] = (mixed + 127) // 255


@jit
def _over_yuv(rgba, x0, y0, luma, cb, cr, m, offset):
    height, width = rgba.shape[0], rgba.shape[1]
    for by in range((height + 1) // 2):
        for bx in range((width + 1) // 2):
            cover, red, green, blue, count = 0, 0, 0, 0, 0
            for y in range(2 * by, min(2 * by + 2, height)):
                for x in range(2 * bx, min(2 * bx + 2, width)):
                    count += 255
                    alpha = np.int32(rgba[y, x, 3])
                    if alpha == 0:
                        continue
                    r, g, b = np.int32(rgba[y, x, 0]), np.int32(rgba[y, x, 1]), rgba[y, x, 2]
                    colour = m[0, 0] * r + m[0, 1] * g + m[0, 2] * np.int32(b) + offset[0]
                    below = np.float32(luma[y0 + y, x0 + x])
                    mixed = below + (colour - below) * (np.float32(alpha) / np.float32(255.0))
                    luma[y0 + y, x0 + x] = np.int32(mixed + np.float32(0.5))
                    cover += alpha
                    red += alpha * r
                    green += alpha * g
                    blue += alpha * np.int32(b)
            if cover == 0:
                continue
            share = np.float32(1.0) / np.float32(count)
            for k in (1, 2):
                plane = cb if k == 1 else cr
                colour = m[k, 0] * red + m[k, 1] * green + m[k, 2] * blue + offset[k] * cover
                below = np.float32(plane[y0 // 2 + by, x0 // 2 + bx])
                mixed = (below * np.float32(count - cover) + colour) * share + np.float32(0.5)
                plane[y0 // 2 + by, x0 // 2 + bx] = np.int32(min(mixed, np.float32(255.0)))


def blend_on_rgb(frame: UInt8[np.ndarray, "h w 3"], layer: Layer) -> None:
    """Lay the layer over an RGB picture, in place. The layer must lie inside the picture."""
    height, width = layer.rgba.shape[:2]
    assert layer.x_px + width <= frame.shape[1], "the layer reaches beyond the picture"
    assert layer.y_px + height <= frame.shape[0], "the layer reaches beyond the picture"
    if layer.rgba.size:
        _over_rgb(layer.rgba, layer.x_px, layer.y_px, frame)


def blend_on_yuv(image: YuvImage, layer: Layer) -> None:
    """Lay the layer over 4:2:0 planes, in place. The layer must lie inside the picture.

    Luma mixes per pixel. Chroma mixes per 2 x 2 block by the mean coverage of the block's pixels,
    so a block that is half covered takes half of the new colour.
    """
    height, width = layer.rgba.shape[:2]
    x, y = layer.x_px, layer.y_px
    assert x % 2 == 0 and y % 2 == 0, "a layer starts at even pixels"
    assert x + width <= image.width_px, "the layer reaches beyond the picture"
    assert y + height <= image.height_px, "the layer reaches beyond the picture"
    if layer.rgba.size == 0:
        return
    matrix, offset = rgb_to_yuv_matrix(image.matrix, image.full_range)
    _over_yuv(
        layer.rgba,
        x,
        y,
        image.y,
        image.u,
        image.v,
        matrix.astype(np.float32),
        offset.astype(np.float32),
    )

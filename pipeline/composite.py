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
def _channels(word):
    """R, G, B and A of four bytes in memory order (little-endian), A from 0 to 1."""
    byte = np.uint32(255)
    red = np.float32(np.int32(word & byte))
    green = np.float32(np.int32((word >> np.uint32(8)) & byte))
    blue = np.float32(np.int32((word >> np.uint32(16)) & byte))
    return red, green, blue, np.float32(np.int32(word >> np.uint32(24))) * np.float32(1.0 / 255.0)


@jit
def _over_yuv(words, x0, y0, luma, cb, cr, m, offset):
    """Blend whole pixels as 32-bit words, without branches: so the compiler uses vectors."""
    half, quarter = np.float32(0.5), np.float32(0.25)
    height, width = words.shape[0], words.shape[1] // 2
    for y in range(height):
        row, target = words[y], luma[y0 + y, x0 : x0 + 2 * width]
        for x in range(2 * width):
            r, g, b, a = _channels(row[x])
            below = np.float32(target[x])
            colour = m[0, 0] * r + m[0, 1] * g + m[0, 2] * b + offset[0]
            target[x] = np.uint8(np.int32(below + (colour - below) * a + half))
    for y in range(height // 2):
        upper, lower = words[2 * y], words[2 * y + 1]
        us = cb[y0 // 2 + y, x0 // 2 : x0 // 2 + width]
        vs = cr[y0 // 2 + y, x0 // 2 : x0 // 2 + width]
        for x in range(width):
            r0, g0, b0, a0 = _channels(upper[2 * x])
            r1, g1, b1, a1 = _channels(upper[2 * x + 1])
            r2, g2, b2, a2 = _channels(lower[2 * x])
            r3, g3, b3, a3 = _channels(lower[2 * x + 1])
            a = (a0 + a1 + a2 + a3) * quarter
            r = (r0 * a0 + r1 * a1 + r2 * a2 + r3 * a3) * quarter
            g = (g0 * a0 + g1 * a1 + g2 * a2 + g3 * a3) * quarter
            b = (b0 * a0 + b1 * a1 + b2 * a2 + b3 * a3) * quarter
            below = np.float32(us[x])
            mixed = below + (m[1, 0] * r + m[1, 1] * g + m[1, 2] * b + (offset[1] - below) * a)
            us[x] = np.uint8(np.int32(min(mixed + half, np.float32(255.0))))
            below = np.float32(vs[x])
            mixed = below + (m[2, 0] * r + m[2, 1] * g + m[2, 2] * b + (offset[2] - below) * a)
            vs[x] = np.uint8(np.int32(min(mixed + half, np.float32(255.0))))


def blend_on_rgb(layer: Layer, frame: UInt8[np.ndarray, "h w 3"]) -> None:
    """Lay the layer over an RGB picture, in place. The layer must lie inside the picture."""
    height, width = layer.rgba.shape[:2]
    assert layer.x_px + width <= frame.shape[1], "the layer reaches beyond the picture"
    assert layer.y_px + height <= frame.shape[0], "the layer reaches beyond the picture"
    if layer.rgba.size:
        _over_rgb(layer.rgba, layer.x_px, layer.y_px, frame)


def blend_on_yuv(layer: Layer, image: YuvImage) -> None:
    """Lay the layer over 4:2:0 planes, in place. The layer must lie inside the picture.

    Luma mixes per pixel. Chroma mixes per 2 x 2 block by the mean coverage of the block's pixels,
    so a block that is half covered takes half of the new colour. Where the layer ends in the
    middle of a block (at the rim of an odd picture), its last pixels count for the padding too.
    """
    height, width = layer.rgba.shape[:2]
    assert layer.x_px % 2 == 0 and layer.y_px % 2 == 0, "a layer starts at even pixels"
    assert layer.x_px + width <= image.width_px, "the layer reaches beyond the picture"
    assert layer.y_px + height <= image.height_px, "the layer reaches beyond the picture"
    if layer.rgba.size == 0:
        return
    rgba = np.ascontiguousarray(layer.rgba)
    if height % 2 or width % 2:
        rgba = np.pad(rgba, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    matrix, offset = rgb_to_yuv_matrix(image.matrix, image.full_range)
    _over_yuv(
        rgba.view("<u4")[..., 0],
        layer.x_px,
        layer.y_px,
        image.y,
        image.u,
        image.v,
        matrix.astype(np.float32),
        offset.astype(np.float32),
    )

"""From what OpenGL drew to a layer: rows from the top, colours without their coverage."""

# mypy: disable-error-code="no-untyped-def"

import numpy as np
from jaxtyping import UInt8

from pipeline.jit import jit


@jit
def _straighten(drawn, opacity, one_opacity, out):
    height, width = out.shape[0], out.shape[1]
    for y in range(height):
        for x in range(width):
            cover = np.uint32(drawn[height - 1 - y, x, 3])
            if cover == 0:
                continue
            for k in range(3):
                colour = np.uint32(drawn[height - 1 - y, x, k]) * np.uint32(255) // cover
                out[y, x, k] = min(colour, np.uint32(255))
            share = np.uint32(opacity[height - 1 - y, x] if one_opacity < 0 else one_opacity)
            out[y, x, 3] = (cover * share + np.uint32(127)) // np.uint32(255)


def straight_layer(
    drawn: UInt8[np.ndarray, "h w 4"], opacity: UInt8[np.ndarray, "h w"] | int
) -> UInt8[np.ndarray, "h w 4"]:
    """Straight colours and coverage.

    Args:
        drawn: premultiplied over black, the lowest row first.
        opacity: of every pixel (the lowest row first) or of all, 0 to 255.
    """
    out = np.zeros(drawn.shape, np.uint8)
    if isinstance(opacity, int):
        _straighten(drawn, np.zeros((1, 1), np.uint8), opacity, out)
    else:
        _straighten(drawn, np.ascontiguousarray(opacity), -1, out)
    return out

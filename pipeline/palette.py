"""A colour for every person, the same in every picture and chart."""

import colorsys

import numpy as np
from jaxtyping import UInt8

PALETTE_RGB = (
    (76, 145, 229),
    (240, 132, 67),
    (82, 183, 121),
    (226, 92, 118),
    (151, 116, 219),
    (226, 180, 58),
    (64, 184, 190),
    (217, 116, 190),
    (142, 176, 66),
    (191, 124, 88),
)
"""Told apart by hue, of similar lightness, bright enough to be shaded."""

GOLDEN_RATIO = 0.6180339887498949


def colour_of(person_id: int) -> UInt8[np.ndarray, " 3"]:
    """The RGB colour of a person (ids count from 1).

    The first ten come from `PALETTE_RGB`, later ones walk round the hues in golden-ratio steps.
    """
    index = person_id - 1
    if 0 <= index < len(PALETTE_RGB):
        return np.array(PALETTE_RGB[index], dtype=np.uint8)
    rgb = colorsys.hsv_to_rgb(index * GOLDEN_RATIO % 1.0, 0.62, 0.88)
    return np.rint(np.array(rgb) * 255.0).astype(np.uint8)

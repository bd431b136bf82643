"""A box as a tracker measures it: centre, size, shape; and how these move and err.

Noise is told in body heights and seconds, so neither the frame rate nor the distance of a person
changes what it means.
"""

import numpy as np
from jaxtyping import Float, Float64

SCALE_OF_SIZE = 1.6
"""Height of a standing person over the square root of the box's area."""
POSITION_NOISE = 0.06
"""Error of a box's centre, in heights."""
SIZE_NOISE = 0.1
"""Error of the logarithm of a box's size."""
SHAPE_NOISE = 0.2
"""Error of the logarithm of width over height: arms come and go."""
START_SPEED = 1.5
"""Heights per second that a person may have when first seen."""
PUSH = 1.0
"""Spectral density of the acceleration, heights^2 / s^3."""
SIZE_DRIFT, SHAPE_DRIFT = 0.04, 0.3
"""Random walk of log size and log shape, variance per second."""


def measure(boxes_xyxy_px: Float[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 4"]:
    """Centre x, y in pixels, log of size (square root of area, pixels), log of width / height."""
    left, top, right, bottom = boxes_xyxy_px.astype(np.float64).T
    width, height = right - left, bottom - top
    size, shape = np.log(width * height) / 2, np.log(width / height)
    return np.stack([(left + right) / 2, (top + bottom) / 2, size, shape], axis=1)


def boxes_of(measures: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 4"]:
    """Left, top, right, bottom in pixels: the inverse of `measure`."""
    x, y, size, shape = measures.T
    half_width, half_height = np.exp(size + shape / 2) / 2, np.exp(size - shape / 2) / 2
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)


def scale_px(measures: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, " n"]:
    """Height in pixels that a standing person of each size has."""
    return SCALE_OF_SIZE * np.exp(measures[:, 2])

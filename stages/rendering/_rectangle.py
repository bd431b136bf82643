"""The rectangle of the picture that a layer needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from stages.rendering._labels import Tag


@dataclass(frozen=True)
class Rectangle:
    """Pixels left <= x < right, top <= y < bottom."""

    left: int
    top: int
    right: int
    bottom: int


def rectangle_around(
    points_px: Sequence[Float64[np.ndarray, "_ 2"]],
    tags: Sequence[Tag],
    width_px: int,
    height_px: int,
) -> Rectangle:
    """The smallest rectangle that holds all bodies and tags as far as the picture shows them.

    It starts at even pixels and has even sizes, but for the last column or row of an odd picture.
    It is empty where no body reaches into the picture.

    Args:
        points_px: of each body, all points; NaN for those behind the camera.
        tags: name tags, inside the picture.
        width_px: of the picture.
        height_px: of the picture.
    """
    boxes = []
    for points in points_px:
        x, y = points[:, 0], points[:, 1]
        low = np.maximum([np.fmin.reduce(x), np.fmin.reduce(y)], 0)  # fmin and fmax skip NaN
        high = np.minimum([np.fmax.reduce(x), np.fmax.reduce(y)], [width_px, height_px])
        if (low < high).all():
            boxes.append([*np.floor(low), *np.ceil(high)])
    if not boxes:
        return Rectangle(0, 0, 0, 0)
    for tag in tags:
        height, width = tag.rgba.shape[:2]
        boxes.append([tag.x_px, tag.y_px, tag.x_px + width, tag.y_px + height])
    array = np.array(boxes).astype(int)
    left, top = (int(value) for value in array[:, :2].min(axis=0) // 2 * 2)
    right, bottom = (int(value) for value in (array[:, 2:].max(axis=0) + 1) // 2 * 2)
    return Rectangle(left, top, min(right, width_px), min(bottom, height_px))

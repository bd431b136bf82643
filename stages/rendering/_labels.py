"""Name tags: white text on the person's colour, made once and blended onto the layer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from pipeline.types import Layer

OVERSAMPLING = 4
OPACITY = 0.92
RIM = 150
"""Whiteness of the plate's rim, 0-255: a tag may lie on a body of its own colour."""


@dataclass(frozen=True)
class Tag:
    """A name tag and where it goes."""

    x_px: int
    y_px: int
    rgba: UInt8[np.ndarray, "h w 4"]


def text_height_px(width_px: int, height_px: int) -> int:
    """Height of a capital letter that can be read on a picture of this size."""
    return max(8, round(0.0155 * min(width_px, height_px)))


@lru_cache(maxsize=256)
def tag_picture(text: str, rgb: tuple[int, int, int], height_px: int) -> UInt8[np.ndarray, "h w 4"]:
    """A rounded plate with text; `height_px` is that of a capital letter."""
    scale, thick = OVERSAMPLING * height_px / 21.0, max(1, round(OVERSAMPLING * height_px / 7.0))
    font = cv2.FONT_HERSHEY_SIMPLEX
    (text_width, _), _ = cv2.getTextSize(text, font, scale, thick)
    (_, cap_height), _ = cv2.getTextSize("H", font, scale, thick)
    pad_x, pad_y = round(cap_height * 0.6), round(cap_height * 0.5)
    width = -(-(text_width + 2 * pad_x) // OVERSAMPLING)
    height = -(-(cap_height + 2 * pad_y) // OVERSAMPLING)
    shape = (height * OVERSAMPLING, width * OVERSAMPLING)
    letters, plate = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    origin = ((shape[1] - text_width) // 2, (shape[0] + cap_height) // 2)
    cv2.putText(letters, text, origin, font, scale, 255, thick, cv2.LINE_AA)
    radius = shape[0] // 4
    cv2.rectangle(plate, (radius, 0), (shape[1] - 1 - radius, shape[0] - 1), 255, -1)
    cv2.rectangle(plate, (0, radius), (shape[1] - 1, shape[0] - 1 - radius), 255, -1)
    for x in (radius, shape[1] - 1 - radius):
        for y in (radius, shape[0] - 1 - radius):
            cv2.circle(plate, (x, y), radius, 255, -1)
    rim = OVERSAMPLING * max(1, height_px // 10)
    letters[cv2.erode(plate, np.ones((2 * rim + 1, 2 * rim + 1)), borderValue=0) < plate] = RIM
    ink = cv2.resize(letters, (width, height), interpolation=cv2.INTER_AREA)[:, :, None] / 255.0
    cover = cv2.resize(plate, (width, height), interpolation=cv2.INTER_AREA)
    # A darker plate, so that white reads well on every colour of the palette.
    colour = (1.0 - ink) * 0.72 * np.array(rgb) + ink * 255.0
    alpha = OPACITY * cover[:, :, None]
    return np.rint(np.concatenate([colour, alpha], axis=2)).astype(np.uint8)


def place_tag(
    text: str,
    rgb: UInt8[np.ndarray, " 3"],
    points_px: Float64[np.ndarray, "v 2"],
    width_px: int,
    height_px: int,
) -> Tag | None:
    """A tag above the highest visible point of a body (NaN: behind the camera), kept inside.

    None where no point is in the picture or the picture is too small for the tag.
    """
    x, y = points_px.T
    seen = (x >= 0) & (x < width_px) & (y >= 0) & (y < height_px)
    picture = tag_picture(text, tuple(int(c) for c in rgb), text_height_px(width_px, height_px))
    tag_height, tag_width = picture.shape[:2]
    if not seen.any() or tag_width > width_px or tag_height > height_px:
        return None
    top_y = y[seen].min()
    near_top = seen & (y <= top_y + 0.03 * (y[seen].max() - top_y))
    left = round(float(x[near_top].mean()) - tag_width / 2)
    top = round(float(top_y)) - tag_height - max(2, tag_height // 4)
    return Tag(
        min(max(left, 0), width_px - tag_width), min(max(top, 0), height_px - tag_height), picture
    )


def spread_tags(tags: Sequence[Tag], width_px: int, height_px: int) -> list[Tag]:
    """Tags moved apart, where there is room, so that every one can be read; the order is kept.

    The last (the nearest person's) stays. Each before it gives way to those after it by the
    shortest way, so that it slides and does not jump when people pass each other.
    """
    placed: list[Tag] = []
    for tag in reversed(tags):
        moved = tag
        for _ in range(len(placed)):
            other = next((one for one in placed if _overlap(moved, one)), None)
            if other is None:
                break
            moved = _beside(moved, other, placed, width_px, height_px)
        placed.append(moved)
    return placed[::-1]


def _overlap(one: Tag, other: Tag) -> bool:
    height, width = one.rgba.shape[:2]
    other_height, other_width = other.rgba.shape[:2]
    return (
        one.x_px < other.x_px + other_width
        and other.x_px < one.x_px + width
        and one.y_px < other.y_px + other_height
        and other.y_px < one.y_px + height
    )


def _beside(tag: Tag, other: Tag, placed: Sequence[Tag], width_px: int, height_px: int) -> Tag:
    """The nearest place left, right, above or below the other; free ones and the picture first."""
    height, width = tag.rgba.shape[:2]
    places = [
        replace(tag, x_px=other.x_px - width),
        replace(tag, x_px=other.x_px + other.rgba.shape[1]),
        replace(tag, y_px=other.y_px - height),
        replace(tag, y_px=other.y_px + other.rgba.shape[0]),
    ]
    inside = [
        one
        for one in places
        if 0 <= one.x_px <= width_px - width and 0 <= one.y_px <= height_px - height
    ]
    if not inside:
        return tag

    def way(one: Tag) -> tuple[bool, int]:
        taken = any(_overlap(one, other) for other in placed)
        return taken, abs(one.x_px - tag.x_px) + abs(one.y_px - tag.y_px)

    return min(inside, key=way)


def draw_tags(layer: Layer, tags: Sequence[Tag]) -> None:
    """Lay the tags over the layer, in order; the layer must be large enough."""
    for tag in tags:
        height, width = tag.rgba.shape[:2]
        y, x = tag.y_px - layer.y_px, tag.x_px - layer.x_px
        below = layer.rgba[y : y + height, x : x + width]
        alpha_below = below[..., 3:] / 255.0
        alpha = tag.rgba[..., 3:] / 255.0
        total = alpha + alpha_below * (1.0 - alpha)
        mixed = tag.rgba[..., :3] * alpha + below[..., :3] * (alpha_below * (1.0 - alpha))
        below[..., :3] = np.rint(mixed / np.maximum(total, 1e-6))
        below[..., 3:] = np.rint(total * 255.0)

"""A picture to draw on, with transparency: RGBA, premultiplied.

Premultiplied, because then OpenCV's soft lines on nothing come out right: colour and coverage
fade together.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.types import Layer

SUBPIXEL_BITS = 4
FAR_PX = 30000.0
LETTER_PX = 22.0
"""A capital letter of OpenCV's at size 1."""
SMALLEST_TEXT, LEGIBLE_TEXT = 0.45, 0.3
"""Sizes of letters (1: 22 px tall): least by the picture's size, and least to fit its width."""
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Fit:
    """How a picture of one size lies in one of another: scaled evenly, in the middle."""

    scale: float
    x_px: float
    y_px: float

    def intrinsics(self, K_px: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
        """The camera of the scaled picture."""
        return np.array([[self.scale, 0, self.x_px], [0, self.scale, self.y_px], [0, 0, 1]]) @ K_px


def fit(from_px: tuple[int, int], to_px: tuple[int, int]) -> Fit:
    """Width and height into width and height, nothing cut off."""
    scale = min(to_px[0] / from_px[0], to_px[1] / from_px[1])
    left, top = (to - scale * size for to, size in zip(to_px, from_px, strict=True))
    return Fit(float(scale), float(left / 2), float(top / 2))


def blank(size_px: tuple[int, int], rgb: Colour | None = None) -> UInt8[np.ndarray, "h w 4"]:
    """A canvas of one colour, or with nothing on it."""
    canvas = np.zeros((size_px[1], size_px[0], 4), np.uint8)
    if rgb is not None:
        canvas[:] = (*rgb, 255)
    return canvas


def place(rgb: UInt8[np.ndarray, "h w 3"], where: Fit, canvas: UInt8[np.ndarray, "H W 4"]) -> None:
    """Put a picture where it fits, opaque."""
    height, width = rgb.shape[:2]
    size = (round(width * where.scale), round(height * where.scale))
    if size != (width, height):
        how = cv2.INTER_AREA if where.scale < 1 else cv2.INTER_LINEAR
        rgb = cv2.resize(rgb, size, interpolation=how)
    x, y = round(where.x_px), round(where.y_px)
    target = canvas[y : y + size[1], x : x + size[0]]
    target[..., :3] = rgb[: target.shape[0], : target.shape[1]]
    target[..., 3] = 255


def lay(layer: Layer, canvas: UInt8[np.ndarray, "h w 4"]) -> None:
    """A renderer's layer over the canvas."""
    height, width = layer.rgba.shape[:2]
    if not layer.rgba.size:
        return
    alpha = layer.rgba[..., 3:].astype(np.uint16)
    colour = np.concatenate([layer.rgba[..., :3], np.full_like(layer.rgba[..., 3:], 255)], 2)
    target = canvas[layer.y_px : layer.y_px + height, layer.x_px : layer.x_px + width]
    target[:] = (colour * alpha + target * (255 - alpha) + 127) // 255


def lay_canvas(
    top: UInt8[np.ndarray, "h w 4"], canvas: UInt8[np.ndarray, "h w 4"], strength: float = 1.0
) -> None:
    """A canvas over another, so opaque; only where something is on it."""
    x, y, width, height = cv2.boundingRect(cv2.extractChannel(top, 3))
    part = top[y : y + height, x : x + width]
    if strength < 1.0:
        part = (part * np.float32(strength)).astype(np.uint8)
    target = canvas[y : y + height, x : x + width]
    left = 255 - part[..., 3:].astype(np.uint16)
    target[:] = np.minimum(part + (target * left + 127) // 255, 255)


def straight(canvas: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 4"]:
    """Colours as they are in a PNG: not multiplied by their coverage."""
    alpha = np.maximum(canvas[..., 3:], 1).astype(np.uint16)
    colour = np.minimum((canvas[..., :3].astype(np.uint16) * 255 + alpha // 2) // alpha, 255)
    return np.concatenate([colour.astype(np.uint8), canvas[..., 3:]], axis=2)


def lines(
    canvas: UInt8[np.ndarray, "h w 4"],
    ends_px: Float[np.ndarray, "n 2 2"],
    rgb: Colour,
    thickness_px: int = 1,
) -> None:
    """Soft lines; ends that are not finite or very far away are left out."""
    good = (np.isfinite(ends_px) & (np.abs(ends_px) < FAR_PX)).all(axis=(1, 2))
    fixed = np.rint((ends_px[good] - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(canvas, list(fixed), False, (*rgb, 255), thickness_px, cv2.LINE_AA, SUBPIXEL_BITS)


def dot(
    canvas: UInt8[np.ndarray, "h w 4"],
    at_px: Float[np.ndarray, "2"],
    radius_px: float,
    rgb: Colour,
    thickness_px: int = -1,
) -> None:
    """A soft disc, or a ring."""
    if not (np.isfinite(at_px).all() and (np.abs(at_px) < FAR_PX).all()):
        return
    x, y = np.rint((at_px - 0.5) * (1 << SUBPIXEL_BITS)).astype(int).tolist()
    radius = round(radius_px * (1 << SUBPIXEL_BITS))
    cv2.circle(canvas, (x, y), radius, (*rgb, 255), thickness_px, cv2.LINE_AA, SUBPIXEL_BITS)


def words_height_px(shape: tuple[int, ...]) -> float:
    """Height of a capital letter of `write_text` on a picture of this height and width."""
    return LETTER_PX * max(min(shape[:2]) / 1000.0, SMALLEST_TEXT)


def write_text(
    canvas: UInt8[np.ndarray, "h w 4"], text: str, at_px: tuple[float, float], rgb: Colour
) -> None:
    """Small words, their lower left corner at a pixel; left out where they do not fit."""
    size = min(canvas.shape[:2]) / 1000.0
    corner = (round(at_px[0]), round(at_px[1]))
    thick = max(1, round(1.6 * size))
    font, wanted = cv2.FONT_HERSHEY_SIMPLEX, max(size, SMALLEST_TEXT)
    (width, _), _ = cv2.getTextSize(text, font, wanted, thick)
    fitting = wanted * min((canvas.shape[1] - corner[0]) / width, 1.0)
    if fitting >= LEGIBLE_TEXT:
        cv2.putText(canvas, text, corner, font, fitting, (*rgb, 255), thick, cv2.LINE_AA)

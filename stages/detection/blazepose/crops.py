"""Square, turned regions of a frame, and the pictures cut out of them.

Coordinates are continuous: pixel i covers i to i + 1, so its centre is at i + 0.5.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

REGION_SCALE = 1.25
"""A region's side over the diameter of the circle that encloses the body."""


@dataclass(frozen=True)
class Region:
    """A square around a person, turned so that the person stands upright in it."""

    x_px: float
    y_px: float
    """Centre (x_px, y_px)."""
    size_px: float
    angle_rad: float
    """Clockwise turn of the square in the picture; 0 for an upright person."""

    def to_frame(self, points_unit: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the square, 0 to 1 over its side, as pixels of the frame."""
        centered = (points_unit - 0.5) * self.size_px
        return centered @ rotation(self.angle_rad).T + (self.x_px, self.y_px)

    def to_region(self, points_px: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) of the frame as points of the square: the inverse of `to_frame`."""
        centered = (points_px - (self.x_px, self.y_px)) @ rotation(self.angle_rad)
        return centered / self.size_px + 0.5


def rotation(angle_rad: float) -> Float64[np.ndarray, "2 2"]:
    """Turns column vectors clockwise in the picture (x right, y down)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s], [s, c]])


def region_around(center_px: np.ndarray, circle_px: np.ndarray) -> Region:
    """The region of a body from the middle of its hips and a point on its enclosing circle.

    The circle point lies in the direction of the head, which becomes up (Bazarevsky et al. 2020,
    BlazePose).
    """
    dx, dy = (circle_px - center_px).tolist()
    size_px = 2 * float(np.hypot(dx, dy)) * REGION_SCALE
    angle = np.pi / 2 - np.arctan2(-dy, dx)
    angle -= 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi))
    return Region(float(center_px[0]), float(center_px[1]), size_px, float(angle))


def crop(
    rgb: UInt8[np.ndarray, "h w 3"],
    region: Region,
    side_px: int,
    border: int = cv2.BORDER_REPLICATE,
) -> UInt8[np.ndarray, "side side 3"]:
    """The region's picture, bilinear, scaled to side_px; outside the frame as OpenCV's `border`."""
    scale = region.size_px / side_px
    turn = rotation(region.angle_rad) * scale
    middle = np.full(2, side_px / 2 - 0.5)
    offset = np.array([region.x_px, region.y_px]) - 0.5 - turn @ middle
    to_source = np.column_stack([turn, offset])
    return cv2.warpAffine(
        rgb,
        to_source,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=border,
    )


def normalized(picture: UInt8[np.ndarray, "h w 3"], low: float) -> Float32[np.ndarray, "h w 3"]:
    """Colours 0 to 255 as numbers from low to 1."""
    return picture.astype(np.float32) * np.float32((1 - low) / 255) + np.float32(low)

"""Heads made unrecognisable in the source's picture: everybody's that was found, drawn or not."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.camera import NEAREST_M, project
from pipeline.judging.posed import Posed

NECK, HEAD = 12, 15
BEYOND = 0.35
"""The head's middle lies beyond its joint by this share of the way from the neck."""
RADIUS_M = 0.19
BLOCKS = 5
"""What is left of a face across."""


def blur_heads(
    rgb: UInt8[np.ndarray, "h w 3"],
    everybody: Sequence[Posed],
    frame_index: int,
    K_px: Float[np.ndarray, "3 3"],
) -> UInt8[np.ndarray, "h w 3"]:
    """A copy in which the heads of all tracked people are a few blurred blocks.

    People between two sightings are taken where they are thought to be. Whoever was never found
    keeps the face: look at the result.
    """
    out = rgb.copy()
    for posed in everybody:
        row = frame_index - int(posed.person.frame_index[0])
        if 0 <= row < len(posed.person):
            _blur(out, posed.joints_m[row], K_px)
    return out


def _blur(rgb: np.ndarray, joints_m: np.ndarray, K_px: np.ndarray) -> None:
    middle_m = joints_m[HEAD] + BEYOND * (joints_m[HEAD] - joints_m[NECK])
    if middle_m[2] < NEAREST_M:
        return
    x, y = project(middle_m[None], K_px)[0]
    radius = RADIUS_M * K_px[0, 0] / middle_m[2]
    height, width = rgb.shape[:2]
    left, right = max(int(x - radius), 0), min(int(x + radius) + 1, width)
    top, bottom = max(int(y - radius), 0), min(int(y + radius) + 1, height)
    if left >= right or top >= bottom:
        return
    part = rgb[top:bottom, left:right]
    size = (right - left, bottom - top)
    blocks = cv2.resize(part, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(blocks, size, interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[top:bottom, left:right] + 0.5
    inside = np.hypot(columns - x, rows - y) < radius
    part[inside] = blurred[inside]

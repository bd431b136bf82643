"""How people look, read off the pictures: the colours of their body parts, without a network.

Here along landmarks, or in boxes; `pipeline.appearance_mesh` reads the same off the surface.

A vector of 28 numbers per person: of each of seven parts the median CIELAB lightness, green-red and
blue-yellow, and the spread of lightness. A part that is not seen, because it is hidden, outside of
the picture or not visible to the detector, is NaN.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from pipeline.appearance_hidden import crowd_of, not_hidden
from pipeline.appearance_points import (
    PARTS,
    SKELETONS,
    PartPoints,
    points_in_boxes,
    points_on_landmarks,
)
from pipeline.colours import rgb_to_lab
from pipeline.frame import Frame
from pipeline.types import Detections

VALUES = 4
"""Per part: lightness, a, b, spread of lightness."""
SIZE = len(PARTS) * VALUES
LEAST_POINTS = 8
"""A part of which fewer points are seen is unseen."""


def appearance_of(frames: Sequence[Frame], detections: Detections) -> Float32[np.ndarray, "n 28"]:
    """Appearance of every detection in a batch of frames, in the detections' order."""
    found = np.full((len(detections), SIZE), np.nan, dtype=np.float32)
    if not len(detections):
        return found
    points = _points(detections)
    for frame in frames:
        rows = np.flatnonzero(detections.frame_index == frame.index)
        if not len(rows):
            continue
        here = PartPoints(points.points_px[rows], points.seen[rows])
        crowd = crowd_of(detections, rows, frame.height_px)
        found[rows] = look_in(frame.rgb, PartPoints(here.points_px, not_hidden(here, crowd)))
    return found


def look_in(rgb: UInt8[np.ndarray, "h w 3"], points: PartPoints) -> Float32[np.ndarray, "n 28"]:
    """The look of every person at these points of a picture."""
    return _summary(_looked_up(rgb, points.points_px, points.seen))


def _points(detections: Detections) -> PartPoints:
    if detections.landmarks_px is not None and detections.skeleton in SKELETONS:
        return points_on_landmarks(detections.landmarks_px, detections.skeleton)
    return points_in_boxes(detections.boxes_xyxy_px)


def _looked_up(
    rgb: np.ndarray, points_px: np.ndarray, seen: Bool[np.ndarray, "n 7 p"]
) -> Float32[np.ndarray, "n 7 p 3"]:
    """Colours at the points in the picture; NaN at the others."""
    height_px, width_px = rgb.shape[:2]
    with np.errstate(invalid="ignore"):
        pixel = np.floor(np.where(seen[..., None], points_px, -1.0)).astype(np.int64)
    inside = seen & (pixel >= 0).all(axis=-1)
    inside &= (pixel[..., 0] < width_px) & (pixel[..., 1] < height_px)
    colours = np.full((*seen.shape, 3), np.nan, dtype=np.float32)
    colours[inside] = rgb_to_lab(rgb[pixel[inside][:, 1], pixel[inside][:, 0]])
    return colours


def _summary(colours: Float32[np.ndarray, "n 7 p 3"]) -> Float32[np.ndarray, "n 28"]:
    """Medians, and the spread of lightness between its quartiles."""
    ranked = np.sort(colours, axis=2)  # NaN last
    count = np.isfinite(colours[..., 0]).sum(axis=2)
    enough = count >= LEAST_POINTS

    def at(share: float) -> np.ndarray:
        place = np.clip(np.round(share * (count - 1)), 0, colours.shape[2] - 1).astype(np.int64)
        return np.take_along_axis(ranked, place[:, :, None, None], axis=2)[:, :, 0]

    spread = at(0.75)[..., :1] - at(0.25)[..., :1]
    values = np.concatenate([at(0.5), spread], axis=-1)
    return np.where(enough[..., None], values, np.nan).reshape(len(colours), SIZE)

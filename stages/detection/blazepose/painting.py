"""People painted out of a picture, so that the networks see who stands behind them.

Of two people close together both networks only see the nearer one, wherever they are asked to look.
Under a grey shape where that one stands, they see the other: hidden parts are what the landmark
network was trained with (Bazarevsky et al. 2020, BlazePose, section 3).
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.landmarks import Pose
from stages.detection.blazepose.likeness import CORE, JOINTS, torso_px

LIMBS = (
    ("shoulder", "elbow", 0.13),
    ("elbow", "wrist", 0.13),
    ("wrist", "index", 0.13),
    ("hip", "knee", 0.18),
    ("knee", "ankle", 0.15),
    ("ankle", "heel", 0.10),
    ("ankle", "foot_index", 0.13),
)
"""Ends of each, and half its thickness in torso lengths."""
NECK, TRUNK = 0.17, 0.20
"""Half the thickness of the neck, and how far the trunk reaches beyond shoulders and hips."""
HEAD_X, HEAD_Y, HEAD_UP = 0.23, 0.28, 0.15
"""Half axes of the head in torso lengths, and how far its middle lies above the ears, over the way
from the shoulders up to them."""
SHIFT_BITS = 4
"""OpenCV draws at sixteenths of a pixel."""

_STRIPS = [
    (BLAZEPOSE33.index(f"{side}_{start}"), BLAZEPOSE33.index(f"{side}_{end}"), radius)
    for side in ("left", "right")
    for start, end, radius in LIMBS
]
_TRUNK = BLAZEPOSE33.indices("left_shoulder", "right_shoulder", "right_hip", "left_hip")
_EARS = BLAZEPOSE33.indices("nose", "left_ear", "right_ear")
_PARTS = np.unique(np.concatenate([CORE, JOINTS]))

Picture = UInt8[np.ndarray, "h w 3"]


def paint_out(
    picture: Picture,
    poses: Sequence[Pose],
    to_picture: Callable[[Float[np.ndarray, "n 2"]], Float[np.ndarray, "n 2"]],
    keep: Sequence[Pose] = (),
) -> None:
    """Paint people over in the mean colour of the picture, in place.

    Args:
        picture: part of a frame.
        poses: who is to be painted over.
        to_picture: from pixels of the frame to those of the picture.
        keep: who is not, where both are.
    """
    if not poses:
        return
    covered = silhouettes(picture.shape[:2], poses, to_picture)
    if keep:
        covered &= 1 - silhouettes(picture.shape[:2], keep, to_picture)
    if covered.any():
        picture[covered > 0] = picture.mean(axis=(0, 1)).astype(np.uint8)


def silhouettes(
    shape: tuple[int, int],
    poses: Sequence[Pose],
    to_picture: Callable[[Float[np.ndarray, "n 2"]], Float[np.ndarray, "n 2"]],
) -> UInt8[np.ndarray, "h w"]:
    """1 where the people are, as drawn around their landmarks; else 0."""
    covered = np.zeros(shape, np.uint8)
    for pose in poses:
        points = to_picture(pose.points_px.astype(np.float64))
        if np.isfinite(points).all() and (np.abs(points) < 2**24).all():
            _draw(covered, points, torso_px(points))
    return covered


def hidden_share(pose: Pose, poses: Sequence[Pose]) -> float:
    """Share of a person's head, shoulders, hips and limbs that lies on the others."""
    low = pose.points_px.min(axis=0) - 1
    span = max(float(np.ptp(pose.points_px, axis=0).max()), 1.0)
    scale = 128 / span

    def to_picture(points: np.ndarray) -> np.ndarray:
        return (points - low) * scale

    covered = silhouettes((132, 132), poses, to_picture)
    x, y = np.clip(to_picture(pose.points_px[_PARTS]), 0, 131).astype(int).T
    return float(covered[y, x].mean())


def _draw(covered: np.ndarray, points: np.ndarray, torso: float) -> None:
    fixed = np.round(points * (1 << SHIFT_BITS)).astype(int)

    def line(start: np.ndarray, end: np.ndarray, radius: float) -> None:
        width = min(max(round(2 * radius * torso), 1), 2**14)
        cv2.line(covered, start.tolist(), end.tolist(), 1, width, shift=SHIFT_BITS)

    for start, end, radius in _STRIPS:
        line(fixed[start], fixed[end], radius)
    trunk = cv2.convexHull(fixed[_TRUNK].astype(np.int32))
    cv2.fillPoly(covered, [trunk], 1, shift=SHIFT_BITS)
    corners = trunk[:, 0]
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        line(start, end, TRUNK)
    ears, shoulders = points[_EARS].mean(axis=0), points[_TRUNK[:2]].mean(axis=0)
    neck = np.round(np.stack([ears, shoulders]) * (1 << SHIFT_BITS)).astype(int)
    line(neck[0], neck[1], NECK)
    up = ears - shoulders
    middle = ears + HEAD_UP * up
    turn_deg = float(np.degrees(np.arctan2(up[1], up[0]))) + 90
    size = (2 * HEAD_X * torso, 2 * HEAD_Y * torso)
    cv2.ellipse(covered, (tuple(middle.tolist()), size, turn_deg), 1, -1)

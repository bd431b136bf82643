"""The box around a person, from landmarks."""

import numpy as np
from jaxtyping import Float32

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.likeness import torso_px

VISIBLE = 0.1
"""Where somebody is hidden, the network still places the hidden parts well; not beyond the picture,
where it gives less than this."""
MARGIN = 0.1
"""Skin and clothes around the landmarks, in torso lengths: 3 % of the height of who stands."""
CROWN_OVER_NECK = 0.7
"""From the ears up to the top of the head, over the way from the shoulders up to the ears."""

_EARS = BLAZEPOSE33.indices("left_ear", "right_ear")
_SHOULDERS = BLAZEPOSE33.indices("left_shoulder", "right_shoulder")


def body_box_xyxy_px(
    points_px: Float32[np.ndarray, "33 2"], visibility: Float32[np.ndarray, " 33"]
) -> Float32[np.ndarray, " 4"]:
    """Box of the visible landmarks and the top of the head, grown to cover skin and clothes.

    Rendered people, whose boxes are known to the pixel, are covered to 0.87 (intersection over
    union, mean of those seen whole and half hidden).

    The landmarks end at the ears: the top of the head is put where a neck's way above them says.
    Where fewer than four landmarks are visible, all of them count.
    """
    seen = visibility >= VISIBLE
    if seen.sum() < 4:  # noqa: PLR2004
        seen[:] = True
    points = points_px[seen]
    if seen[_EARS].any() and seen[_SHOULDERS].any():
        ears, shoulders = points_px[_EARS].mean(axis=0), points_px[_SHOULDERS].mean(axis=0)
        points = np.vstack([points, ears + CROWN_OVER_NECK * (ears - shoulders)])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * torso_px(points_px)
    return np.concatenate([low - margin, high + margin]).astype(np.float32)

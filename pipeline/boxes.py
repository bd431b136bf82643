"""Boxes in the picture: left, top, right, bottom in pixels."""

import numpy as np
from jaxtyping import Float, Float64


def box_iou(
    a_xyxy_px: Float[np.ndarray, "a 4"], b_xyxy_px: Float[np.ndarray, "b 4"]
) -> Float64[np.ndarray, "a b"]:
    """Intersection over union of every box with every other; 0 where a box is NaN or empty."""
    a, b = np.asarray(a_xyxy_px, np.float64), np.asarray(b_xyxy_px, np.float64)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=-1)
    areas = [np.prod(np.clip(box[:, 2:] - box[:, :2], 0.0, None), axis=-1) for box in (a, b)]
    union = areas[0][:, None] + areas[1][None] - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(union > 0, shared / union, 0.0)


def paired_iou(
    a_xyxy_px: Float[np.ndarray, "n 4"], b_xyxy_px: Float[np.ndarray, "n 4"]
) -> Float64[np.ndarray, " n"]:
    """Intersection over union of boxes pair by pair; 0 where a box is NaN or empty."""
    a, b = np.asarray(a_xyxy_px, np.float64), np.asarray(b_xyxy_px, np.float64)
    size = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.prod(np.clip(size, 0.0, None), axis=1)
    areas = (np.prod(np.clip(box[:, 2:] - box[:, :2], 0.0, None), axis=1) for box in (a, b))
    union = sum(areas) - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(union > 0, shared / union, 0.0)

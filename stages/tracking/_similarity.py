"""How alike two sets of landmarks are, 0 to 1."""

import numpy as np
from jaxtyping import Float

LANDMARK_SLACK = 0.1
"""Distance in body heights at which a landmark counts exp(-1/2)."""


def landmark_similarity(
    a_px: Float[np.ndarray, "p k 3"],
    b_px: Float[np.ndarray, "p k 3"],
    height_px: Float[np.ndarray, " p"],
) -> np.ndarray:
    """(p,) mean of exp(-d^2 / 2 s^2) over landmarks, weighted by visibility, pair by pair.

    This is COCO's object keypoint similarity with one slack s for all landmarks. Without a
    landmark visible in both it is 0.
    """
    distance = np.linalg.norm(a_px[..., :2] - b_px[..., :2], axis=-1) / height_px[:, None]
    visible = a_px[..., 2] * b_px[..., 2]
    known = np.isfinite(distance) & np.isfinite(visible)
    visible = np.where(known, visible, 0.0)
    near = np.exp(-0.5 * np.square(np.where(known, distance, np.inf) / LANDMARK_SLACK))
    return (near * visible).sum(axis=1) / np.maximum(visible.sum(axis=1), 1e-9)

"""Of boxes that mean the same person, the surest; in NumPy, without compiled operators."""

import numpy as np
from jaxtyping import Float32, Int64


def non_maximum_suppression(
    boxes_xyxy: Float32[np.ndarray, "n 4"],
    score: Float32[np.ndarray, " n"],
    largest_iou: float,
    most: int,
) -> Int64[np.ndarray, " k"]:
    """Greedy suppression.

    Args:
        boxes_xyxy: left, top, right, bottom.
        score: equal scores keep their order.
        largest_iou: boxes that overlap a surer one by more are dropped.
        most: end once this many are kept.

    Returns:
        The rows kept, the surest first.
    """
    waiting = np.argsort(-score, kind="stable")
    kept: list[int] = []
    while len(waiting) and len(kept) < most:
        first, waiting = waiting[0], waiting[1:]
        kept.append(int(first))
        overlap = _overlap(boxes_xyxy[first], boxes_xyxy[waiting])
        waiting = waiting[~(overlap > largest_iou)]
    return np.array(kept, dtype=np.int64)


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) intersection over union of a box with n others; 0 where neither has an area."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)

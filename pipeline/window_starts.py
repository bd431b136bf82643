"""Where windows over a sequence begin, for networks that see so many frames at a time."""

import numpy as np
from jaxtyping import Int64


def window_starts(count: int, window: int, stride: int) -> Int64[np.ndarray, " w"]:
    """Windows from `stride` to `stride`, the last one moved back to end with the sequence."""
    last = max(count - window, 0)
    return np.unique(np.append(np.arange(0, last, stride), last)).astype(np.int64)

"""How much later one motion is than another."""

import numpy as np
from jaxtyping import Bool, Float64


def delay_frames(
    old: Float64[np.ndarray, "t *points 3"],
    new: Float64[np.ndarray, "t *points 3"],
    valid: Bool[np.ndarray, " t"],
    most: int,
) -> float:
    """Shift of `new` against `old` that makes them most alike, by a parabola between frames.

    Args:
        old: velocities, or whatever tells the moments apart.
        new: the same of the other motion.
        valid: frames that count.
        most: longest delay looked for, in frames; the same ahead.
    """
    where = valid.reshape(-1, *[1] * (old.ndim - 1))
    old, new = (np.where(where, v, 0.0) for v in (old, new))
    inner = old[most : len(old) - most]
    # Distance and not product: a signal that merely gets larger later is not late.
    apart = np.array(
        [
            np.mean((new[most + lag : len(new) - most + lag] - inner) ** 2)
            for lag in range(-most, most + 1)
        ]
    )
    best = int(apart.argmin())
    if best in (0, 2 * most):
        return float(best - most)
    left, middle, right = apart[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return float(best - most + (0.5 * (left - right) / bend if bend > 0 else 0.0))

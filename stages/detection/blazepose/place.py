"""Where somebody is to be expected: steadily on, and beside others the more so.

Of two people close together the network's pose of one is drawn to the other; the way so far knows
better for a while.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

LAG_ALONE_S, LAG_BESIDE_S = 0.03, 0.2
"""How slowly the expected place follows what is seen, alone and beside somebody."""
SPEED_LAGS, LEAST_SPEED_LAG_S = 3.0, 0.1
"""The speed follows slower by this factor, and never faster than this."""
YOUNG_S = 0.2
"""Before so much is seen, every sighting counts at least as in a mean."""


@dataclass(frozen=True)
class Place:
    """Middle of the hips and its speed, by an alpha-beta filter in real seconds."""

    px: Float64[np.ndarray, " 2"]
    px_s: Float64[np.ndarray, " 2"]
    time_s: float
    """Of the last sighting that counted."""
    since_s: float
    """Of the first one."""

    def at(self, time_s: float) -> Float64[np.ndarray, " 2"]:
        """Where the person is to be expected, in pixels of the frame."""
        return self.px + self.px_s * (time_s - self.time_s)

    def after(self, seen_px: Float64[np.ndarray, " 2"], time_s: float, *, beside: bool) -> "Place":
        """With one more sighting, `beside` somebody or alone."""
        step_s = time_s - self.time_s
        if step_s <= 0:
            return self
        lag_s = LAG_BESIDE_S if beside else LAG_ALONE_S
        age_s = time_s - self.since_s
        young = step_s / (age_s + step_s) if age_s < YOUNG_S else 0.0
        gain = max(1 - np.exp(-step_s / lag_s), young)
        speed_lag_s = max(lag_s * SPEED_LAGS, LEAST_SPEED_LAG_S)
        speed_gain = gain * max(1 - np.exp(-step_s / speed_lag_s), young)
        expected = self.at(time_s)
        off = np.asarray(seen_px, np.float64) - expected
        return Place(
            expected + gain * off, self.px_s + speed_gain * off / step_s, time_s, self.since_s
        )


def first_seen(seen_px: Float64[np.ndarray, " 2"], time_s: float) -> Place:
    """Where somebody is seen for the first time, of whose speed nothing is known."""
    return Place(np.asarray(seen_px, np.float64), np.zeros(2), time_s, time_s)

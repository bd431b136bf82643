"""Values between known times: straight lines for places, shortest arcs for rotations."""

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation


def interpolate_linear(
    known_s: Float64[np.ndarray, " m"],
    values: Float[np.ndarray, "m *rest"],
    time_s: Float64[np.ndarray, " t"],
) -> Float64[np.ndarray, "t *rest"]:
    """Straight lines between known values; outside the known times the nearest one holds.

    Args:
        known_s: increasing times in seconds, at least one.
        values: what is known at these times, finite.
        time_s: times asked for.
    """
    before, after, share = neighbours(known_s, time_s)
    share = share.reshape((-1,) + (1,) * (values.ndim - 1))
    start = values[before].astype(np.float64)
    return start + share * (values[after] - start)


def interpolate_rotvec(
    known_s: Float64[np.ndarray, " m"],
    rotvec: Float[np.ndarray, "m *joints 3"],
    time_s: Float64[np.ndarray, " t"],
) -> Float64[np.ndarray, "t *joints 3"]:
    """Slerp (Shoemake 1985): constant angular velocity along the shorter arc.

    Args:
        known_s: increasing times in seconds, at least one.
        rotvec: axis-angle in radians, finite.
        time_s: times asked for; outside the known times the nearest rotation holds.
    """
    before, after, share = neighbours(known_s, time_s)
    start = Rotation.from_rotvec(rotvec[before].reshape(-1, 3).astype(np.float64))
    end = Rotation.from_rotvec(rotvec[after].reshape(-1, 3).astype(np.float64))
    share = np.repeat(share, len(start) // max(len(share), 1))
    arc = (start.inv() * end).as_rotvec() * share[:, None]
    out = (start * Rotation.from_rotvec(arc)).as_rotvec()
    return out.reshape((len(time_s), *rotvec.shape[1:]))


def neighbours(
    known_s: np.ndarray, time_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the known times around each time, and how far between them it lies (0 to 1)."""
    after = np.clip(np.searchsorted(known_s, time_s), 1, max(len(known_s) - 1, 1))
    after = np.minimum(after, len(known_s) - 1)
    before = np.maximum(after - 1, 0)
    span = np.where(after > before, known_s[after] - known_s[before], 1.0)
    return before, after, np.clip((time_s - known_s[before]) / span, 0.0, 1.0)

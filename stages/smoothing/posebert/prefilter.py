"""What runs before our own network: the robust filter of `whittaker` on every joint.

Fast noise is what a filter takes away best, and single wild frames; slow wandering is what only
knowledge of human motion can, and that is left to the network.
"""

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import make_interp_spline
from scipy.spatial.transform import Rotation

from stages.smoothing._grid import Grid, smooth_rotations
from stages.smoothing._uniform import CUBIC
from stages.smoothing.posebert.frame_rate import Sampled

OUTLIER_RATIO, OUTLIER_WINDOW_S = 5.0, 0.5
"""As in `whittaker`."""
GAP_WEIGHT = 0.05
"""Pull of a frame that was only drawn between sightings."""
NEVER_AN_OUTLIER = 1e3
"""Radians: more than any turn."""


def prefiltered(
    time_s: Float64[np.ndarray, " t"],
    rotvec: Float64[np.ndarray, "t 24 3"],
    weights: Float64[np.ndarray, " t"],
    cutoff_hz: float,
    spread: float = 1.0,
) -> Float64[np.ndarray, "t 24 3"]:
    """Axis-angle of every joint, smoothed; at least four frames, none of them empty."""
    grid = Grid(time_s, np.maximum(weights, GAP_WEIGHT), OUTLIER_RATIO, OUTLIER_WINDOW_S)
    return smooth_rotations(rotvec, grid, np.full(rotvec.shape[1], cutoff_hz), spread)


def turned_by(
    time_s: Float64[np.ndarray, " t"],
    rotvec: Float64[np.ndarray, "t 24 3"],
    before: Sampled,
    after: Float64[np.ndarray, "n 24 3"],
    cutoff_hz: float,
) -> Float64[np.ndarray, "t 24 3"]:
    """`rotvec` with the turns that lead from `before` to `after`, smoothed, at its own times.

    So what the network changes is all that passes through its frame rate.
    """
    shape = before.rotvec.shape
    old, new = (Rotation.from_rotvec(r.reshape(-1, 3)) for r in (before.rotvec, after))
    turn = (old.inv() * new).as_rotvec().reshape(shape)
    grid = Grid(before.time_s, np.ones(len(turn)), OUTLIER_RATIO, OUTLIER_WINDOW_S)
    turn = grid.smooth_lanes(turn, np.full(shape[1], cutoff_hz), NEVER_AN_OUTLIER)
    turn = make_interp_spline(before.time_s, turn, k=min(CUBIC, len(turn) - 1))(time_s)
    given = Rotation.from_rotvec(rotvec.reshape(-1, 3))
    return (given * Rotation.from_rotvec(turn.reshape(-1, 3))).as_rotvec().reshape(rotvec.shape)

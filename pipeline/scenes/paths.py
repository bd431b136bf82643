"""A way over the ground, rounded at its corners, measured by its length."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64
from scipy.ndimage import gaussian_filter1d

STEP_M = 0.01
RUN_ON_M = 4.0
"""How far a way goes straight on before its first and after its last point."""


@dataclass(frozen=True)
class GroundPath:
    """Points about a centimetre apart, straight on before the first corner and after the last."""

    points_xz_m: Float64[np.ndarray, "n 2"]
    way_at_start_m: float
    """What the way's length reads at its first corner."""

    @cached_property
    def _length_m(self) -> np.ndarray:
        steps = np.linalg.norm(np.diff(self.points_xz_m, axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)]) - RUN_ON_M + self.way_at_start_m

    @cached_property
    def _heading_rad(self) -> np.ndarray:
        ahead = np.gradient(self.points_xz_m, axis=0)
        return np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 1]))

    def at(self, way_m: Float[np.ndarray, " t"]) -> Float64[np.ndarray, "t 3"]:
        """World points after `way_m` metres."""
        x, z = (np.interp(way_m, self._length_m, axis) for axis in self.points_xz_m.T)
        return np.stack([x, np.zeros_like(x), z], axis=1)

    def heading_rad(self, way_m: Float[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
        """Direction of the way there: 0 is +z, a quarter turn is +x."""
        return np.interp(way_m, self._length_m, self._heading_rad)


def rounded_path(
    corners_xz_m: Float[np.ndarray, "n 2"], way_at_start_m: float = 0.0, radius_m: float = 0.4
) -> GroundPath:
    """A way from the first corner to the last; those between are rounded off."""
    corners = np.asarray(corners_xz_m, dtype=np.float64)
    before = corners[0] + RUN_ON_M * _unit(corners[0] - corners[1])
    after = corners[-1] + RUN_ON_M * _unit(corners[-1] - corners[-2])
    corners = np.concatenate([before[None], corners, after[None]])
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    way = np.arange(0, lengths[-1], STEP_M)
    dense = np.stack([np.interp(way, lengths, axis) for axis in corners.T], axis=1)
    # The run-on is straight and longer than the filter, so the ends stay where they are.
    middle = gaussian_filter1d(dense, radius_m / STEP_M, axis=0, mode="nearest")
    margin = round(0.5 * RUN_ON_M / STEP_M)
    middle[:margin], middle[-margin:] = dense[:margin], dense[-margin:]
    return GroundPath(middle, way_at_start_m)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)

"""Which feet stand still in the picture, and how far the body's feet slide meanwhile.

Standing is read off the picture's landmarks, not off the body: so a body whose feet slide under a
standing person is found out. Before a camera that moves, feet hardly ever stand in the picture;
then nothing is measured.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import uniform_filter1d

from pipeline.judging.posed import Posed
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Camera

STILL_M_S = 0.3
"""Slower than this across the picture, at the body's distance, counts as standing."""
SHORTEST_S = 0.12
SEEN_VISIBILITY = 0.5
LEAST_SHARE = 0.15
"""Of the frames with feet in them: with less standing the camera is taken to move."""
SMOOTHED_S = 0.2
"""Landmarks shake by pixels from frame to frame; their speed is taken over this time."""

FEET = tuple(
    tuple(BLAZEPOSE33.index(f"{side}_{part}") for part in ("heel", "foot_index"))
    for side in ("left", "right")
)


@dataclass(frozen=True)
class Stance:
    """When each foot stands."""

    standing: Bool[np.ndarray, "t 2"]
    """Left and right foot."""
    measured: bool
    """False: no landmarks of feet, or they hardly ever stand (a moving camera, a treadmill)."""

    def stretches(self, foot: int) -> list[slice]:
        """Runs of frames in which a foot stands."""
        return runs(self.standing[:, foot])


def find_stance(posed: Posed, camera: Camera) -> Stance:
    """Feet whose landmarks, heel and toe, both rest in the picture."""
    person = posed.person
    nowhere = np.zeros((len(person), 2), dtype=bool)
    if person.keypoints_px is None or person.skeleton != BLAZEPOSE33.name or len(person) < 3:  # noqa: PLR2004
        return Stance(nowhere, measured=False)
    standing, seen = nowhere.copy(), nowhere.copy()
    for foot, points in enumerate(FEET):
        marks: np.ndarray = person.keypoints_px[:, points].astype(np.float64)
        seen[:, foot] = person.observed & (marks[..., 2].min(axis=1) > SEEN_VISIBILITY)
        depth_m = np.maximum(posed.sites_m[:, points, 2], 0.1)
        for stretch in runs(seen[:, foot]):
            speed = _speed_m_s(
                marks[stretch, :, :2], depth_m[stretch], person.time_s[stretch], camera
            )
            slow = np.zeros(len(person), dtype=bool)
            slow[stretch] = (speed < STILL_M_S).all(axis=1)
            for run in runs(slow):
                if person.time_s[run.stop - 1] - person.time_s[run.start] >= SHORTEST_S:
                    standing[run, foot] = True
    seen_rows = standing[np.flatnonzero(seen.any(axis=1))]
    enough = len(seen_rows) > 0 and float(seen_rows.max(axis=1).mean()) >= LEAST_SHARE
    return Stance(standing if enough else nowhere, measured=enough)


def slide_mm(
    posed: Posed, stance: Stance, up: Float64[np.ndarray, " 3"]
) -> Float64[np.ndarray, " t"]:
    """Way of the standing feet along the floor since the frame before; NaN where none stands.

    Args:
        posed: the person's body.
        stance: when each foot stands.
        up: unit vector, camera axes.
    """
    middle_m = posed.soles_m.mean(axis=2)
    step_m = np.diff(middle_m, axis=0)
    along_m = step_m - (step_m @ up)[..., None] * up
    way_mm = 1000.0 * np.linalg.norm(along_m, axis=-1)
    both = stance.standing[1:] & stance.standing[:-1]
    count = both.sum(axis=1)
    mean = np.where(both, way_mm, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.concatenate([[np.nan], np.where(count > 0, mean, np.nan)])


def runs(flags: Bool[np.ndarray, " t"]) -> list[slice]:
    """Stretches of True."""
    change = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    return [slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def _speed_m_s(
    marks_px: np.ndarray, depth_m: np.ndarray, time_s: np.ndarray, camera: Camera
) -> np.ndarray:
    """(t, k) speeds across the view of landmarks (t, k, 2) at these depths (t, k)."""
    if len(time_s) < 3:  # noqa: PLR2004  (no speed to judge by)
        return np.full(depth_m.shape, np.inf)
    step_s = float(np.median(np.diff(time_s)))
    window = min(2 * round(SMOOTHED_S / step_s / 2) + 1, len(time_s) - (len(time_s) + 1) % 2)
    smooth_px = uniform_filter1d(marks_px, max(window, 3), axis=0, mode="nearest")
    metres = (smooth_px / camera.K_px[[0, 1], [0, 1]]) * depth_m[..., None].mean(0, keepdims=True)
    return np.linalg.norm(np.gradient(metres, time_s, axis=0), axis=-1)

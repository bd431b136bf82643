"""Where within a track the look changes: there it may have gone over from one person to another.

Where one of two who meet is not detected, their tracks do not meet: one goes on in the other.
"""

import numpy as np
from jaxtyping import Float64, Int64
from numpy.lib.stride_tricks import sliding_window_view

from pipeline.blocks import blocks
from stages.tracking.phalp.looks import Look, against_each
from stages.tracking.phalp.tracklets import World

SIDE_S = 0.4
"""What was seen this long before is compared with what was seen this long after."""
LEAST_SIDE = 4
"""Sightings at least on either side."""
CHANGED = -2.0
"""Evidence against one person from which on a track is judged: one person's is far below."""
EVERY_S = 0.1
BLOCK_PLACES = 1000
"""That are compared at once: what is seen around them takes much room."""


def look_changes(world: World, track: Int64[np.ndarray, " m"]) -> list[int]:
    """Frames in which the track is to be cut, because it looks otherwise from there on."""
    side = max(round(SIDE_S * world.video.fps), LEAST_SIDE)
    if len(track) < 2 * side or not world.appearance.shape[1] or not world.has_bodies:
        return []
    step = max(round(EVERY_S * world.video.fps), 1)
    places = np.arange(side, len(track) - side + 1, step)
    against = _against(world, track, places, side)
    return [int(world.frame[track[places[row]]]) for row in _peaks(against, places, side)]


def _against(
    world: World, track: np.ndarray, places: np.ndarray, side: int
) -> Float64[np.ndarray, " p"]:
    """Evidence that before and after each place two people were seen."""
    looks = world.appearance[track].copy()
    clear = world.alone[track]
    if clear.any():
        looks[~clear] = np.nan
    windows = sliding_window_view(looks, side, axis=0)
    found = []
    for some in blocks(len(places), BLOCK_PLACES):
        before, after = _medians(windows[places[some] - side]), _medians(windows[places[some]])
        found.append(against_each(before, after, world.drift))
    return np.concatenate(found)


def _medians(windows: Float64[np.ndarray, "p d k"]) -> Look:
    count = np.isfinite(windows).sum(axis=2)
    ranked = np.sort(windows, axis=2)
    middle = np.maximum((count - 1) // 2, 0)[..., None]
    median = np.take_along_axis(ranked, middle, axis=2)[..., 0]
    return Look(np.where(count > 0, median, np.nan), count.astype(np.float64))


def _peaks(against: np.ndarray, places: np.ndarray, side: int) -> list[int]:
    """Rows of the greatest evidence around, one per change."""
    found: list[int] = []
    for row in np.argsort(-against, kind="stable").tolist():
        if against[row] < CHANGED:
            break
        if against[row] == 0:  # nothing is known
            continue
        if all(abs(places[row] - places[other]) >= side for other in found):
            found.append(row)
    return sorted(found)

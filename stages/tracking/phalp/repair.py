"""While two people pass each other single sightings may go to the wrong one: put right at the end.

When it is known who is who before and after a meeting, the way of each between is known well enough
to tell whose every sighting is, by place, size and look.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from stages.tracking._box_filter import scale_px
from stages.tracking.phalp.contacts import Contact, contacts_of
from stages.tracking.phalp.looks import Look, evidence_against, look_of, pooled
from stages.tracking.phalp.tracklets import World

SIDE_S, LONGEST_S, MARGIN_S = 0.6, 2.5, 0.2
"""How much before and after tells of the way; the longest meeting; what is judged around it."""
LEAST_SIDE = 4
DEGREE = 3
PLACE_NOISE, SIZE_NOISE = 0.2, 0.12
"""Deviation from the way: of the place in heights, of the log of the size."""
MOST_COST = 8.0
CLEAR = 3.0
"""By how much it must be likelier (log) that a sighting is the other's."""


@dataclass(frozen=True)
class _Way:
    """One person's way through a meeting."""

    place: np.ndarray
    """Coefficients by power, for x and y in pixels."""
    size: float
    """Median log size."""
    look: Look
    start_s: float

    def cost(self, world: World, rows: np.ndarray) -> Float64[np.ndarray, " n"]:
        """How unlikely it is that these sightings are this person's."""
        step_s = world.time_s[rows] - self.start_s
        expected = np.stack([np.polyval(self.place[:, axis], step_s) for axis in (0, 1)], axis=1)
        height = scale_px(world.measures[rows])
        away = np.linalg.norm(world.measures[rows, :2] - expected, axis=1) / height
        grown = world.measures[rows, 2] - self.size
        moved = 0.5 * np.square(away / PLACE_NOISE) + 0.5 * np.square(grown / SIZE_NOISE)
        here = look_of(world.appearance[rows])
        look = evidence_against(here, self.look, world.drift)[:, 0]
        return np.asarray(np.minimum(moved, MOST_COST) + np.clip(look, -MOST_COST, MOST_COST))


def repaired(world: World, tracks: list[np.ndarray]) -> tuple[list[np.ndarray], list[int]]:
    """The tracks with sightings given back, and the frames in which that was done."""
    if len(tracks) < 2:  # noqa: PLR2004
        return tracks, []
    now, frames = [track.copy() for track in tracks], []
    for contact in contacts_of(world, tracks):
        if (contact.end_frame - contact.start_frame) / world.video.fps > LONGEST_S:
            continue
        changed = _judged(world, now[contact.first], now[contact.second], contact)
        if changed is not None:
            now[contact.first], now[contact.second], where = changed
            frames += where
    return now, sorted(set(frames))


def _judged(
    world: World, first: np.ndarray, second: np.ndarray, contact: Contact
) -> tuple[np.ndarray, np.ndarray, list[int]] | None:
    """Both tracks after the meeting is judged; None where nothing changes."""
    margin = MARGIN_S * world.video.fps
    low, high = contact.start_frame - margin, contact.end_frame + margin
    ways = [_way(world, track, low, high) for track in (first, second)]
    if ways[0] is None or ways[1] is None:
        return None
    inside = [track[_within(world, track, low, high)] for track in (first, second)]
    rows = np.concatenate(inside)
    owner = np.repeat([0, 1], [len(part) for part in inside])
    costs = np.stack([way.cost(world, rows) for way in ways if way is not None])
    gain = np.where(owner == 0, costs[0] - costs[1], costs[1] - costs[0])
    moved = np.zeros(len(rows), dtype=bool)
    frame = world.frame[rows]
    for number in np.unique(frame):
        here = np.flatnonzero(frame == number)
        moved[here] = gain[here].sum() > CLEAR * len(here)
    if not moved.any():
        return None
    owner = np.where(moved, 1 - owner, owner)
    whole = []
    for which, track in enumerate((first, second)):
        outside = track[~_within(world, track, low, high)]
        both = np.concatenate([outside, rows[owner == which]])
        whole.append(both[np.argsort(world.frame[both], kind="stable")])
    return whole[0], whole[1], np.unique(frame[moved]).tolist()


def _within(world: World, track: np.ndarray, low: float, high: float) -> np.ndarray:
    frame = world.frame[track]
    return np.asarray((frame >= low) & (frame <= high))


def _way(world: World, track: np.ndarray, low: float, high: float) -> _Way | None:
    """The way through the frames between, from the moments on both sides; None without both."""
    side = SIDE_S * world.video.fps
    frame = world.frame[track]
    before = track[(frame < low) & (frame >= low - side)]
    after = track[(frame > high) & (frame <= high + side)]
    if min(len(before), len(after)) < LEAST_SIDE:
        return None
    rows = np.concatenate([before, after])
    start_s = float(world.time_s[rows[0]])
    step_s = world.time_s[rows] - start_s
    place = np.polyfit(step_s, world.measures[rows, :2], DEGREE)
    return _Way(
        place=place,
        size=float(np.median(world.measures[rows, 2])),
        look=pooled(world.appearance[track[~_within(world, track, low, high)]]),
        start_s=start_s,
    )

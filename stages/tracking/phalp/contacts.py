"""Where two tracks meet: there they may have changed places, so there they are cut to be judged."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Int64

from stages.tracking._box_measures import scale_px
from stages.tracking.phalp.looks import evidence_against, look_of, pooled
from stages.tracking.phalp.tracklets import World

NEAR = 0.35
"""Middles nearer than this (in heights) meet."""
SIZE_RATIO = 1.6
APART_S = 0.3
"""Two meetings within this time are one."""
MARGIN_S = 0.2
"""A change of look is sought this long before and after a meeting too."""
MOST_SIGHTINGS = 60
"""That make the look before and after a meeting."""
CHANGED = 1.0
"""Evidence that the looks before and after are of two people."""
LEAST_SIDE = 3
"""Sightings that must be left on both sides of a cut."""


@dataclass(frozen=True)
class Contact:
    """Two tracks that are in one place for a while."""

    first: int
    second: int
    """Numbers of the tracks."""
    frame: int
    """When they were nearest: the later piece begins here."""
    start_frame: int
    end_frame: int


def contacts_of(world: World, tracks: list[np.ndarray]) -> list[Contact]:
    """Every meeting of any two tracks, in order of time."""
    who = np.concatenate([np.full(len(track), n) for n, track in enumerate(tracks)])
    rows = np.concatenate(tracks)
    order = np.argsort(world.frame[rows], kind="stable")
    who, rows = who[order], rows[order]
    meetings: dict[tuple[int, int], list[tuple[int, float]]] = {}
    bounds = np.flatnonzero(np.diff(world.frame[rows], prepend=-1, append=2**40))
    for start, stop in pairwise(bounds):
        if stop - start > 1:
            _meet(world, who[start:stop], rows[start:stop], meetings)
    found = [
        contact for pair, moments in meetings.items() for contact in _contacts(world, pair, moments)
    ]
    return sorted(found, key=lambda contact: contact.frame)


def _meet(
    world: World,
    who: np.ndarray,
    rows: np.ndarray,
    meetings: dict[tuple[int, int], list[tuple[int, float]]],
) -> None:
    """Note who is near whom in one frame."""
    measures = world.measures[rows]
    height = scale_px(measures)
    gap = np.linalg.norm(measures[:, None, :2] - measures[None, :, :2], axis=-1)
    gap = gap / np.maximum(height[:, None], height[None])
    alike = np.abs(measures[:, None, 2] - measures[None, :, 2]) < np.log(SIZE_RATIO)
    for a, b in zip(*np.nonzero(np.triu((gap < NEAR) & alike, 1)), strict=True):
        pair = (int(min(who[a], who[b])), int(max(who[a], who[b])))
        meetings.setdefault(pair, []).append((int(world.frame[rows[a]]), float(gap[a, b])))


def _contacts(
    world: World, pair: tuple[int, int], moments: list[tuple[int, float]]
) -> list[Contact]:
    """Moments of a pair, split where they are apart for a while."""
    frames = np.array([frame for frame, _ in moments])
    apart = np.flatnonzero(np.diff(frames) > max(APART_S * world.video.fps, 1)) + 1
    found = []
    for part in np.split(np.arange(len(frames)), apart):
        nearest = min((moments[i] for i in part), key=lambda moment: moment[1])
        first, last = int(frames[part[0]]), int(frames[part[-1]])
        found.append(Contact(*pair, nearest[0], first, last))
    return found


def windows_of(
    world: World, tracks: list[np.ndarray], contacts: list[Contact], number: int
) -> list[Contact]:
    """The meetings of one track.

    Where somebody got lost in one and came back in a later one, all from the first to the last is
    one: meanwhile the track may be either person.
    """
    own = [c for c in contacts if number in (c.first, c.second)]
    near = max(APART_S * world.video.fps, 2)
    merged: list[Contact] = []
    lost = False
    for contact in own:
        other = contact.second if contact.first == number else contact.first
        first, last = world.frame[tracks[other][[0, -1]]]
        came = first >= contact.start_frame - near
        if merged and lost and came:
            before = merged.pop()
            contact = replace(contact, start_frame=before.start_frame)  # noqa: PLW2901
        merged.append(contact)
        lost = last <= contact.end_frame + near
    return merged


def cut_frame(world: World, track: np.ndarray, window: Contact) -> int:
    """Where a track is to be cut for a meeting: where its look changes, if it does.

    The look before the meeting and the one after it are models for the sightings between: the cut
    that fits best is taken. Where they are alike, the cut is where the two were nearest.
    """
    margin = MARGIN_S * world.video.fps
    frame = world.frame[track]
    before = track[frame < window.start_frame][-MOST_SIGHTINGS:]
    after = track[frame > window.end_frame][:MOST_SIGHTINGS]
    between = (frame >= window.start_frame - margin) & (frame <= window.end_frame + margin)
    inside = track[between]
    if not len(before) or not len(after) or not len(inside):
        return window.frame
    models = pooled(world.appearance[before]), pooled(world.appearance[after])
    if evidence_against(*models, world.drift)[0, 0] < CHANGED:
        return window.frame
    here = look_of(world.appearance[inside])
    first, second = (evidence_against(here, model, world.drift)[:, 0] for model in models)
    fits = np.concatenate([[0.0], np.cumsum(first)]) + np.concatenate(
        [np.cumsum(second[::-1])[::-1], [0.0]]
    )
    best = int(np.argmin(fits))
    frames = np.append(world.frame[inside], window.end_frame + 1)
    return int(frames[best])


def cut_at(
    world: World, track: np.ndarray, frames: list[int], most_gap_s: float
) -> list[Int64[np.ndarray, " _"]]:
    """A track's pieces: between the frames given, and between long absences."""
    gaps = np.flatnonzero(np.diff(world.time_s[track]) > most_gap_s) + 1
    at = np.searchsorted(world.frame[track], sorted(frames))
    places = [p for p in at if LEAST_SIDE <= p <= len(track) - LEAST_SIDE]
    cuts = sorted({*gaps.tolist(), *(int(p) for p in places)})
    return [piece for piece in np.split(track, cuts) if len(piece)]

"""Sightings that lie on somebody else's way: for a few frames one body was put on the other.

Of two who pass each other the detector sees one, and now and then puts it on the wrong one for
some frames. No meeting tells that, for the other is away meanwhile, and it is too short for looks.
But it lies where the other is to be expected, and aside of where its own track was around then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.boxes import paired_iou
from stages.tracking.phalp.tracklets import World

MOST_AWAY_S = 1.0
"""After a longer absence nobody's way is known."""
USUAL_S = 0.2
"""A track's place at a moment is the median of its boxes this long before and after it."""
LEAST_IOU = 0.5
"""With where the other is to be expected."""
NEARER_IOU = 0.1
"""More than with the own track's place."""
LIKELY_IOU = 0.1
"""Less of both is enough right beside a sighting that is surely the other's."""
A_LITTLE_S = 1e-6


@dataclass(frozen=True)
class Stray:
    """One sighting in the wrong track."""

    row: int
    track: int
    owner: int
    """Numbers of the tracks: where it is, and whose it is."""
    iou: float
    """With where the owner is to be expected."""


@dataclass(frozen=True)
class _Track:
    rows: Int64[np.ndarray, " m"]
    frame: Int64[np.ndarray, " m"]
    time_s: Float64[np.ndarray, " m"]


def strays_in(world: World, tracks: Sequence[np.ndarray]) -> list[Stray]:
    """Sightings of every track that are another's; of those for one place and time, the surest."""
    known = [_Track(rows, world.frame[rows], world.time_s[rows]) for rows in tracks]
    claims = [claim for owner in range(len(known)) for claim in _claimed(world, known, owner)]
    strays: list[Stray] = []
    taken: set[tuple[int, int]] = set()
    for claim in sorted(claims, key=lambda claim: (-claim.iou, claim.row, claim.owner)):
        own = {(-1, claim.row), (claim.owner, int(world.frame[claim.row]))}
        if not taken & own:
            taken |= own
            strays.append(claim)
    return sorted(strays, key=lambda stray: (int(world.frame[stray.row]), stray.row))


def given_back(
    world: World, tracks: Sequence[np.ndarray], strays: Sequence[Stray]
) -> list[Int64[np.ndarray, " _"]]:
    """The tracks with the strays where they belong."""
    rows = [set(track.tolist()) for track in tracks]
    for stray in strays:
        rows[stray.track].remove(stray.row)
        rows[stray.owner].add(stray.row)
    found = [np.array(sorted(own), np.int64) for own in rows if own]
    return [own[np.argsort(world.frame[own], kind="stable")] for own in found]


def _claimed(world: World, tracks: Sequence[_Track], owner: int) -> Iterator[Stray]:
    """Sightings of others that lie on the way of somebody who is away."""
    own = tracks[owner]
    away = (np.diff(own.frame) > 1) & (np.diff(own.time_s) <= MOST_AWAY_S)
    for before in np.flatnonzero(away).tolist():
        ends = own.rows[before : before + 2]
        first_last = own.frame[before] + 1, own.frame[before + 1]
        for number, track in enumerate(tracks):
            first, last = np.searchsorted(track.frame, first_last).tolist()
            if number != owner and first < last:
                for place, iou in _on_way(world, track, range(first, last), ends):
                    yield Stray(int(track.rows[place]), number, owner, iou)


def _on_way(
    world: World, track: _Track, places: range, ends: Int64[np.ndarray, " 2"]
) -> Iterator[tuple[int, float]]:
    """Places of a track that lie between two sightings of another rather than on its own way.

    Where one surely does, those right before and after it need only be likely to.
    """
    rows = track.rows[places.start : places.stop]
    boxes = world.boxes_xyxy_px
    other = paired_iou(boxes[rows], _between(world, ends, world.time_s[rows]))
    near = np.flatnonzero(other > LEAST_IOU - LIKELY_IOU)
    usual = [_usual_box(world, track, places[place]) for place in near.tolist()]
    nearer = np.full(len(rows), -1.0)
    nearer[near] = other[near] - paired_iou(boxes[rows[near]], np.reshape(usual, (-1, 4)))
    sure = (other >= LEAST_IOU) & (nearer > NEARER_IOU)
    likely = sure | (nearer > NEARER_IOU - LIKELY_IOU)
    run = np.cumsum(np.diff(likely, prepend=False) & likely)
    for place in np.flatnonzero(likely & np.isin(run, run[sure])).tolist():
        yield places[place], float(other[place])


def _between(
    world: World, ends: Int64[np.ndarray, " 2"], time_s: Float64[np.ndarray, " r"]
) -> Float64[np.ndarray, "r 4"]:
    """Boxes of somebody between two sightings."""
    start_s, end_s = world.time_s[ends]
    share = ((time_s - start_s) / (end_s - start_s))[:, None]
    start, end = world.boxes_xyxy_px[ends]
    return (1 - share) * start + share * end


def _usual_box(world: World, track: _Track, place: int) -> Float64[np.ndarray, " 4"]:
    """Where a track is around a moment."""
    near_s = track.time_s[place] + np.array([-1, 1]) * (USUAL_S + A_LITTLE_S)
    first, last = np.searchsorted(track.time_s, near_s).tolist()
    return np.median(world.boxes_xyxy_px[track.rows[first:last]], axis=0)

"""Where two people cross in the picture, and how likely they were exchanged there.

Whoever walks on keeps a speed. Each of the two is led on straight from before the crossing to
after it; if the exchanged people fit as well as the tracked ones, nobody can tell by motion, and
the risk is a half.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float64

from pipeline.judging.feet import runs
from pipeline.judging.posed import Posed

HIDDEN_SHARE = 0.3
"""Two boxes cross where they share this much of the smaller."""
MERGED_S = 0.4
BASE_S = 0.5
"""A speed is taken over this long before the crossing."""
LEAST_WAY_M = 0.25
"""Places nearer than this are the same: walking is no straight line."""
LONGEST_GAP_S, WALK_M_S = 2.0, 2.5


@dataclass(frozen=True)
class Crossing:
    """Two people who hide each other for a while."""

    people: tuple[int, int]
    start_s: float
    end_s: float
    hidden: float
    """Largest shared part of the smaller box."""
    exchange_risk: float
    """0: surely kept apart; 0.5: cannot be told; 1: exchanged people fit better."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "people": list(self.people)}


@dataclass(frozen=True)
class Continuation:
    """Somebody who comes where and soon after somebody else was lost: perhaps the same person."""

    lost: int
    found: int
    gap_s: float
    way_m: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def find_crossings(people: Sequence[Posed]) -> tuple[Crossing, ...]:
    """All crossings, by time."""
    found = [c for pair in combinations(people, 2) for c in _of_pair(*pair)]
    return tuple(sorted(found, key=lambda crossing: (crossing.start_s, crossing.people)))


def find_continuations(people: Sequence[Posed]) -> tuple[Continuation, ...]:
    """Pairs in which the second appears within reach of where the first was lost."""
    found = []
    for lost in people:
        for new in people:
            gap_s = float(new.person.time_s[0] - lost.person.time_s[-1])
            way_m = float(np.linalg.norm(new.joints_m[0, 0, ::2] - lost.joints_m[-1, 0, ::2]))
            if 0 < gap_s < LONGEST_GAP_S and way_m < LEAST_WAY_M + WALK_M_S * gap_s:
                ids = (lost.person.id, new.person.id)
                found.append(Continuation(*ids, round(gap_s, 3), round(way_m, 2)))
    return tuple(found)


def _of_pair(a: Posed, b: Posed) -> list[Crossing]:
    first = max(a.person.frame_index[0], b.person.frame_index[0])
    last = min(a.person.frame_index[-1], b.person.frame_index[-1])
    if last < first:
        return []
    rows = [
        slice(first - p.person.frame_index[0], last + 1 - p.person.frame_index[0]) for p in (a, b)
    ]
    hidden = _shared(box_px(a)[rows[0]], box_px(b)[rows[1]])
    time_s = a.person.time_s[rows[0]]
    crossings = []
    for run in _merged(runs(hidden > HIDDEN_SHARE), time_s):
        risk = _exchange_risk(a, b, float(time_s[run.start]), float(time_s[run.stop - 1]))
        crossings.append(
            Crossing(
                people=(a.person.id, b.person.id),
                start_s=round(float(time_s[run.start]), 3),
                end_s=round(float(time_s[run.stop - 1]), 3),
                hidden=round(float(hidden[run].max()), 3),
                exchange_risk=round(risk, 3),
            )
        )
    return crossings


def box_px(posed: Posed) -> Float64[np.ndarray, "t 4"]:
    """Boxes where seen; between sightings on straight lines."""
    boxes, time_s = posed.person.boxes_xyxy_px.astype(np.float64), posed.person.time_s
    known = np.isfinite(boxes).all(axis=1)
    if not known.any():
        return boxes
    return np.column_stack([np.interp(time_s, time_s[known], side[known]) for side in boxes.T])


def _shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(t,) share of the smaller box that the other covers."""
    size = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    smaller = np.minimum(_area(a), _area(b))
    return np.nan_to_num(np.maximum(size, 0).prod(axis=1) / np.maximum(smaller, 1e-9))


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def _merged(stretches: list[slice], time_s: np.ndarray) -> list[slice]:
    """Crossings with less than a moment between them are one."""
    merged: list[slice] = []
    for stretch in stretches:
        if merged and time_s[stretch.start] - time_s[merged[-1].stop - 1] < MERGED_S:
            merged[-1] = slice(merged[-1].start, stretch.stop)
        else:
            merged.append(stretch)
    return merged


def _exchange_risk(a: Posed, b: Posed, start_s: float, end_s: float) -> float:
    expected = [_led_on(posed, start_s, end_s) for posed in (a, b)]
    came = [_place(posed, end_s) for posed in (a, b)]
    kept = sum(_way(e, c) for e, c in zip(expected, came, strict=True))
    exchanged = sum(_way(e, c) for e, c in zip(expected, reversed(came), strict=True))
    return float(kept / (kept + exchanged))


def _way(one_m: np.ndarray, other_m: np.ndarray) -> float:
    return LEAST_WAY_M + float(np.linalg.norm(one_m - other_m))


def _place(posed: Posed, at_s: float) -> np.ndarray:
    """Where the pelvis is along the ground: x and z."""
    time_s, pelvis_m = posed.person.time_s, posed.joints_m[:, 0]
    return np.array([np.interp(at_s, time_s, pelvis_m[:, axis]) for axis in (0, 2)])


def _led_on(posed: Posed, start_s: float, end_s: float) -> np.ndarray:
    """Where the person would be at the end at the speed it had before."""
    before_s = max(start_s - BASE_S, float(posed.person.time_s[0]))
    start = _place(posed, start_s)
    if start_s - before_s < 1e-6:  # noqa: PLR2004  (just appeared)
        return start
    speed = (start - _place(posed, before_s)) / (start_s - before_s)
    return start + speed * (end_s - start_s)

"""Frames in which the detector took left for right, found from the whole sequence.

In each frame the arms may be as marked, swapped as a whole (with shoulders and face) or swapped
below the shoulders, and so may the legs: nine states. The cheapest course through all frames is
found by Viterbi's algorithm over pairs of frames: a course is cheap if every point goes on as it
moved in the two frames before, or from where it was two frames ago (one frame may be quite wrong),
in the picture and in 3D; if knees do not lie across hips nor shoulders; and if few frames are
swapped. So the labels that hold most of the time win, however long a swapped stretch is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Int8

from pipeline.parts import Arrays, Parts
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Person

AS_MARKED, WHOLE, ENDS = range(3)
"""States of a part."""
_SIDES = ("left", "right")


@dataclass(frozen=True)
class _Part:
    roots: tuple[str, ...]
    ends: tuple[str, ...]
    more: tuple[str, ...] = ()
    """Points of both sides that go with the roots, but are not judged."""


_PARTS = (
    _Part(
        ("shoulder",),
        ("elbow", "wrist", "index", "pinky", "thumb"),
        BLAZEPOSE33.points[1:11],
    ),
    _Part(("hip",), ("knee", "ankle", "heel", "foot_index")),
)

TINY = 1e-6
SHARE_3D = 0.3
"""How much a metre in 3D counts against a torso's length in the picture."""
USUAL_MISS = 0.1
LARGEST_MISS = 0.6
"""Distances from where a point was expected, in torso lengths; beyond the largest is as bad."""
CHANGE_COST = 6.0
SWAPPED_COST_PER_S = 6.0
CROSSED_COST_PER_S = 20.0
"""Knees (elbows) that lie across each other against the hips (shoulders) are unusual."""
VELOCITY_SHARE = 0.8
LONGEST_STEP_S = 0.15
"""After a longer pause a point is expected where it was."""
BLOCK_FRAMES = 1000
"""Frames gone through at a time: their nine states take much room."""


@dataclass(frozen=True)
class Sides:
    """A person as it was marked, and how left and right come into order."""

    person: Person
    states: Int8[np.ndarray, " t"]
    """Arms' state times three plus legs' state."""

    @property
    def changed(self) -> np.ndarray:
        """(t,) bool: frames in which anything is exchanged."""
        return self.states > 0

    def cut(self, rows: slice | np.ndarray) -> "Sides":
        """Some of the frames."""
        return Sides(self.person.cut(rows), self.states[rows])

    def in_order(self) -> Person:
        """The person with left and right in order; its landmarks are new where they had to be."""
        person = self.person
        if not self.changed.any():
            return person
        assert person.keypoints_px is not None and person.landmarks_m is not None
        keypoints_px, landmarks_m = person.keypoints_px.copy(), person.landmarks_m.copy()
        for frame in np.flatnonzero(self.changed):
            order = _order(int(self.states[frame]))
            keypoints_px[frame] = keypoints_px[frame, order]
            landmarks_m[frame] = landmarks_m[frame, order]
        return replace(person, keypoints_px=keypoints_px, landmarks_m=landmarks_m)


def sides_of(person: Person, parts: Parts) -> Sides:
    """Which way round left and right are.

    Args:
        person: with landmarks.
        parts: where the course through the frames is kept through an interruption.
    """
    assert person.keypoints_px is not None and person.landmarks_m is not None
    keypoints_px, landmarks_m = person.keypoints_px, person.landmarks_m
    finite = np.isfinite(keypoints_px).all((1, 2)) & np.isfinite(landmarks_m).all((1, 2))
    seen = np.flatnonzero(person.observed & finite)
    states = np.zeros(len(person), np.int8)
    if len(seen) < 3:  # noqa: PLR2004  (no course to judge by)
        return Sides(person, states)
    size_px = _size_px(keypoints_px, seen)

    def points_of(frames: slice) -> np.ndarray:
        rows = seen[frames]
        in_space = SHARE_3D * landmarks_m[rows]
        return np.concatenate([keypoints_px[rows, :, :2] / size_px, in_space], axis=-1)

    def course() -> Arrays:
        return {"states": _cheapest_course(points_of, person.time_s[seen], parts)}

    states[seen] = parts.get(f"sides {person.id}", course)["states"]
    return Sides(person, states)


def _indices(names: tuple[str, ...]) -> np.ndarray:
    return BLAZEPOSE33.indices(*(f"{side}_{name}" for side in _SIDES for name in names))


def _order(state: int) -> np.ndarray:
    """(33,) order of the landmarks in a state: arms' state times three plus legs' state."""
    order = np.arange(33)
    for part, part_state in zip(_PARTS, divmod(state, 3), strict=True):
        moved = np.zeros(0, dtype=np.int32)
        if part_state:
            moved = _indices(part.ends)
        if part_state == WHOLE:
            moved = np.concatenate([moved, _indices(part.roots), BLAZEPOSE33.indices(*part.more)])
        order[moved] = BLAZEPOSE33.mirror[moved]
    return order


def _size_px(keypoints_px: np.ndarray, seen: np.ndarray) -> float:
    """A torso's length in the picture: the unit that makes pixels and metres comparable."""
    sides = BLAZEPOSE33.indices("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    marked = keypoints_px[seen[:, None], sides, :2]
    torso, across = marked[:, :2].mean(1) - marked[:, 2:].mean(1), marked[:, 0] - marked[:, 1]
    size_px = np.maximum(np.linalg.norm(torso, axis=1), np.linalg.norm(across, axis=1))
    return max(float(np.median(size_px)), 1.0)


def _cheapest_course(
    points_of: Callable[[slice], np.ndarray], time_s: np.ndarray, parts: Parts
) -> np.ndarray:
    """(t,) state of every frame; cost[i, j] is the best way to states i, j of the last two."""
    step_s = np.diff(time_s)
    step_s = np.append(step_s, step_s[-1])
    first = _laid_out(points_of(slice(2)), step_s[:2])
    cost = first.alone[0][:, None] + first.alone[1][None] + CHANGE_COST * _parts_changed()
    cost = cost + _miss(first.judged[0][:, None] - first.judged[1][None])
    best_before = [np.zeros((2, 9, 9), dtype=np.int8)]

    def gone_on(frames: slice, cost: np.ndarray) -> Arrays:
        return _gone_on(points_of(frames), step_s[frames], cost)

    for number, start in enumerate(range(2, len(time_s), BLOCK_FRAMES)):
        frames = slice(start - 2, start + BLOCK_FRAMES)
        arrays = parts.get(str(number), partial(gone_on, frames, cost))
        cost = arrays["cost"]
        best_before.append(arrays["best_before"])
    return _trace(cost, np.concatenate(best_before))


def _gone_on(points: np.ndarray, step_s: np.ndarray, cost: np.ndarray) -> Arrays:
    """From the cost at the first two frames to that at the last two, and the ways there."""
    seen, change = _laid_out(points, step_s), CHANGE_COST * _parts_changed()
    best_before = np.zeros((len(points), 9, 9), dtype=np.int8)
    for t in range(2, len(points)):
        before, now, after = seen.judged[t - 2 : t + 1]
        smooth = step_s[t - 1] < LONGEST_STEP_S and step_s[t - 2] < LONGEST_STEP_S
        share = VELOCITY_SHARE * step_s[t - 1] / step_s[t - 2] if smooth else 0.0
        moved = now[None] - before[:, None]
        expected = (now[None] + share * moved)[:, :, None]
        step = _miss(expected - after, (before[:, None] - after[None])[:, None])
        total = cost[:, :, None] + step + change[None] + seen.alone[t]
        best_before[t] = total.argmin(axis=0)
        cost = total.min(axis=0)
    return {"cost": cost, "best_before": best_before[2:]}


@dataclass(frozen=True)
class _LaidOut:
    """Frames in each of the nine states."""

    judged: np.ndarray
    """(t, 9, k, 5) the points that are judged."""
    alone: np.ndarray
    """(t, 9) what a frame costs by itself."""


def _laid_out(points: np.ndarray, step_s: np.ndarray) -> _LaidOut:
    judged = _indices(_PARTS[0].roots + _PARTS[0].ends + _PARTS[1].roots + _PARTS[1].ends)
    versions = np.stack([points[:, _order(state)] for state in range(9)], axis=1)
    alone = _rate_per_s(versions) * np.minimum(step_s, LONGEST_STEP_S)[:, None]
    return _LaidOut(versions[:, :, judged], alone)


def _rate_per_s(versions: np.ndarray) -> np.ndarray:
    """(t, 9) what a second in each state costs."""
    arms, legs = np.divmod(np.arange(9), 3)
    rate = SWAPPED_COST_PER_S * ((arms > 0).astype(float) + (legs > 0))
    pairs = [("hip", "knee"), ("shoulder", "elbow"), ("hip", "shoulder")]
    crossed = [_crossed(versions, upper, lower) for upper, lower in pairs]
    return rate + CROSSED_COST_PER_S * np.sum(crossed, axis=0)


def _parts_changed() -> np.ndarray:
    """(9, 9) how many of arms and legs change their state."""
    arms, legs = np.divmod(np.arange(9), 3)
    return (arms[:, None] != arms).astype(float) + (legs[:, None] != legs)


def _crossed(points: np.ndarray, first: str, second: str) -> np.ndarray:
    """0 to 1: how far the second pair of points lies the other way round than the first, in 3D."""
    (a, b), (c, d) = _indices((first,)), _indices((second,))
    across, between = (
        points[..., a, 2:] - points[..., b, 2:],
        points[..., c, 2:] - points[..., d, 2:],
    )
    width = np.maximum((across**2).sum(axis=-1), TINY)
    return np.clip(-(across * between).sum(axis=-1) / width, 0.0, 1.0)


def _miss(*differences: np.ndarray) -> np.ndarray:
    """Sum over points of the distance, by the kindest of the given explanations."""
    squared = [np.einsum("...kc,...kc->...k", d, d) for d in differences]
    distance = np.sqrt(squared[0] if len(squared) == 1 else np.minimum(*squared))
    return np.minimum(distance, LARGEST_MISS).sum(axis=-1) / USUAL_MISS


def _trace(cost: np.ndarray, best_before: np.ndarray) -> np.ndarray:
    frames = len(best_before)
    states = np.zeros(frames, dtype=np.int64)
    states[-2], states[-1] = np.unravel_index(cost.argmin(), cost.shape)
    for t in range(frames - 1, 1, -1):
        states[t - 2] = best_before[t][states[t - 1], states[t]]
    return states

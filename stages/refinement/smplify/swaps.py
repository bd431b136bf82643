"""Frames in which the detector took left for right, found from the whole sequence.

Arms and legs are judged apart. In each frame a part may be as marked, swapped as a whole (with
its shoulders or hips), or swapped below these. The cheapest course through all frames is found by
Viterbi's algorithm over pairs of frames: a course is cheap if every point goes on as it moved in
the two frames before, in the picture and in 3D, and if few frames are swapped. So the labels that
hold most of the time win, however long a swapped stretch is.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Person

STATES = ("as marked", "whole", "ends")
_FACE = tuple(point for point in BLAZEPOSE33.points[1:11])
_SIDES = ("left", "right")


@dataclass(frozen=True)
class _Part:
    roots: tuple[str, ...]
    ends: tuple[str, ...]


_PARTS = (
    _Part(("shoulder",), ("elbow", "wrist", "index", "pinky", "thumb")),
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


def unswap(person: Person) -> tuple[Person, np.ndarray]:
    """The person with left and right in order.

    Returns:
        The person, and for each frame whether anything was exchanged (t,) bool.
    """
    assert person.keypoints_px is not None and person.landmarks_m is not None
    keypoints_px, landmarks_m = person.keypoints_px.copy(), person.landmarks_m.copy()
    finite = np.isfinite(keypoints_px).all((1, 2)) & np.isfinite(landmarks_m).all((1, 2))
    seen = np.flatnonzero(person.observed & finite)
    changed = np.zeros(len(person), dtype=bool)
    if len(seen) < 3:  # noqa: PLR2004  (no course to judge by)
        return person, changed
    time_s = person.time_s[seen]
    for part in _PARTS:
        orders = _orders(part)
        points = _points(keypoints_px[seen], landmarks_m[seen])
        states = _cheapest_course(points, time_s, part, orders)
        for state in (1, 2):
            frames = seen[states == state]
            keypoints_px[frames] = keypoints_px[frames][:, orders[state]]
            landmarks_m[frames] = landmarks_m[frames][:, orders[state]]
            changed[frames] = True
    return replace(person, keypoints_px=keypoints_px, landmarks_m=landmarks_m), changed


def _indices(names: tuple[str, ...]) -> np.ndarray:
    return BLAZEPOSE33.indices(*(f"{side}_{name}" for side in _SIDES for name in names))


def _orders(part: _Part) -> np.ndarray:
    """(3, 33) order of the landmarks in each state."""
    orders = np.tile(np.arange(33), (3, 1))
    ends, roots = _indices(part.ends), _indices(part.roots)
    orders[1:, ends] = BLAZEPOSE33.mirror[ends]
    orders[1, roots] = BLAZEPOSE33.mirror[roots]
    if "shoulder" in part.roots:
        face = BLAZEPOSE33.indices(*_FACE)
        orders[1, face] = BLAZEPOSE33.mirror[face]
    return orders


def _points(keypoints_px: np.ndarray, landmarks_m: np.ndarray) -> np.ndarray:
    """(t, 33, 5): pixels in torso lengths and 3D in metres, made comparable."""
    shoulders, hips = BLAZEPOSE33.indices("left_shoulder", "right_shoulder"), (23, 24)
    torso = keypoints_px[:, shoulders, :2].mean(1) - keypoints_px[:, hips, :2].mean(1)
    across = keypoints_px[:, shoulders[0], :2] - keypoints_px[:, shoulders[1], :2]
    size_px = np.maximum(np.linalg.norm(torso, axis=1), np.linalg.norm(across, axis=1))
    size_px = max(float(np.median(size_px)), 1.0)
    return np.concatenate([keypoints_px[..., :2] / size_px, SHARE_3D * landmarks_m], axis=-1)


def _cheapest_course(
    points: np.ndarray, time_s: np.ndarray, part: _Part, orders: np.ndarray
) -> np.ndarray:
    """(t,) state of every frame; cost[i, j] is the best way to states i, j of the last two."""
    judged = _indices(part.roots + part.ends)
    versions = np.stack([points[:, order][:, judged] for order in orders], axis=1)
    frames = len(points)
    step_s = np.diff(time_s)
    rate = SWAPPED_COST_PER_S * np.array([0.0, 1.0, 1.0]) + CROSSED_COST_PER_S * np.stack(
        [_crossed(points[:, order], part) for order in orders], axis=1
    )
    change = CHANGE_COST * (1 - np.eye(3))
    alone = rate * np.minimum(np.append(step_s, step_s[-1]), LONGEST_STEP_S)[:, None]
    cost = alone[0][:, None] + alone[1][None] + change
    cost = cost + _miss(versions[0][:, None], versions[1][None])
    best_before = np.zeros((frames, 3, 3), dtype=np.int64)
    for t in range(2, frames):
        smooth = step_s[t - 1] < LONGEST_STEP_S and step_s[t - 2] < LONGEST_STEP_S
        share = VELOCITY_SHARE * step_s[t - 1] / step_s[t - 2] if smooth else 0.0
        moved = versions[t - 1][None] - versions[t - 2][:, None]
        expected = versions[t - 1][None] + share * moved
        step = _miss(expected[:, :, None], versions[t][None, None])
        total = cost[:, :, None] + step + change[None] + alone[t]
        best_before[t] = total.argmin(axis=0)
        cost = total.min(axis=0)
    return _trace(cost, best_before)


def _crossed(points: np.ndarray, part: _Part) -> np.ndarray:
    """(t,) 0 to 1: how far the first joints lie the other way round than the roots, in 3D."""
    roots, firsts = (_indices((name,)) for name in (part.roots[0], part.ends[0]))
    across = points[:, roots[0], 2:] - points[:, roots[1], 2:]
    between = points[:, firsts[0], 2:] - points[:, firsts[1], 2:]
    width = np.maximum((across**2).sum(axis=1), TINY)
    return np.clip(-(across * between).sum(axis=1) / width, 0.0, 1.0)


def _miss(expected: np.ndarray, seen: np.ndarray) -> np.ndarray:
    distance = np.linalg.norm(expected - seen, axis=-1)
    return np.minimum(distance, LARGEST_MISS).sum(axis=-1) / USUAL_MISS


def _trace(cost: np.ndarray, best_before: np.ndarray) -> np.ndarray:
    frames = len(best_before)
    states = np.zeros(frames, dtype=np.int64)
    states[-2], states[-1] = np.unravel_index(cost.argmin(), cost.shape)
    for t in range(frames - 1, 1, -1):
        states[t - 2] = best_before[t][states[t - 1], states[t]]
    return states

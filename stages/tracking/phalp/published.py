"""PHALP's online tracker as published: predict, cost, gate, assignment, life cycle.

Not copied are its faults: the predicted pose is read at each track's own time, what is not a number
is no match, a track confirmed at birth is told of once, ids begin at 1 for every video.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64

from stages.tracking.phalp.assignment import assign
from stages.tracking.phalp.cost import CostScales, combined, pose_and_place_terms
from stages.tracking.phalp.location import predict_places


@dataclass(frozen=True)
class Sighting:
    """What is known of one detection."""

    pose: Float64[np.ndarray, " 229"]
    place: Float64[np.ndarray, " 99"]
    appearance: Any
    confidence: float
    certain: bool = False
    """Confirms its track at once."""


@runtime_checkable
class Appearance(Protocol):
    """One kind of appearance: how it is averaged and compared."""

    def updated(self, known: Any, seen_now: Any, confidence: float) -> Any:
        """A track's appearance after one more sighting."""

    def distances(self, tracks: Sequence[Any], detections: Sequence[Any]) -> np.ndarray:
        """(m, d) the cost's appearance term."""


PosePrediction = Callable[
    [Float[np.ndarray, "n h 229"], Int64[np.ndarray, "n h"], Int64[np.ndarray, " n"]], np.ndarray
]
"""Poses and frames of the last sightings, and frames since the last one, to poses (n, 229)."""


@dataclass(frozen=True)
class Life:
    """Settings of the life cycle, named as published."""

    n_init: int = 5
    max_age_track: int = 50
    track_history: int = 7
    hungarian_th: float = 100.0


@dataclass
class PublishedTrack:
    """Somebody who is being followed."""

    id: int
    history: deque[tuple[int, Sighting]]
    appearance: Any
    pose: np.ndarray
    """As predicted for the next frame."""
    place: np.ndarray
    born: int
    confirmed: bool
    hits: int = 1
    age: int = 1
    frames_since_seen: int = 0
    told: bool = False
    """Whether its frames before it was confirmed have been emitted."""
    sightings: list[tuple[int, int]] = field(default_factory=list)
    """Frames, and the detection in each."""


@dataclass
class PublishedTracker:
    """Takes in one frame after the other."""

    life: Life
    appearance: Appearance
    predict_poses: PosePrediction
    scales: CostScales
    scales_at_cut: CostScales
    """The published program has none for its default cost: there the place still counts."""
    tracks: list[PublishedTrack] = field(default_factory=list)
    ended: list[PublishedTrack] = field(default_factory=list)
    """Confirmed tracks that are over."""
    cost: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    """Of the last frame, before the gate: tracks then alive by detections."""
    emitted: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By frame: track ids with frames since seen, 0 for seen; ghosts too, in order of emission."""
    last_id: int = 0

    def step(self, frame: int, found: Sequence[Sighting], *, is_cut: bool = False) -> list[int]:
        """Take in the detections of a frame; the track id of each."""
        for track in self.tracks:
            track.age += 1
            track.frames_since_seen += 1
        self.cost = self._costs(found, is_cut)
        assigned = assign(self.cost, self.life.hungarian_th)
        before = list(self.tracks)
        ids = [0] * len(found)
        for row, column in assigned.pairs:
            self._continue(before[row], frame, column, found[column], is_cut)
            ids[column] = before[row].id
        for row in assigned.free_rows:
            self._miss(before[row])
        for column in assigned.free_columns:
            ids[column] = self._begin(frame, column, found[column])
        self._predict()
        self._emit(frame)
        return ids

    def _costs(self, found: Sequence[Sighting], is_cut: bool) -> np.ndarray:
        if not self.tracks or not found:
            return np.zeros((len(self.tracks), len(found)))
        terms = pose_and_place_terms(
            self.appearance.distances(
                [track.appearance for track in self.tracks], [s.appearance for s in found]
            ),
            np.stack([track.pose for track in self.tracks]),
            np.stack([sighting.pose for sighting in found]),
            np.stack([track.place for track in self.tracks]),
            np.stack([sighting.place for sighting in found]),
        )
        return combined(terms, self.scales_at_cut if is_cut else self.scales)

    def _continue(
        self, track: PublishedTrack, frame: int, row: int, seen: Sighting, is_cut: bool
    ) -> None:
        """A sighting more; at a cut the place before says nothing about the speed after."""
        if is_cut:
            track.history = deque(
                ((f, _at_place_of(s, seen)) for f, s in track.history), track.history.maxlen
            )
        track.history.append((frame, seen))
        track.sightings.append((frame, row))
        track.appearance = self.appearance.updated(
            track.appearance, seen.appearance, seen.confidence
        )
        track.hits += 1
        track.frames_since_seen = 0
        track.confirmed |= track.hits >= self.life.n_init or seen.certain

    def _miss(self, track: PublishedTrack) -> None:
        """A tentative track ends at once, a confirmed one when it was not seen for too long."""
        if track.confirmed and track.frames_since_seen <= self.life.max_age_track:
            return
        self.tracks = [other for other in self.tracks if other is not track]
        if track.confirmed:
            self.ended.append(track)

    def _begin(self, frame: int, row: int, seen: Sighting) -> int:
        self.last_id += 1
        history = deque([(frame, seen)] * self.life.track_history, self.life.track_history)
        self.tracks.append(
            PublishedTrack(
                id=self.last_id,
                history=history,
                appearance=seen.appearance,
                pose=seen.pose,
                place=seen.place,
                born=frame,
                confirmed=seen.certain or self.life.n_init <= 1,
                sightings=[(frame, row)],
            )
        )
        return self.last_id

    def _emit(self, frame: int) -> None:
        """Confirmed tracks, and the frames before of those that are confirmed now."""
        here = self.emitted.setdefault(frame, [])
        for track in self.tracks:
            if not track.confirmed:
                continue
            here.append((track.id, track.frames_since_seen))
            if not track.told:
                for before, _ in track.sightings[:-1]:
                    self.emitted.setdefault(before, []).append((track.id, 0))
                track.told = True

    def _predict(self) -> None:
        """Places and poses for the next frame, of all but the newly born."""
        known = [track for track in self.tracks if track.age > 1]
        if not known:
            return
        frames = np.array([[frame for frame, _ in track.history] for track in known])
        since = np.array([track.frames_since_seen for track in known])
        places = np.stack([[s.place for _, s in track.history] for track in known])
        poses = np.stack([[s.pose for _, s in track.history] for track in known])
        predicted = predict_places(places, frames, since)
        for track, place, pose in zip(
            known, predicted, self.predict_poses(poses, frames, since), strict=True
        ):
            track.place, track.pose = place, pose


def _at_place_of(before: Sighting, now: Sighting) -> Sighting:
    return Sighting(before.pose, now.place, before.appearance, before.confidence, before.certain)

"""The published tracker led through a film, its state as plain arrays."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from pipeline.parts import Arrays
from stages.tracking.phalp.frames import Frames
from stages.tracking.phalp.published import PublishedTrack, PublishedTracker, Sighting

PLAIN = (
    *("id", "pose", "place", "born", "confirmed", "hits", "age"),
    *("frames_since_seen", "told"),
)


@dataclass(frozen=True)
class SeenLook:
    """The look of a track or a detection."""

    mean: Float64[np.ndarray, " d"]
    weight: Float64[np.ndarray, " d"]


class PublishedFollower:
    """A `Follower`: frames in order, their detections as the tracker takes them."""

    def __init__(
        self,
        frames: Frames,
        sightings_of: Callable[[np.ndarray], list[Sighting]],
        tracker: PublishedTracker,
    ) -> None:
        self.sighted: list[tuple[int, int]] = []
        self.repeated: list[int] = []
        self._frames, self._sightings_of, self._tracker = frames, sightings_of, tracker
        self._ended: list[int] = []

    def see(self, number: int) -> None:
        """Take in the next frame."""
        one = self._frames[number]
        index = one.found.index
        ids = self._tracker.step(one.number, self._sightings_of(index), is_cut=one.is_cut)
        self.sighted += [(i - 1, row) for i, row in zip(ids, index.tolist(), strict=True)]

    @property
    def confirmed(self) -> list[int]:
        """Numbers of the tracks that were confirmed: those that are over, then the others."""
        ended = [*self._ended, *(track.id for track in self._tracker.ended)]
        alive = [track.id for track in self._tracker.tracks if track.confirmed]
        return [track_id - 1 for track_id in (*ended, *alive)]

    def state(self) -> Arrays:
        """See `Follower`."""
        ended = [*self._ended, *(track.id for track in self._tracker.ended)]
        return {
            "ended": np.array(ended, np.int64),
            "last_id": np.array(self._tracker.last_id),
            **_arrays_of(self._tracker.tracks),
        }

    def go_on_from(self, state: Arrays) -> None:
        """See `Follower`; what was emitted, which tells nothing more, is let go."""
        self._ended, self._tracker.last_id = state["ended"].tolist(), int(state["last_id"])
        self._tracker.tracks, self._tracker.ended = _tracks_from(state), []
        self._tracker.emitted.clear()


def _arrays_of(tracks: list[PublishedTrack]) -> Arrays:
    if not tracks:
        return {}
    arrays = {name: np.array([getattr(track, name) for track in tracks]) for name in PLAIN}
    looks, histories = [t.appearance for t in tracks], [t.history for t in tracks]
    return {
        **arrays,
        "look.mean": np.stack([look.mean for look in looks]),
        "look.weight": np.stack([look.weight for look in looks]),
        "history.frame": np.array([[frame for frame, _ in history] for history in histories]),
        "history.pose": np.array([[seen.pose for _, seen in history] for history in histories]),
        "history.place": np.array([[seen.place for _, seen in history] for history in histories]),
    }


def _tracks_from(arrays: Arrays) -> list[PublishedTrack]:
    """The same tracks; of the sightings behind them, only what predictions are made from."""
    tracks = []
    for n in range(len(arrays.get("id", ()))):
        values = {name: arrays[name][n] for name in PLAIN}
        plain: dict[str, Any] = {
            k: v if isinstance(v, np.ndarray) else v.item() for k, v in values.items()
        }
        look = SeenLook(arrays["look.mean"][n], arrays["look.weight"][n])
        past = zip(
            arrays["history.frame"][n].tolist(),
            arrays["history.pose"][n],
            arrays["history.place"][n],
            strict=True,
        )
        history = [(frame, Sighting(pose, place, None, 0.0)) for frame, pose, place in past]
        tracks.append(
            PublishedTrack(history=deque(history, len(history)), appearance=look, **plain)
        )
    return tracks

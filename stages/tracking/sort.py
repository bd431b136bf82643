"""SORT: a Kalman filter for every box and the best assignment in every frame.

After Bewley et al. (2016), in seconds instead of frames, with what the baseline needs in
practice: landmarks beside overlap, sure detections before doubtful ones (Zhang et al. 2022), and
lost people who are found again. It looks at boxes and landmarks alone, at no body.
"""

import numpy as np
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.parts import Arrays
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking._association import Track, arrays_of, match, tracks_from
from stages.tracking._box_filter import BoxFilter
from stages.tracking._frame import FrameDetections, RowsByFrame, in_frame, without_duplicates
from stages.tracking._in_blocks import follow
from stages.tracking._people import long_enough, people_of, usable
from stages.tracking._reach import LOST, RECENT


class Config(BackendConfig):
    """Times are in seconds, so the frame rate does not change their meaning."""

    start_score: float = Field(default=0.4, ge=0, le=1)
    """Detections below this continue a track but start none."""
    max_lost_s: float = Field(default=2.0, ge=0)
    """Somebody out of sight for longer is somebody new when seen again."""
    recent_s: float = Field(default=0.2, ge=0)
    """People seen within this time choose their detections before lost ones do."""
    min_seen_s: float = Field(default=0.4, ge=0)
    """People sighted for less in all are dropped."""
    duplicate_iou: float = Field(default=0.7, gt=0, le=1)
    """A detection that overlaps a person's by more starts no second person."""
    duplicate_landmarks: float = Field(default=0.8, gt=0, le=1)
    """Of two detections with landmarks more alike than this the doubtful one is dropped."""


class Backend:
    """Follows boxes from frame to frame."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self.context = context

    def __call__(
        self, video: Video, detections: Detections, bodies: Bodies, camera: Camera
    ) -> tuple[Person, ...]:
        """The people of a video; see the stage's contract."""
        rows = np.flatnonzero(usable(video, detections, bodies, self.context))
        tracks = self._follow(video, detections, rows)
        tracks = long_enough(tracks, video, detections, self.config.min_seen_s, self.context)
        return people_of(tracks, video, detections, bodies)

    def _follow(self, video: Video, detections: Detections, rows: np.ndarray) -> list[np.ndarray]:
        """Sightings of every track, the short ones too."""
        run = _Run(self.config, video, detections, rows)
        followed = follow(run, video.frame_count, self.context)
        _tell(followed.repeated, self.context)
        return followed.tracks


class _Run:
    """What is known while the frames of one video go by."""

    def __init__(
        self, config: Config, video: Video, detections: Detections, rows: np.ndarray
    ) -> None:
        self.config = config
        self.sighted: list[tuple[int, int]] = []
        self.repeated: list[int] = []
        self._video, self._detections = video, detections
        self._rows = RowsByFrame(video, detections, rows)
        self._live: list[Track] = []
        self._count = 0
        self._last_s = -np.inf

    def state(self) -> Arrays:
        """See `Follower`."""
        return {
            **arrays_of(self._live),
            "count": np.array(self._count),
            "last_s": np.array(self._last_s),
        }

    def go_on_from(self, state: Arrays) -> None:
        """See `Follower`."""
        self._live = tracks_from(state)
        self._count, self._last_s = int(state["count"]), float(state["last_s"])

    def see(self, number: int) -> None:
        """Take in the detections of the next frame."""
        every = in_frame(self._detections, self._rows[number])
        time_s, frame = float(self._video.time_s[number]), self._video.first_frame + number
        self._live = [t for t in self._live if time_s - t.seen_s <= self.config.max_lost_s]
        for track in self._live:
            track.filter.predict(time_s)
        found = without_duplicates(every, self.config.duplicate_landmarks)
        self.repeated += [frame] * (len(every) - len(found))
        self._start(found, self._continue(found, time_s), time_s, frame)
        self._last_s = time_s

    def _continue(self, found: FrameDetections, time_s: float) -> np.ndarray:
        """Give detections to live tracks; (n,) bool, the detections given."""
        since_s = max(self.config.recent_s, time_s - self._last_s) + 1e-6
        recent = [t for t in self._live if time_s - t.seen_s <= since_s]
        lost = [t for t in self._live if time_s - t.seen_s > since_s]
        taken = np.zeros(len(found), dtype=bool)
        sure = found.score >= self.config.start_score
        for tracks, allowed, reach in (
            (recent, sure, RECENT),
            (recent, ~sure, RECENT),
            (lost, sure, LOST),
        ):
            waiting = [t for t in tracks if t.seen_s < time_s]
            free = allowed & ~taken
            if tracks is lost:
                free &= ~self._repeats(found, taken)
            for number, row in match(waiting, found, np.flatnonzero(free), reach):
                waiting[number].filter.update(found.measures[row])
                waiting[number].see(found, row, time_s)
                self.sighted.append((waiting[number].number, int(found.index[row])))
                taken[row] = True
        return taken

    def _start(self, found: FrameDetections, taken: np.ndarray, time_s: float, frame: int) -> None:
        """Start tracks with sure detections that nobody took, the surest first."""
        for row in np.argsort(-found.score, kind="stable").tolist():
            if taken[row] or found.score[row] < self.config.start_score:
                continue
            if self._repeats(found, taken)[row]:
                self.repeated.append(frame)
                continue
            track = Track(self._count, BoxFilter(found.measures[row], time_s))
            track.see(found, row, time_s)
            self.sighted.append((track.number, int(found.index[row])))
            taken[row] = True
            self._live.append(track)
            self._count += 1

    def _repeats(self, found: FrameDetections, taken: np.ndarray) -> np.ndarray:
        """(n,) bool: detections in the place of one that was taken."""
        overlap = box_iou(found.boxes_xyxy_px, found.boxes_xyxy_px[taken])
        return np.asarray((overlap > self.config.duplicate_iou).any(axis=1))


def _tell(repeated: list[int], context: Context) -> None:
    """An event if detections were dropped as repetitions."""
    if repeated:
        context.events.record(
            "tracking",
            "drop",
            f"{len(repeated)} detections in {len(set(repeated))} frames dropped: they repeat a "
            f"person already detected there; the first is in frame {min(repeated)}.",
            frame_index=min(repeated),
        )

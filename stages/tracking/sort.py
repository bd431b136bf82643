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
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking._association import LOST, RECENT, Track, match
from stages.tracking._box_filter import BoxFilter
from stages.tracking._frame import FrameDetections, in_frame, without_duplicates
from stages.tracking._people import long_enough, people_of, usable


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
        run = _Run(self.config)
        rows = rows[np.argsort(detections.frame_index[rows], kind="stable")]
        bounds = np.searchsorted(
            detections.frame_index[rows], np.append(video.frame_index, 2**31 - 1)
        )
        with self.context.progress("Tracking", video.frame_count) as advance:
            for frame, time_s in enumerate(video.time_s):
                found = in_frame(detections, rows[bounds[frame] : bounds[frame + 1]])
                run.step(found, float(time_s), video.first_frame + frame)
                advance(1)
        run.tell(self.context)
        return [np.array(track.sightings) for track in run.tracks]


class _Run:
    """What is known while the frames of one video go by."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.tracks: list[Track] = []
        self._live: list[Track] = []
        self._last_s = -np.inf
        self._duplicate_frames: list[int] = []

    def step(self, found: FrameDetections, time_s: float, frame: int) -> None:
        """Take in the detections of the next frame."""
        self._live = [t for t in self._live if time_s - t.seen_s <= self.config.max_lost_s]
        for track in self._live:
            track.filter.predict(time_s)
        count = len(found)
        found = without_duplicates(found, self.config.duplicate_landmarks)
        self._duplicate_frames += [frame] * (count - len(found))
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
                taken[row] = True
        return taken

    def _start(self, found: FrameDetections, taken: np.ndarray, time_s: float, frame: int) -> None:
        """Start tracks with sure detections that nobody took, the surest first."""
        for row in np.argsort(-found.score, kind="stable").tolist():
            if taken[row] or found.score[row] < self.config.start_score:
                continue
            if self._repeats(found, taken)[row]:
                self._duplicate_frames.append(frame)
                continue
            track = Track(BoxFilter(found.measures[row], time_s))
            track.see(found, row, time_s)
            taken[row] = True
            self._live.append(track)
            self.tracks.append(track)

    def _repeats(self, found: FrameDetections, taken: np.ndarray) -> np.ndarray:
        """(n,) bool: detections in the place of one that was taken."""
        overlap = box_iou(found.boxes_xyxy_px, found.boxes_xyxy_px[taken])
        return np.asarray((overlap > self.config.duplicate_iou).any(axis=1))

    def tell(self, context: Context) -> None:
        """An event if detections were dropped as repetitions."""
        if self._duplicate_frames:
            first = min(self._duplicate_frames)
            context.events.record(
                "tracking",
                "drop",
                f"{len(self._duplicate_frames)} detections in "
                f"{len(set(self._duplicate_frames))} frames dropped: they repeat a person already "
                f"detected there; the first is in frame {first}.",
                frame_index=first,
            )

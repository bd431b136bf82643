"""ByteTrack's matching (Zhang et al. 2022): sure detections first, then doubtful ones, by overlap.

A baseline that looks at boxes alone. Tracks are matched by the overlap of the expected with the
detected box, weighed by the detection's score; tracks not matched get a second chance with
detections below the threshold; what is lost waits, and only sure detections start somebody.
"""

import numpy as np
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from pipeline.backends import BackendConfig
from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.parts import Arrays
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking._box_measures import boxes_of
from stages.tracking._frame import FrameDetections, RowsByFrame, in_frame
from stages.tracking._in_blocks import follow
from stages.tracking._motion import Motion, motion_at
from stages.tracking._people import long_enough, people_of, usable

START_MARGIN = 0.1
"""A detection starts somebody from `track_thresh` and this much on, as published."""


class Config(BackendConfig):
    """Settings named as published."""

    track_thresh: float = Field(default=0.5, ge=0, le=1)
    """Score from which a detection is a sure one."""
    low_thresh: float = Field(default=0.1, ge=0, le=1)
    """Detections below this are not looked at."""
    match_thresh: float = Field(default=0.8, gt=0, le=1)
    """Largest distance (1 - overlap times score) of a first match."""
    second_thresh: float = Field(default=0.5, gt=0, le=1)
    """Largest distance (1 - overlap) of a match with a doubtful detection."""
    track_buffer_s: float = Field(default=1.0, ge=0)
    """How long somebody lost is waited for (30 frames of 30 fps as published)."""
    min_seen_s: float = Field(default=0.4, ge=0)
    """People sighted for less in all are dropped."""


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
        run = _Run(self.config, video, detections, rows)
        tracks = follow(run, video.frame_count, self.context).tracks
        tracks = long_enough(tracks, video, detections, self.config.min_seen_s, self.context)
        return people_of(tracks, video, detections, bodies)


class _Run:
    """What is known while the frames of one video go by."""

    def __init__(
        self, config: Config, video: Video, detections: Detections, rows: np.ndarray
    ) -> None:
        self.config = config
        self.sighted: list[tuple[int, int]] = []
        self.repeated: list[int] = []
        self._time_of, self._detections = video.time_s, detections
        self._rows = RowsByFrame(video, detections, rows)
        self._count = 0
        self._who = np.zeros(0, np.int64)
        self._seen_s = np.zeros(0)
        self._motion: Motion = motion_at(np.zeros((0, 4)))
        self._time_s = -np.inf

    def state(self) -> Arrays:
        """See `Follower`."""
        state = {"who": self._who, "seen_s": self._seen_s, **vars(self._motion)}
        return {**state, "count": np.array(self._count), "time_s": np.array(self._time_s)}

    def go_on_from(self, state: Arrays) -> None:
        """See `Follower`."""
        self._count, self._time_s = int(state.pop("count")), float(state.pop("time_s"))
        self._who, self._seen_s = state.pop("who"), state.pop("seen_s")
        self._motion = Motion(**state)

    def see(self, number: int) -> None:
        """Take in the detections of the next frame."""
        found = in_frame(self._detections, self._rows[number])
        time_s = float(self._time_of[number])
        kept = time_s - self._seen_s <= self.config.track_buffer_s + 1e-9
        self._who, self._seen_s = self._who[kept], self._seen_s[kept]
        self._motion = self._motion.kept(kept)
        if len(self._who):
            self._motion = self._motion.after(round(time_s - self._time_s, 6))
        before_s, self._time_s = self._time_s, time_s
        sure = found.score >= self.config.track_thresh
        doubtful = ~sure & (found.score >= self.config.low_thresh)
        free = self._match(found, np.flatnonzero(sure), self.config.match_thresh, fused=True)
        tracked = self._seen_s >= before_s - 1e-9  # the lost have no second chance
        self._match(
            found, np.flatnonzero(doubtful), self.config.second_thresh, fused=False, only=tracked
        )
        start = free[found.score[free] >= self.config.track_thresh + START_MARGIN]
        self._add(found, start)

    def _match(
        self,
        found: FrameDetections,
        columns: np.ndarray,
        most: float,
        *,
        fused: bool,
        only: np.ndarray | None = None,
    ) -> np.ndarray:
        """Give detections `columns` to tracks not yet seen; those left over."""
        waiting = self._seen_s < self._time_s
        rows = np.flatnonzero(waiting if only is None else waiting & only)
        if not len(rows) or not len(columns):
            return columns
        overlap = box_iou(boxes_of(self._motion.measure[rows]), found.boxes_xyxy_px[columns])
        cost = 1 - overlap * (found.score[columns] if fused else 1.0)
        pairs = np.stack(linear_sum_assignment(np.where(cost <= most, cost, 10.0)), axis=1)
        pairs = pairs[cost[pairs[:, 0], pairs[:, 1]] <= most]
        taken, given = rows[pairs[:, 0]], columns[pairs[:, 1]]
        self._motion = self._motion.corrected(taken, found.measures[given])
        self._seen_s[taken] = self._time_s
        for row, column in zip(taken.tolist(), given.tolist(), strict=True):
            self.sighted.append((int(self._who[row]), int(found.index[column])))
        return np.setdiff1d(columns, given)

    def _add(self, found: FrameDetections, rows: np.ndarray) -> None:
        born = self._count + np.arange(len(rows))
        self._count += len(rows)
        self.sighted += zip(born.tolist(), found.index[rows].tolist(), strict=True)
        self._who = np.concatenate([self._who, born])
        self._seen_s = np.concatenate([self._seen_s, np.full(len(rows), self._time_s)])
        self._motion = self._motion.joined(motion_at(found.measures[rows]))

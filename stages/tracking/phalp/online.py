"""From frame to frame: who continues in which detection, by place, outline, look and facing.

PHALP's cues with the weights of what they tell: the box where it is expected, the landmarks where
they were, the look of the body's parts, the way the body faces. Somebody who is lost is only taken
up again here when place and look agree; what is doubtful is left to the association over the whole
video.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment

from pipeline.boxes import box_iou
from stages.tracking._box_measures import boxes_of
from stages.tracking._frame import FrameDetections
from stages.tracking._motion import Motion, motion_at
from stages.tracking._reach import FORBIDDEN, LOST, NEAR, RECENT, SURPRISE_GATE, Reach
from stages.tracking._similarity import landmark_similarity
from stages.tracking.phalp.looks import Look, unlike, updated

LOOK_WEIGHT, FACING_WEIGHT = 0.8, 0.3
"""Beside overlap and landmarks, which count up to 1 each."""
UNLIKE_LOST = 0.7
"""Somebody lost is not taken up again by a detection that looks more different."""


@dataclass(frozen=True)
class OnlineSettings:
    """See `Config` of the backend."""

    start_score: float
    lost_s: float
    recent_s: float
    duplicate_iou: float
    alpha: float


@dataclass(frozen=True)
class Seen:
    """What is known of the detections of a frame."""

    found: FrameDetections
    look: Look
    facing: Float64[np.ndarray, "n 3 3"]
    """Rotation of the body's root; zeros where there are no bodies."""


@dataclass
class OnlineTracks:
    """Everybody who was followed; the arrays hold those who still are."""

    settings: OnlineSettings
    count: int = 0
    """Tracks so far."""
    sighted: list[tuple[int, int]] = field(default_factory=list)
    """Track and detection of every sighting."""
    who: Int64[np.ndarray, " n"] = field(default_factory=lambda: np.zeros(0, np.int64))
    motion: Motion = field(default_factory=lambda: motion_at(np.zeros((0, 4))))
    seen_s: Float64[np.ndarray, " n"] = field(default_factory=lambda: np.zeros(0))
    last: Float64[np.ndarray, "n 4"] = field(default_factory=lambda: np.zeros((0, 4)))
    """What was measured at the last sighting."""
    landmarks_px: np.ndarray | None = None
    look: Look | None = None
    facing: Float64[np.ndarray, "n 3 3"] = field(default_factory=lambda: np.zeros((0, 3, 3)))
    time_s: float = -np.inf
    repeated: list[int] = field(default_factory=list)
    """Frames of detections that repeat a person already seen there."""

    def step(self, seen: Seen, time_s: float, frame: int, *, is_cut: bool = False) -> None:
        """Take in the next frame; a cut ends everybody."""
        self._forget(self.seen_s < time_s - self.settings.lost_s - 1e-9)
        if is_cut:
            self._forget(np.ones(len(self.who), dtype=bool))
        if len(self.who):
            self.motion = self.motion.after(round(time_s - self.time_s, 6))
        before_s, self.time_s = self.time_s, time_s
        taken = self._continue(seen, time_s, before_s)
        self._start(seen, taken, time_s, frame)

    def _forget(self, gone: np.ndarray) -> None:
        if not gone.any():
            return
        kept = ~gone
        self.who, self.motion, self.seen_s = (
            self.who[kept],
            self.motion.kept(kept),
            self.seen_s[kept],
        )
        self.last, self.facing = self.last[kept], self.facing[kept]
        if self.landmarks_px is not None:
            self.landmarks_px = self.landmarks_px[kept]
        if self.look is not None:
            self.look = Look(self.look.mean[kept], self.look.weight[kept])

    def _continue(self, seen: Seen, time_s: float, before_s: float) -> np.ndarray:
        """Give detections to tracks: recent ones choose first, sure detections are given first."""
        found = seen.found
        taken = np.zeros(len(found), dtype=bool)
        if not len(self.who) or not len(found):
            return taken
        since_s = max(self.settings.recent_s, time_s - before_s) + 1e-6
        recent = time_s - self.seen_s <= since_s
        sure = found.score >= self.settings.start_score
        for tracks, allowed, reach in (
            (recent, sure, RECENT),
            (recent, ~sure, RECENT),
            (~recent, sure, LOST),
        ):
            free = allowed & ~taken
            if reach is LOST:
                free &= ~self._repeats(found, taken)
            rows = np.flatnonzero(tracks & (self.seen_s < time_s))
            pairs = self._pairs(seen, rows, np.flatnonzero(free), reach)
            if len(pairs):
                self._see(seen, pairs[:, 0], pairs[:, 1], time_s)
                taken[pairs[:, 1]] = True
        return taken

    def _pairs(
        self, seen: Seen, rows: np.ndarray, columns: np.ndarray, reach: Reach
    ) -> Int64[np.ndarray, "p 2"]:
        """Best one-to-one pairs of tracks `rows` and detections `columns`."""
        if not len(rows) or not len(columns):
            return np.zeros((0, 2), np.int64)
        found, motion = seen.found, self.motion.kept(rows)
        gap = motion.measure[:, None] - found.measures[columns][None]
        surprise = (np.square(gap) / motion.variance[:, None])[..., :3].sum(axis=2)
        distance = np.linalg.norm(gap[..., :2], axis=2) / motion.height_px[:, None]
        possible = (surprise < SURPRISE_GATE) & (distance < reach.distance)
        possible &= np.abs(gap[..., 2]) < np.log(reach.size_ratio)
        overlap = box_iou(boxes_of(motion.measure), found.boxes_xyxy_px[columns])
        possible |= overlap > reach.overlap
        likeness = np.exp(-0.5 * np.square(distance / NEAR))
        self._weigh_landmarks(likeness, found, rows, columns, possible)
        cost = 2 - overlap - likeness
        if self.look is not None:
            tracks = Look(self.look.mean[rows], self.look.weight[rows])
            here = Look(seen.look.mean[columns], seen.look.weight[columns])
            different = unlike(tracks, here)
            cost += LOOK_WEIGHT * different
            if reach is LOST:
                possible &= different < UNLIKE_LOST
        turned = self.facing[rows][:, None] - seen.facing[columns][None]
        cost += FACING_WEIGHT * np.square(turned).sum(axis=(2, 3)) / 8
        cost = np.where(possible, cost, FORBIDDEN)
        pairs = np.stack(linear_sum_assignment(cost), axis=1)
        pairs = pairs[possible[pairs[:, 0], pairs[:, 1]]]
        return np.stack([rows[pairs[:, 0]], columns[pairs[:, 1]]], axis=1)

    def _weigh_landmarks(
        self,
        likeness: np.ndarray,
        found: FrameDetections,
        rows: np.ndarray,
        columns: np.ndarray,
        possible: np.ndarray,
    ) -> None:
        """Put the likeness of landmarks in for possible pairs: as last seen, moved with the box."""
        first, second = np.nonzero(possible)
        if self.landmarks_px is None or found.landmarks_px is None or not len(first):
            return
        tracks = rows[first]
        expected, before = self.motion.measure[tracks], self.last[tracks]
        moved = self.landmarks_px[tracks].copy()
        grown = np.exp(expected[:, 2] - before[:, 2])[:, None, None]
        moved[..., :2] = (moved[..., :2] - before[:, None, :2]) * grown + expected[:, None, :2]
        heights = self.motion.height_px[tracks]
        likeness[first, second] = landmark_similarity(
            moved, found.landmarks_px[columns[second]], heights
        )

    def _see(self, seen: Seen, rows: np.ndarray, columns: np.ndarray, time_s: float) -> None:
        found = seen.found
        self.motion = self.motion.corrected(rows, found.measures[columns])
        self.seen_s[rows], self.last[rows] = time_s, found.measures[columns]
        self.facing[rows] = seen.facing[columns]
        if self.landmarks_px is not None and found.landmarks_px is not None:
            self.landmarks_px[rows] = found.landmarks_px[columns]
        if self.look is not None:
            here = Look(seen.look.mean[columns], seen.look.weight[columns])
            share = self.settings.alpha * np.square(np.clip(found.score[columns], 0, 1))
            self.look = updated(self.look, rows, here, share)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            self.sighted.append((int(self.who[row]), int(found.index[column])))

    def _start(self, seen: Seen, taken: np.ndarray, time_s: float, frame: int) -> None:
        """Start tracks with sure detections that nobody took, the surest first."""
        found, new = seen.found, []
        for row in np.argsort(-found.score, kind="stable").tolist():
            if taken[row] or found.score[row] < self.settings.start_score:
                continue
            if self._repeats(found, taken)[row]:
                self.repeated.append(frame)
                continue
            taken[row] = True
            new.append(row)
        if new:
            self._add(seen, np.array(new), time_s)

    def _add(self, seen: Seen, rows: np.ndarray, time_s: float) -> None:
        found = seen.found
        born = self.count + np.arange(len(rows))
        self.count += len(rows)
        self.sighted += zip(born.tolist(), found.index[rows].tolist(), strict=True)
        self.who = np.concatenate([self.who, born])
        self.motion = self.motion.joined(motion_at(found.measures[rows]))
        self.seen_s = np.concatenate([self.seen_s, np.full(len(rows), time_s)])
        self.last = np.concatenate([self.last, found.measures[rows]])
        self.facing = np.concatenate([self.facing, seen.facing[rows]])
        if found.landmarks_px is not None:
            old = self.landmarks_px
            new = found.landmarks_px[rows]
            self.landmarks_px = new if old is None else np.concatenate([old, new])
        look = Look(seen.look.mean[rows], seen.look.weight[rows])
        if self.look is not None:
            look = Look(
                np.concatenate([self.look.mean, look.mean]),
                np.concatenate([self.look.weight, look.weight]),
            )
        self.look = look

    def _repeats(self, found: FrameDetections, taken: np.ndarray) -> np.ndarray:
        """(n,) bool: detections in the place of one that was taken."""
        overlap = box_iou(found.boxes_xyxy_px, found.boxes_xyxy_px[taken])
        return np.asarray((overlap > self.settings.duplicate_iou).any(axis=1))

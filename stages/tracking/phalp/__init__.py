"""PHALP: people kept apart by place, pose and look (Rajasegaran et al. 2022), and beyond it.

From frame to frame, then over the whole video. With `distance_type: EQ_019` or `EQ_010` the online
part is the published one, cost, gate and life cycle; `evidence` weighs the same cues, the default.
"""

import numpy as np
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking._frame import in_frame, without_duplicates
from stages.tracking._people import long_enough, people_of, usable
from stages.tracking.phalp.facing import facing_of
from stages.tracking.phalp.looks import Look, look_of
from stages.tracking.phalp.offline import associated
from stages.tracking.phalp.online import OnlineSettings, OnlineTracks, Seen
from stages.tracking.phalp.tracklets import world_of


class Config(BackendConfig):
    """Times are in seconds, so the frame rate does not change their meaning."""

    offline: bool = True
    """Judge the tracks again over the whole video; false: what was found from frame to frame."""
    start_score: float = Field(default=0.4, ge=0, le=1)
    """Detections below this continue a track but start none."""
    lost_s: float = Field(default=1.0, ge=0)
    """From frame to frame, somebody out of sight for longer is somebody new."""
    recent_s: float = Field(default=0.2, ge=0)
    """People seen within this time choose their detections before lost ones do."""
    max_gap_s: float = Field(default=20.0, ge=0)
    """Over the whole video, the longest absence after which somebody may be known again."""
    min_seen_s: float = Field(default=0.4, ge=0)
    """People sighted for less in all are dropped."""
    alpha: float = Field(default=0.1, gt=0, le=1)
    """What a new sighting counts for in a track's look, times its squared score (as published)."""
    duplicate_iou: float = Field(default=0.7, gt=0, le=1)
    """A detection that overlaps a person's by more starts no second person."""
    duplicate_landmarks: float = Field(default=0.8, gt=0, le=1)
    """Of two detections with landmarks more alike than this the doubtful one is dropped."""


class Backend:
    """Follows people, then looks at the whole."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self.context = context

    def __call__(
        self, video: Video, detections: Detections, bodies: Bodies, camera: Camera
    ) -> tuple[Person, ...]:
        """The people of a video; see the stage's contract."""
        rows = np.flatnonzero(usable(video, detections, bodies, self.context))
        tracks = self._follow(video, detections, bodies, rows)
        if self.config.offline and tracks:
            world = world_of(video, detections, bodies, tracks)
            tracks = associated(world, tracks, self.config.max_gap_s, self.context)
        tracks = long_enough(tracks, video, detections, self.config.min_seen_s, self.context)
        return people_of(tracks, video, detections, bodies)

    def _follow(
        self, video: Video, detections: Detections, bodies: Bodies, rows: np.ndarray
    ) -> list[np.ndarray]:
        """Sightings of every track, the short ones too."""
        config = self.config
        online = OnlineTracks(
            OnlineSettings(
                config.start_score,
                config.lost_s,
                config.recent_s,
                config.duplicate_iou,
                config.alpha,
            )
        )
        rows = rows[np.argsort(detections.frame_index[rows], kind="stable")]
        bounds = np.searchsorted(
            detections.frame_index[rows], np.append(video.frame_index, 2**31 - 1)
        )
        facing = facing_of(bodies)
        looks = _appearance(bodies)
        cuts = set() if video.cut_frames is None else set(video.cut_frames.tolist())
        with self.context.progress("Tracking", video.frame_count) as advance:
            for number, time_s in enumerate(video.time_s):
                found = in_frame(detections, rows[bounds[number] : bounds[number + 1]])
                kept = without_duplicates(found, config.duplicate_landmarks)
                frame = video.first_frame + number
                online.repeated += [frame] * (len(found) - len(kept))
                seen = Seen(kept, look_of(looks[kept.index]), facing[kept.index])
                online.step(seen, float(time_s), frame, is_cut=frame in cuts)
                advance(1)
        self._tell_repeated(online.repeated)
        return [np.array(track) for track in online.sightings]

    def _tell_repeated(self, frames: list[int]) -> None:
        if frames:
            self.context.events.record(
                "tracking",
                "drop",
                f"{len(frames)} detections in {len(set(frames))} frames dropped: they repeat a "
                f"person already detected there; the first is in frame {min(frames)}.",
                frame_index=min(frames),
            )


def _appearance(bodies: Bodies) -> np.ndarray:
    """(n, d) looks; without columns where there are none."""
    if bodies.appearance is None:
        return np.zeros((len(bodies), 0))
    return np.asarray(bodies.appearance, np.float64)


__all__ = ["Backend", "Config", "Look"]

"""The published tracker on this project's detections and bodies.

Place and nearness come from the bodies' translations, told as PHALP tells them (a lens of 5000 on a
256 px square, whatever the true camera). The appearance term is the look's evidence. Times of the
published settings are frames of 30 fps video; at other rates they last as long in seconds.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.camera import project
from pipeline.context import Context
from pipeline.types import Bodies, Camera, Detections, Video
from stages.tracking._in_blocks import follow
from stages.tracking.phalp import cost
from stages.tracking.phalp.features import (
    CAMERA,
    FOCAL_PX,
    ORIGIN,
    PLACE_SIZE,
    SQUARE_PX,
    pose_vector,
)
from stages.tracking.phalp.frames import Frames
from stages.tracking.phalp.location import forecast
from stages.tracking.phalp.looks import Look, evidence_against
from stages.tracking.phalp.published import Life, PosePrediction, PublishedTracker, Sighting
from stages.tracking.phalp.published_state import PublishedFollower, SeenLook

PUBLISHED_FPS = 30.0
SCALES = {"EQ_019": cost.EQ_019, "EQ_010": cost.EQ_010}
AT_CUT = {
    "EQ_019": replace(cost.EQ_019, place=cost.NO_PLACE, nearness=cost.NO_PLACE),
    "EQ_010": cost.EQ_010_AT_CUT,
}
"""Across a cut the place says nothing, also in `EQ_019`, where the published program keeps it."""
APPEARANCE_SCALE = 0.25
"""Of the look's evidence as the cost's appearance term: 1.0 of evidence against is 0.33."""
POSE_ALPHA = 5.0
"""Penalty on the slope of the straight line through the last poses."""


class LookAppearance:
    """Looks in place of textures."""

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def updated(self, known: SeenLook, seen_now: SeenLook, confidence: float) -> SeenLook:
        """Running average, weighted by the squared confidence; a part seen by one is that one's."""
        share = self.alpha * confidence**2
        had, has = np.isfinite(known.mean), np.isfinite(seen_now.mean)
        mixed = known.mean + share * (seen_now.mean - known.mean)
        mean = np.where(had & has, mixed, np.where(has, seen_now.mean, known.mean))
        return SeenLook(mean, known.weight + has)

    def distances(self, tracks: Sequence[SeenLook], detections: Sequence[SeenLook]) -> np.ndarray:
        """(m, d) 0 for the same look, growing with the evidence against it."""
        first, second = (
            Look(np.stack([s.mean for s in seen]), np.stack([s.weight for s in seen]))
            for seen in (tracks, detections)
        )
        against = evidence_against(first, second)
        distance = APPEARANCE_SCALE * np.logaddexp(0.0, against)
        return np.where(against != 0, distance, 0.0)  # 0: nothing is known of both


class EmbeddingAppearance(LookAppearance):
    """Vectors of PHALP's encoder, averaged as looks are.

    The published cost encodes the two textures of every pair anew, masked to what both show; here
    each is encoded once, as it was seen, and no texture is kept.
    """

    def distances(self, tracks: Sequence[SeenLook], detections: Sequence[SeenLook]) -> np.ndarray:
        """(m, d) the published distance; 0 where a vector is not known."""
        first, second = (np.stack([s.mean for s in seen]) for seen in (tracks, detections))
        distance = cost.TEXTURE_FACTOR * cost.vector_appearance(first, second)
        return np.where(np.isfinite(distance), distance, 0.0)


def line_through_poses(
    poses: np.ndarray, frame: np.ndarray, frames_since_seen: np.ndarray
) -> np.ndarray:
    """(n, 229) the next pose without a network: a held-back straight line, entry by entry."""
    count, history, size = poses.shape
    at = np.repeat(frame[:, -1] + np.minimum(frames_since_seen, history) + 1.0, size)
    values = poses.transpose(0, 2, 1).reshape(count * size, history)
    line = forecast(np.repeat(frame, size, axis=0), values, at, POSE_ALPHA)
    return line.value.reshape(count, size)


def sightings_of(
    video: Video, detections: Detections, bodies: Bodies, camera: Camera, rows: np.ndarray
) -> list[Sighting]:
    """Feature vectors of the detections `rows`, in their order."""
    shift_m = bodies.t_camera_m[rows].astype(np.float64)
    longer = max(video.width_px, video.height_px)
    margin = np.array([(longer - video.width_px) // 2, (longer - video.height_px) // 2])
    origin = (project(shift_m, camera.K_px) + margin) / longer
    depth = shift_m[:, 2] * FOCAL_PX / SQUARE_PX * longer / camera.K_px[0, 0]
    shift = np.column_stack([(origin - 0.5) * (depth * SQUARE_PX / FOCAL_PX)[:, None], depth])
    rotvec = bodies.pose_rotvec[rows].astype(np.float64).reshape(-1, 3)
    rotmat = Rotation.from_rotvec(rotvec).as_matrix().reshape(len(rows), 24, 3, 3)
    poses = pose_vector(rotmat, bodies.betas[rows], shift)
    places = np.zeros((len(rows), PLACE_SIZE))
    places[:, ORIGIN] = origin
    places[:, CAMERA.start :] = np.tile(shift, (1, 3))
    appearance = bodies.appearance
    look = np.zeros((len(rows), 0)) if appearance is None else appearance[rows].astype(np.float64)
    return [
        Sighting(pose, place, SeenLook(seen, np.isfinite(seen).astype(np.float64)), float(score))
        for pose, place, seen, score in zip(
            poses, places, look, detections.score[rows], strict=True
        )
    ]


def life_in(life: Life, video: Video) -> Life:
    """The published frame counts as long in seconds as at 30 fps.

    In a video so short that nobody could be confirmed, half its frames suffice.
    """
    n_init = max(round(life.n_init * video.fps / PUBLISHED_FPS), 1)
    return replace(
        life,
        n_init=min(n_init, (video.frame_count + 1) // 2),
        max_age_track=max(round(life.max_age_track * video.fps / PUBLISHED_FPS), 1),
    )


def tracker_for(
    distance_type: str, life: Life, appearance: LookAppearance, predict_poses: PosePrediction
) -> PublishedTracker:
    """The published tracker with looks."""
    return PublishedTracker(
        life, appearance, predict_poses, SCALES[distance_type], AT_CUT[distance_type]
    )


def follow_published(
    frames: Frames,
    video: Video,
    detections: Detections,
    bodies: Bodies,
    camera: Camera,
    tracker: PublishedTracker,
    context: Context,
) -> list[np.ndarray]:
    """Sightings of every track that was confirmed."""
    sightings = partial(sightings_of, video, detections, bodies, camera)
    follower = PublishedFollower(frames, sightings, tracker)
    tracks = follow(follower, len(frames), context).tracks
    return [tracks[number] for number in follower.confirmed]

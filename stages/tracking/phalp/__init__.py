"""PHALP: people kept apart by place, pose and look (Rajasegaran et al. 2022), and beyond it.

From frame to frame, then over the whole video. With `distance_type: EQ_019` or `EQ_010` the online
part is the published one, cost, gate and life cycle; `evidence` weighs the same cues, the default.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.licences import Licence
from pipeline.parts import Arrays
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking._people import long_enough, people_of, usable
from stages.tracking.phalp.embedding_looks import looks_from_embeddings
from stages.tracking.phalp.frames import Frames
from stages.tracking.phalp.looks import COLOURS
from stages.tracking.phalp.offline import associated
from stages.tracking.phalp.online import OnlineSettings
from stages.tracking.phalp.online_flow import follow_evidence
from stages.tracking.phalp.prediction import (
    POSE_WEIGHTS,
    checkpoint_layout,
    pose_prediction,
    told_prediction,
    uses_network,
)
from stages.tracking.phalp.published import Life
from stages.tracking.phalp.published_flow import (
    EmbeddingAppearance,
    LookAppearance,
    follow_published,
    life_in,
    tracker_for,
)
from stages.tracking.phalp.texture_reader import EMBEDDED, TextureReader, encoder_layout
from stages.tracking.phalp.tracklets import world_of


class Config(BackendConfig):
    """Times are in seconds, so the frame rate does not change their meaning."""

    distance_type: Literal["evidence", "EQ_019", "EQ_010"] = "evidence"
    """How detections are given to people from frame to frame: this project's evidence, or one of
    PHALP's published costs with its life cycle."""
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
    n_init: int = Field(default=5, ge=1)
    """Published: sightings in a row that make a track a person, in frames of 30 fps."""
    max_age_track: int = Field(default=50, ge=1)
    """Published: frames of 30 fps that somebody out of sight is waited for."""
    track_history: int = Field(default=7, ge=3)
    """Published: sightings that place and pose are predicted from."""
    hungarian_th: float = Field(default=100.0, gt=0)
    """Published: the cost above which nobody continues."""
    pose_prediction: Literal["auto", "network", "line"] = "auto"
    """Published cost: the official network (`humans4d models add phalp-pose FILE`), or a line
    through the last poses; auto: the network where its weights are."""
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
        self._tell_cues(bodies)
        looking = _with_looks(bodies, detections)
        as_given = self.config.distance_type != "evidence"
        tracks = self._follow(video, detections, bodies if as_given else looking, camera, rows)
        if self.config.offline and tracks:
            tracks = self._judged(video, detections, looking, tracks)
        tracks = long_enough(tracks, video, detections, self.config.min_seen_s, self.context)
        return people_of(tracks, video, detections, bodies)

    def _judged(
        self, video: Video, detections: Detections, looking: Bodies, tracks: list[np.ndarray]
    ) -> list[np.ndarray]:
        """The tracks as judged over the whole video; a part, for that takes seconds."""

        def judged() -> Arrays:
            world = world_of(video, detections, looking, tracks)
            found = associated(world, tracks, self.config.max_gap_s, self.context)
            lengths = np.array([len(track) for track in found])
            return {"sightings": np.concatenate(found), "ends": lengths.cumsum()}

        arrays = self.context.parts.get("judged", judged)
        return np.split(arrays["sightings"], arrays["ends"][:-1])

    def _follow(
        self,
        video: Video,
        detections: Detections,
        bodies: Bodies,
        camera: Camera,
        rows: np.ndarray,
    ) -> list[np.ndarray]:
        """Sightings of every track, found from frame to frame."""
        config = self.config
        frames = Frames(video, detections, rows, config.duplicate_landmarks)
        if config.distance_type == "evidence":
            settings = OnlineSettings(
                config.start_score,
                config.lost_s,
                config.recent_s,
                config.duplicate_iou,
                config.alpha,
            )
            followed = follow_evidence(frames, bodies, settings, self.context)
            self._tell_repeated(followed.repeated)
            return followed.tracks
        life = Life(config.n_init, config.max_age_track, config.track_history, config.hungarian_th)
        tracker = tracker_for(
            config.distance_type,
            life_in(life, video),
            (EmbeddingAppearance if _encoded(bodies) else LookAppearance)(config.alpha),
            pose_prediction(config.pose_prediction, self.context),
        )
        return follow_published(frames, video, detections, bodies, camera, tracker, self.context)

    def _tell_cues(self, bodies: Bodies) -> None:
        """Which appearance and which pose prediction were used."""
        look = "none (the pictures were not looked at)"
        if bodies.appearance is not None:
            look = "the regressor's own"
            if bodies.appearance.shape[1] == COLOURS:
                look = "the colours of seven body parts"
            elif _encoded(bodies):
                look = "PHALP's encoder, each texture under its own mask"
        pose = "the way the body faced when last seen"
        if self.config.distance_type != "evidence":
            pose = told_prediction(self.config.pose_prediction)
        self.context.events.record(
            "tracking", "info", f"phalp: appearance: {look}; pose prediction: {pose}."
        )

    def _tell_repeated(self, frames: list[int]) -> None:
        if frames:
            self.context.events.record(
                "tracking",
                "drop",
                f"{len(frames)} detections in {len(set(frames))} frames dropped: they repeat a "
                f"person already detected there; the first is in frame {min(frames)}.",
                frame_index=min(frames),
            )


def _with_looks(bodies: Bodies, detections: Detections) -> Bodies:
    """Bodies with an encoder's vectors as looks, for which evidence is known."""
    if bodies.appearance is None or not _encoded(bodies):
        return bodies
    looks = looks_from_embeddings(bodies.appearance, detections.frame_index)
    return replace(bodies, appearance=looks)


def _encoded(bodies: Bodies) -> bool:
    """Whether looks are vectors of PHALP's encoder."""
    return bodies.appearance is not None and bodies.appearance.shape[1] == EMBEDDED


def texture_reader(context: Context) -> TextureReader:
    """PHALP's encoder, for the pass over the pictures (`pipeline.appearance_source`)."""
    return TextureReader(context)


def licences(config: Config) -> tuple[Licence, ...]:
    """The official pose network's terms, where it is used."""
    if config.distance_type == "evidence" or not uses_network(config.pose_prediction):
        return ()
    text = weights.row(POSE_WEIGHTS).licence
    return (Licence("PHALP's pose predictor", text, commercial=False),)


__all__ = ["Backend", "Config", "checkpoint_layout", "encoder_layout", "licences", "texture_reader"]

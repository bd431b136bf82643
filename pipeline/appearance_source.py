"""What looks are read from in the one pass over pixels: landmarks, meshes, or PHALP's encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from pipeline import backends, weights
from pipeline.appearance import appearance_of
from pipeline.appearance_mesh import looks_through_meshes, meshes_by_frame, usable_bodies
from pipeline.appearance_surface import SurfaceSamples, surface_samples
from pipeline.body import BodyModel
from pipeline.body_file import EMBEDDED
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.events import EventLog
from pipeline.frame import Frame
from pipeline.types import Bodies, Camera, Detections

Source = Literal["landmarks", "mesh", "encoder"]
ENCODER_WEIGHTS = ("phalp-appearance", "phalp-bmap", "phalp-fmap")


@runtime_checkable
class Looks(Protocol):
    """Reads looks off a batch of frames."""

    def __call__(
        self, frames: Sequence[Frame], detections: Detections, bodies: Bodies, camera: Camera
    ) -> np.ndarray:
        """(n, d) the look of every detection, NaN where nothing is seen."""

    def tell(self, bodies: Bodies, events: EventLog) -> None:
        """Say what the looks of the whole video were read from."""


@dataclass(frozen=True)
class AlongLandmarks:
    """The only way where bodies are not known while the pictures are there."""

    def __call__(
        self, frames: Sequence[Frame], detections: Detections, bodies: Bodies, camera: Camera
    ) -> np.ndarray:
        """See `Looks`."""
        return appearance_of(frames, detections)

    def tell(self, bodies: Bodies, events: EventLog) -> None:
        """See `Looks`."""
        _tell(events, "colours of seven body parts along landmarks, or in boxes where none are")


@dataclass(frozen=True)
class ThroughMeshes:
    """Colours of the visible surface of the fitted bodies."""

    body: BodyModel
    samples: SurfaceSamples

    def __call__(
        self, frames: Sequence[Frame], detections: Detections, bodies: Bodies, camera: Camera
    ) -> np.ndarray:
        """See `Looks`; where a body is not usable, along landmarks."""
        found = looks_through_meshes(frames, detections, bodies, camera, self.body, self.samples)
        rest = ~usable_bodies(bodies)
        if rest.any():
            found[rest] = appearance_of(frames, detections)[rest]
        return found

    def tell(self, bodies: Bodies, events: EventLog) -> None:
        """See `Looks`."""
        _tell(events, "colours of seven body parts on the visible surface of the fitted bodies")
        _tell_unusable(bodies, events, "their looks are read along landmarks, or in boxes")


@dataclass(frozen=True)
class ByEncoder:
    """PHALP's appearance encoder, from textures sampled through the fitted bodies."""

    body: BodyModel
    read: Any
    """From a picture, the meshes in it, their squares and the camera to vectors of its `size`."""

    def __call__(
        self, frames: Sequence[Frame], detections: Detections, bodies: Bodies, camera: Camera
    ) -> np.ndarray:
        """See `Looks`; half precision."""
        found = np.full((len(detections), self.read.size), np.nan, np.float16)
        for frame, meshes in meshes_by_frame(frames, detections, bodies, camera, self.body):
            boxes = detections.boxes_xyxy_px[meshes.rows]
            t_m = bodies.t_camera_m[meshes.rows]
            found[meshes.rows] = self.read(frame.rgb, meshes, boxes, t_m, camera)
        return found

    def tell(self, bodies: Bodies, events: EventLog) -> None:
        """See `Looks`."""
        _tell(events, "PHALP's appearance encoder, from textures of the fitted bodies")
        _tell_unusable(bodies, events, "they have no look")


@dataclass(frozen=True)
class LookSource:
    """What was chosen, and what it depends on."""

    name: Source

    @property
    def made_by(self) -> list[Any]:
        """What tells one choice from another: its name, and the weights behind it."""
        names = ENCODER_WEIGHTS if self.name == "encoder" else ()
        return [self.name, *(weights.identity(weights.row(name)) for name in names)]

    def make(self, context: Context) -> Looks:
        """Read what it needs.

        Raises:
            MissingError, InputError: the encoder's files are not there, or are others.
        """
        if self.name == "landmarks":
            return AlongLandmarks()
        if self.name == "mesh":
            return ThroughMeshes(context.body, surface_samples(context.body))
        return ByEncoder(context.body, backends.load("tracking", "phalp").texture_reader(context))


def chosen_source(wanted: str, regressor: str, body_model: str) -> LookSource:
    """What looks are read from, as the settings say.

    Args:
        wanted: `appearance.source`; auto: the encoder where its files are here, else meshes; along
            landmarks with a regressor that gives bodies only when the pictures are gone.
        regressor: name of the regression backend.
        body_model: as in the settings; the encoder's surface maps are of SMPL's mesh.

    Raises:
        SettingsError: it needs bodies that are not there yet, or another mesh.
        MissingError: the encoder is wanted and its files are not here; says how to get them.
    """
    in_pass = not hasattr(backends.load("regression", regressor).Backend, "over_time")
    if wanted == "auto":
        if not in_pass:
            return LookSource("landmarks")
        here = body_model != EMBEDDED and all(
            weights.is_present(weights.row(name)) for name in ENCODER_WEIGHTS
        )
        return LookSource("encoder" if here else "mesh")
    if wanted != "landmarks" and not in_pass:
        raise SettingsError(
            f"appearance.source: '{wanted}' needs a body for every detection while the pictures "
            f"are there, and regression '{regressor}' gives bodies when the whole video is known. "
            "Use appearance.source=landmarks, or another regression.backend"
        )
    if wanted == "encoder" and body_model == EMBEDDED:
        raise SettingsError(
            "appearance.source: 'encoder' needs SMPL's mesh, which PHALP's surface maps belong to; "
            "give your SMPL file with body.model=FILE, or use appearance.source=mesh"
        )
    if wanted == "encoder":
        for name in ENCODER_WEIGHTS:
            weights.path(name)
        return LookSource("encoder")
    return LookSource("mesh" if wanted == "mesh" else "landmarks")


def _tell(events: EventLog, source: str) -> None:
    events.record("perception", "info", f"Looks of people: {source}.")


def _tell_unusable(bodies: Bodies, events: EventLog, instead: str) -> None:
    unusable = int((~usable_bodies(bodies)).sum())
    if unusable:
        events.record(
            "perception",
            "fallback",
            f"{unusable} of {len(bodies)} bodies hold numbers that are not finite: {instead}.",
        )

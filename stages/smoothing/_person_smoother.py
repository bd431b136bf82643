"""What all smoothers share: gaps filled, stretches parted, the pelvis placed, the report."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float64
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.parts import Arrays
from pipeline.types import Person, Status
from stages.smoothing._gaps import bridged, bridged_confidence, interpolated, runs
from stages.smoothing._place import LEAST_Z_M
from stages.smoothing._report import tell_of_motion

CHANGED = ("pose_rotvec", "t_camera_m", "status", "confidence")
"""What smoothing changes of a person."""
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 2.0
GAP_WEIGHT = 0.05
"""Pull of a filled frame towards plain interpolation; alone, a quintic spline swings out."""


class SmootherConfig(BackendConfig):
    """What all smoothers can be told."""

    max_gap_s: float = Field(default=0.5, ge=0)
    """Longest time from sighting to sighting that is filled; longer ones stay missing."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive frames with a motion, to be smoothed as a whole."""

    time_s: Float64[np.ndarray, " t"]
    weights: Float64[np.ndarray, " t"]
    """How much each frame counts; 1 is usual."""
    seen: Bool[np.ndarray, " t"]
    """False where the motion was only drawn between sightings."""
    pose_rotvec: Float64[np.ndarray, "t 24 3"]
    pelvis_m: Float64[np.ndarray, "t 3"]
    """Place of the pelvis in camera axes."""


class PersonSmoother(ABC):
    """Smooths every person on its own."""

    least_frames: ClassVar[int] = 2
    """Shorter stretches stay as they are."""

    def __init__(self, config: SmootherConfig, context: Context) -> None:
        self.config = config
        self.context = context

    @abstractmethod
    def smooth_pose(self, stretch: Stretch) -> Float64[np.ndarray, "t 24 3"]:
        """Axis-angle of every joint, smoothed."""

    @abstractmethod
    def smooth_pelvis(self, stretch: Stretch) -> Float64[np.ndarray, "t 3"]:
        """Place of the pelvis, smoothed."""

    def __call__(self, people: tuple[Person, ...]) -> tuple[Person, ...]:
        """Same people, same frames; short gaps filled and marked INTERPOLATED."""
        smooth = tuple(self._kept(person) for person in people)
        tell_of_motion(people, smooth, self.context)
        return smooth

    def _kept(self, person: Person) -> Person:
        """Smoothed now, or before an interruption."""

        def changed() -> Arrays:
            smooth = self._smooth(person)
            return {name: getattr(smooth, name) for name in CHANGED}

        arrays: dict[str, Any] = self.context.parts.get(f"person {person.id}", changed)
        return replace(person, **arrays)

    def _smooth(self, person: Person) -> Person:
        seen = person.status != Status.MISSING
        if not seen.any():
            return person
        self._tell_of_depths(person)
        filled = bridged(person.status, person.time_s, self.config.max_gap_s)
        kept, weights = seen | filled, _weights(person, filled)
        smooth = self._curve(_with_motion(person, *interpolated(person, seen)), kept, weights)
        if filled.any():
            # Again, with the fill drawn between smoothed ends, not between two noisy sightings.
            smooth = self._curve(_with_fill(person, smooth, seen), kept, weights)
        return replace(
            _with_motion(smooth, *interpolated(smooth, kept)),
            status=np.where(filled, np.uint8(Status.INTERPOLATED), person.status),
            confidence=bridged_confidence(person, filled),
        )

    def _curve(self, person: Person, kept: np.ndarray, weights: np.ndarray) -> Person:
        """Every stretch of `kept` frames smoothed as a whole."""
        pose, pelvis_m = person.pose_rotvec.astype(np.float64), self._pelvis_m(person)
        place = person.t_camera_m + pelvis_m
        seen = person.status != Status.MISSING
        for run in runs(kept):
            if run.stop - run.start < self.least_frames:
                continue
            stretch = Stretch(person.time_s[run], weights[run], seen[run], pose[run], place[run])
            pose[run], place[run] = self.smooth_pose(stretch), self.smooth_pelvis(stretch)
        return _with_motion(person, pose, place - pelvis_m)

    def _pelvis_m(self, person: Person) -> np.ndarray:
        """(3,) where the pelvis is when the translation is zero; no pose moves it."""
        betas = torch.from_numpy(person.betas)
        joints_m = self.context.body.with_shape(betas).joints_rest_m
        return joints_m[0].numpy().astype(np.float64)

    def _tell_of_depths(self, person: Person) -> None:
        """An event where a person is not in front of the camera."""
        depth_m = person.t_camera_m[:, 2] + self._pelvis_m(person)[2]
        behind = int((depth_m < LEAST_Z_M).sum())
        if behind:
            self.context.events.record(
                "smoothing",
                "fallback",
                f"Person {person.id} is not in front of the camera in {behind} frames; "
                "their place is smoothed along x, y, z and may slide in the picture.",
                person_id=person.id,
            )


def _weights(person: Person, filled: np.ndarray) -> np.ndarray:
    """How much each frame counts: its confidence in units of the person's usual one."""
    seen = person.status != Status.MISSING
    usual = max(float(np.median(person.confidence[seen])), 1e-3)
    weights = np.clip(person.confidence.astype(np.float64) / usual, LEAST_WEIGHT, MOST_WEIGHT)
    return np.where(filled, GAP_WEIGHT, weights)


def _with_fill(person: Person, smooth: Person, seen: np.ndarray) -> Person:
    """The person as seen, and between that as interpolated from `smooth`."""
    pose, place = interpolated(smooth, seen)
    pose[seen], place[seen] = person.pose_rotvec[seen], person.t_camera_m[seen]
    return _with_motion(person, pose, place)


def _with_motion(person: Person, pose_rotvec: np.ndarray, t_camera_m: np.ndarray) -> Person:
    """The person with another motion."""
    return replace(
        person,
        pose_rotvec=pose_rotvec.astype(np.float32),
        t_camera_m=t_camera_m.astype(np.float32),
    )

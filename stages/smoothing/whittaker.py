"""Robust Whittaker smoothing of rotations and place, blind to frame rate, poles and outliers.

* Rotations are smoothed as sign-continuous quaternions in four dimensions and put back onto the
  unit sphere: no poles, no jump at half a turn, and a steady rotation stays as it is, because
  sine and cosine of one frequency shrink alike.
* Place is that of the pelvis, smoothed as (x/z, y/z, log z). What a single camera gets wrong is
  depth, and it does so along the ray; smoothing x and z apart would let the body slide in the
  picture. Depth therefore has its own, lower cut-off and the ray keeps the picture's.
"""

from dataclasses import replace

import numpy as np
import torch
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.types import Person, Status
from stages.smoothing._gaps import bridged, bridged_confidence, interpolated, runs
from stages.smoothing._grid import LEAST_Z_M, Grid, smooth_place, smooth_rotations
from stages.smoothing._third_difference import ORDER

LEAST_WEIGHT, MOST_WEIGHT = 0.1, 2.0
GAP_WEIGHT = 0.05
"""Pull of a filled frame towards plain interpolation; alone, a quintic spline swings out."""


class Config(BackendConfig):
    """A motion at the cut-off keeps half of its amplitude, at twice that 1/65."""

    rotation_cutoff_hz: float = Field(default=4.0, gt=0)
    root_cutoff_hz: float = Field(default=3.0, gt=0)
    """Of the body's orientation."""
    place_cutoff_hz: float = Field(default=4.0, gt=0)
    """Of the place in the picture (the ray from the camera)."""
    depth_cutoff_hz: float = Field(default=1.5, gt=0)
    """Of the logarithm of the distance along the camera's axis."""
    max_gap_s: float = Field(default=0.5, ge=0)
    """Longest time from sighting to sighting that is filled; longer ones stay missing."""
    outlier_ratio: float = Field(default=5.0, gt=0)
    """A sample further off than this many usual distances counts nothing."""
    outlier_window_s: float = Field(default=0.5, gt=0)
    """Time around a sample over which 'usual' is also measured."""


class Backend:
    """Smooths every person on its own."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self.context = context

    def __call__(self, people: tuple[Person, ...]) -> tuple[Person, ...]:
        """Same people, same frames; short gaps filled and marked INTERPOLATED."""
        return tuple(self._smooth(person) for person in people)

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
            pose, place = interpolated(smooth, seen)
            pose[seen], place[seen] = person.pose_rotvec[seen], person.t_camera_m[seen]
            smooth = self._curve(_with_motion(person, pose, place), kept, weights)
        return replace(
            _with_motion(smooth, *interpolated(smooth, kept)),
            status=np.where(filled, np.uint8(Status.INTERPOLATED), person.status),
            confidence=bridged_confidence(person, filled),
        )

    def _curve(self, person: Person, kept: np.ndarray, weights: np.ndarray) -> Person:
        """Every stretch of `kept` frames smoothed as a whole."""
        config = self.config
        pose, pelvis_m = person.pose_rotvec.astype(np.float64), self._pelvis_m(person)
        place = person.t_camera_m + pelvis_m
        cutoffs_hz = np.full(pose.shape[1], config.rotation_cutoff_hz)
        cutoffs_hz[0] = config.root_cutoff_hz
        for stretch in runs(kept):
            if stretch.stop - stretch.start <= ORDER:
                continue  # a parabola goes through three points: nothing to smooth
            grid = Grid(
                person.time_s[stretch],
                weights[stretch],
                config.outlier_ratio,
                config.outlier_window_s,
            )
            pose[stretch] = smooth_rotations(pose[stretch], grid, cutoffs_hz)
            place[stretch] = smooth_place(
                place[stretch], grid, config.place_cutoff_hz, config.depth_cutoff_hz
            )
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


def _with_motion(person: Person, pose_rotvec: np.ndarray, t_camera_m: np.ndarray) -> Person:
    """The person with another motion."""
    return replace(
        person,
        pose_rotvec=pose_rotvec.astype(np.float32),
        t_camera_m=t_camera_m.astype(np.float32),
    )

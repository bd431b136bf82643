"""Backend `smplify`: fit each person's whole sequence to its landmarks.

SMPLify (Bogo et al. 2016, "Keep it SMPL") over time:
one optimisation per person over all frames: robust reprojection of the 2D landmarks, directions of
bones from the 3D landmarks, one shape, ranges of joints, accelerations in units of time. Left and
right are put in order first. Frames without a sighting follow from their neighbours. COCO's 17
keypoints will do too: the regressed body then stands in for the 3D landmarks, as do its sides.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.landmark_sites import PosedSites
from pipeline.one_thread import one_thread
from pipeline.parts import Arrays
from pipeline.skeletons import BLAZEPOSE33, COCO17
from pipeline.smplify_prior import read_pose_prior, shipped_pose_prior
from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import Chain
from stages.refinement.smplify.coco17 import AsBlazepose
from stages.refinement.smplify.contact import Contacts, Ground
from stages.refinement.smplify.occlusion import hidden_landmarks, without_hidden
from stages.refinement.smplify.published import PRESETS, Optimiser, Recipe, fit_published
from stages.refinement.smplify.sequence import Outcome, fields_of, fit_person
from stages.refinement.smplify.start import Marked
from stages.refinement.smplify.swaps import sides_of
from stages.refinement.smplify.weights import Weights

__all__ = ["Backend", "Config"]

BAD_ERROR = 1.0
"""Tell of a person whose landmarks are missed by this many usual errors in the median."""


class PublishedConfig(BackendConfig):
    """How `objective: published` is run."""

    preset: Literal["spin", "smplify"] = "spin"
    """Weights: SPIN's single round, or Bogo et al.'s four."""
    optimiser: Optimiser = "lbfgs"
    steps: int = Field(default=60, ge=1)
    """Of every stage and round."""
    prior: str | None = None
    """A `gmm_08.pkl` of yours; by default the prior that ships with the project."""

    @property
    def recipe(self) -> Recipe:
        """As the fit takes it."""
        prior = read_pose_prior(Path(self.prior)) if self.prior else shipped_pose_prior()
        return Recipe(PRESETS[self.preset], prior, self.optimiser, self.steps)


class Config(BackendConfig):
    """How the terms of the fit weigh against each other."""

    objective: Literal["sequence", "published"] = "sequence"
    """All frames together, or SMPLify's published objective on each frame by itself; of the other
    settings only `published` and `occlusion` concern the latter."""
    published: PublishedConfig = PublishedConfig()
    iterations: int = Field(default=8, ge=1)
    """Most steps of the last, strict solve."""
    pixel_spread_m: float = Field(default=Weights.pixel_spread_m, gt=0)
    """Usual error of a 2D landmark, as a length at the body's distance."""
    landmarks: float = Field(default=Weights.landmarks, ge=0)
    """Weight of the 3D landmarks' directions."""
    pose_prior: float = Field(default=Weights.pose_prior, ge=0)
    """Weight of the learnt prior of poses; 0 leaves it out."""
    usual_pose: float = Field(default=Weights.usual_pose, ge=0)
    """Weight of the pull to a middle of every joint's range."""
    shape: float = Field(default=Weights.shape, gt=0)
    """Weight of the pull to the average shape, in frames' worth of evidence."""
    contact: float = Field(default=Weights.contact, ge=0)
    """Weight of feet staying where they stand, where the camera is found to stand too."""
    occlusion: bool = True
    """Let landmarks that lie behind somebody nearer count for less."""
    regressed: float = Field(default=Weights.regressed, ge=0)
    """Weight of the regressed rotation of every joint; 0: the regressed pose is only the start."""
    regressed_spread_deg: dict[str, float] = Field(default={})
    """Usual errors of regressed rotations by joint, such as ``{knee: 10}``; the rest by default."""
    regressed_directions: float = Field(default=Weights.regressed_directions, ge=0)
    """Weight of the directions of the regressed body's bones, beside those of the landmarks."""
    told: float = Field(default=Weights.told, ge=0)
    """How strongly a regressor's own word on its errors (the lifter gives it) makes it count for
    less or more: usual errors times this power of what it says over the usual; 0: not at all."""
    rotation_accel_rad_s2: float = Field(default=Weights.rotation_accel_rad_s2, gt=0)
    """Usual acceleration of a joint's rotation: less is smoother."""
    place_accel_m_s2: float = Field(default=Weights.place_accel_m_s2, gt=0)
    """Usual acceleration of the body's place."""

    @property
    def weights(self) -> Weights:
        """As the fit takes them."""
        names = {field.name for field in fields(Weights)}
        return Weights(
            **{name: getattr(self, name) for name in names & set(type(self).model_fields)}
        )


class Backend:
    """Fits one person after the other."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self.context = context
        self.chain = Chain(context.body)
        self._sites = PosedSites(context.body)
        published = config.objective == "published"
        self._recipe = config.published.recipe if published else None

    def __call__(self, people: tuple[Person, ...], camera: Camera) -> tuple[Person, ...]:
        """Same people, same frames; pose, place and shape fitted, left and right in order."""
        with one_thread(), self.context.progress("Fitting bodies", len(people)) as advance:
            ready = [self._in_order(person) for person in people]
            out = []
            for person, ordered in zip(people, ready, strict=True):
                out.append(self._refine(person, ordered, ready, camera))
                advance(1)
        return tuple(out)

    def _refine(
        self, person: Person, ready: Marked | None, everybody: list[Marked | None], camera: Camera
    ) -> Person:
        if ready is None:
            self.context.events.record(
                "refinement",
                "fallback",
                f"Person {person.id} has no landmarks to fit to and stays as it was. The detectors "
                "blazepose, given, and yolo with pose weights find them.",
                person_id=person.id,
            )
            return person
        others = (other.in_order() for other in everybody if other and other is not ready)
        fit = partial(self._fitted, ready, others, camera)
        fitted: dict[str, Any] = self.context.parts.get(f"person {person.id}", fit)
        same_points = person.skeleton == BLAZEPOSE33.name
        return replace(ready.in_order() if same_points else person, **fitted)

    def _fitted(self, ready: Marked, others: Iterable[Person], camera: Camera) -> Arrays:
        """Pose, shape and place."""
        hidden, parts = self._hidden(ready, others), self.context.parts
        if self._recipe is not None:
            person = ready.in_order()
            seen = person if hidden is None else without_hidden(person, hidden)
            return fields_of(fit_published(seen, camera, self.chain, self._recipe, parts))
        weights, iterations = self.config.weights, self.config.iterations
        outcome = fit_person(ready, hidden, camera, self.chain, weights, iterations, parts)
        self._tell(ready.person, int(ready.changed.sum()), outcome)
        return fields_of(outcome.motion)

    def _in_order(self, person: Person) -> Marked | None:
        """With BlazePose's landmarks, left and right in order; None without landmarks."""
        if not _has_landmarks(person):
            return None
        if person.skeleton == COCO17.name:
            return AsBlazepose(person, self._sites)
        return sides_of(person, self.context.parts)

    def _hidden(self, ready: Marked, others: Iterable[Person]) -> np.ndarray | None:
        """(t, 33) bool: landmarks that somebody nearer hides; None where there are none."""
        if not self.config.occlusion:
            return None
        person = ready.in_order()
        hidden = hidden_landmarks(person, others)
        frames = int(hidden.any(1).sum())
        if not frames:
            return None
        self.context.events.record(
            "refinement",
            "info",
            f"Person {person.id}: landmarks behind somebody nearer count less in {frames} of "
            f"{len(person)} frames.",
            person_id=person.id,
        )
        return hidden

    def _tell(self, person: Person, exchanged: int, outcome: Outcome) -> None:
        def info(text: str) -> None:
            self.context.events.record("refinement", "info", text, person_id=person.id)

        if exchanged:
            info(
                f"Person {person.id}: left and right exchanged back in {exchanged} of "
                f"{len(person)} frames."
            )
        if outcome.contacts is not None:
            info(_told_of_feet(person.id, outcome.contacts))
        if outcome.median_error_px > BAD_ERROR * outcome.usual_error_px:
            info(
                f"Person {person.id} fits its landmarks badly: {outcome.median_error_px:.1f} px in "
                f"the median, {outcome.usual_error_px:.1f} px are usual at this size. Look at the "
                "overlay; a wrong focal length is a usual cause."
            )


def _told_of_feet(person_id: int, contacts: Contacts) -> str:
    if contacts.ground is Ground.HELD:
        share = contacts.still.any(1).double().mean()
        return f"Person {person_id}: feet held still where they stand ({share:.0%} of the frames)."
    return (
        f"Person {person_id}: feet {contacts.ground.value} in the picture, as before a moving "
        "camera; they are not held."
    )


def _has_landmarks(person: Person) -> bool:
    if person.keypoints_px is None or not person.observed.any():
        return False
    has_blazepose = person.skeleton == BLAZEPOSE33.name and person.landmarks_m is not None
    return has_blazepose or person.skeleton == COCO17.name

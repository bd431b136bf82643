"""Named points of a body over time, as programs for motion analysis take them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from pipeline.backends import BackendConfig
from pipeline.joint_sets import joints45_m
from pipeline.skeletons import SMPL24, SMPL45
from pipeline.take import Take
from pipeline.types import Person

POINTS = {"joints": SMPL24.points, "surface": SMPL45.points[:35]}
"""`surface`: also nose, eyes, ears, toes and heels."""


class MarkerConfig(BackendConfig):
    """Which points."""

    points: Literal["joints", "surface"] = "surface"


@dataclass(frozen=True)
class Markers:
    """Points of one person."""

    names: tuple[str, ...]
    places_m: Float64[np.ndarray, "t k 3"]
    """NaN in frames without a body."""


def markers(take: Take, person: Person, points: str) -> Markers:
    """The chosen points in the take's axes."""
    names, posed = POINTS[points], take.posed(person)
    places_m = posed.joints_m if points == "joints" else joints45_m(posed)
    kept_m = places_m.numpy()[:, : len(names)].copy()
    kept_m[~person.drawn] = np.nan
    return Markers(names, kept_m)

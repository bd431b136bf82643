"""How far off a regressor that tells of its errors says a person's joints are, part by part."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pipeline.skeletons import SMPL24, TRUNK_AND_LIMBS
from pipeline.types import Person

PARTS: Mapping[str, tuple[str, ...]] = {
    "left arm": ("left_shoulder", "left_elbow"),
    "right arm": ("right_shoulder", "right_elbow"),
    "left leg": ("left_hip", "left_knee"),
    "right leg": ("right_hip", "right_knee"),
    "trunk": ("pelvis", "spine1", "spine2", "spine3", "neck"),
}
"""Those of `TRUNK_AND_LIMBS`."""
JUDGED = SMPL24.indices(*TRUNK_AND_LIMBS)


@dataclass(frozen=True)
class Sureness:
    """Errors to expect of a person, of the frames in which it was seen."""

    error_deg: Float64[np.ndarray, " t"]
    """Mean over the joints of `PARTS`; NaN where nothing is told."""
    least_sure: str | None
    """The part with the largest error."""
    least_sure_deg: float | None


def sureness_of(person: Person) -> Sureness:
    """Of `expected_error_deg` in the person's file."""
    told_rad = person.pose_spread_rad
    if told_rad is None or not (known := np.isfinite(told_rad).all(axis=1)).any():
        return Sureness(np.full(len(person), np.nan), None, None)
    told_deg = np.rad2deg(told_rad.astype(np.float64))
    means = {
        part: told_deg[known][:, SMPL24.indices(*names)].mean() for part, names in PARTS.items()
    }
    least_sure = max(means, key=lambda part: means[part])
    return Sureness(
        told_deg[:, JUDGED].mean(axis=1), least_sure, round(float(means[least_sure]), 1)
    )

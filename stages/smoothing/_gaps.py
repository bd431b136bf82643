"""Where a person's sequence may be smoothed through, and where it falls apart."""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from pipeline.types import Person, Status

BRIDGE_TRUST = 0.5
"""Confidence of a filled frame relative to the sightings around it."""


def bridged(
    status: UInt8[np.ndarray, " t"], time_s: Float64[np.ndarray, " t"], max_gap_s: float
) -> Bool[np.ndarray, " t"]:
    """MISSING frames in gaps of at most `max_gap_s` from the sighting before to the one after.

    Missing frames before the first or after the last sighting are never bridged.
    """
    seen = np.flatnonzero(status != Status.MISSING)
    out = np.zeros(len(status), dtype=bool)
    for before, after in pairwise(seen):
        if after > before + 1 and time_s[after] - time_s[before] <= max_gap_s:
            out[before + 1 : after] = True
    return out


def runs(mask: Bool[np.ndarray, " t"]) -> list[slice]:
    """The stretches of consecutive true frames, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def interpolated(
    person: Person, known: Bool[np.ndarray, " t"]
) -> tuple[Float64[np.ndarray, "t 24 3"], Float64[np.ndarray, "t 3"]]:
    """Pose and place with the frames that are not `known` drawn straight between those that are."""
    times = person.time_s[known]
    pose = person.pose_rotvec.astype(np.float64)
    place = person.t_camera_m.astype(np.float64)
    if not known.all():
        asked = person.time_s[~known]
        pose[~known] = interpolate_rotvec(times, pose[known], asked)
        place[~known] = interpolate_linear(times, place[known], asked)
    return pose, place


def bridged_confidence(person: Person, filled: Bool[np.ndarray, " t"]) -> Float32[np.ndarray, " t"]:
    """The person's confidence; filled frames get half of what lies around them."""
    if not filled.any():
        return person.confidence
    seen = person.status != Status.MISSING
    around = interpolate_linear(person.time_s[seen], person.confidence[seen], person.time_s)
    return np.where(filled, BRIDGE_TRUST * around, person.confidence).astype(np.float32)

"""How unlikely it is that a detection is a track's person: PHALP's published cost.

A product of inverse likelihoods: Cauchy-like in appearance and pose, exponential in place and
nearness. What is not finite is impossible (the published program takes it for the best match).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from stages.tracking.phalp.features import CAMERA, INTERVAL, ORIGIN

POSE_PART = 226
"""Of a pose vector: rotations and shape, without the camera."""
TEXTURE_FACTOR, APPEARANCE_UNIT = 100.0, 1e3
WIDENING = 0.1


@dataclass(frozen=True)
class CostScales:
    """The four numbers that were fitted, and where the pose's distance is cut off."""

    appearance: float
    pose: float
    place: float
    nearness: float
    pose_limit: float


EQ_019 = CostScales(4.0536, 1.3070, 0.3792, 4.1658, 1.5)
EQ_010 = CostScales(3.8303, 1.5207, 0.4930, 4.5831, 1.2)
NO_PLACE = 1e100
EQ_010_AT_CUT = CostScales(7.8303, 1.5207, NO_PLACE, NO_PLACE, 1.2)
"""Across a cut the place says nothing."""


@dataclass(frozen=True)
class CostTerms:
    """Distances of d detections from m tracks."""

    appearance: Float64[np.ndarray, "m d"]
    pose: Float64[np.ndarray, "m d"]
    place: Float64[np.ndarray, "m d"]
    place_width: Float64[np.ndarray, "m d"]
    nearness: Float64[np.ndarray, "m d"]
    nearness_width: Float64[np.ndarray, "m d"]


def vector_appearance(
    tracks: Float[np.ndarray, "m a"], detections: Float[np.ndarray, "d a"]
) -> Float64[np.ndarray, "m d"]:
    """Squared distance of appearance vectors in thousands (`predict: APL`)."""
    return _squared_distance(tracks, detections) / APPEARANCE_UNIT**2


def pose_and_place_terms(
    appearance: Float64[np.ndarray, "m d"],
    track_poses: Float[np.ndarray, "m 229"],
    poses: Float[np.ndarray, "d 229"],
    track_places: Float[np.ndarray, "m 99"],
    places: Float[np.ndarray, "d 99"],
) -> CostTerms:
    """All terms; the widths are the tracks' predicted intervals."""
    track_places = np.asarray(track_places, np.float64)[:, None]
    places = np.asarray(places, np.float64)[None]
    gap = track_places[..., ORIGIN] - places[..., ORIGIN]
    depth = CAMERA.stop - 1
    interval = track_places[..., INTERVAL]
    ones = np.ones_like(appearance)
    with np.errstate(invalid="ignore", divide="ignore"):
        return CostTerms(
            appearance=appearance,
            pose=_squared_distance(track_poses[:, :POSE_PART], poses[:, :POSE_PART]),
            place=np.linalg.norm(gap, axis=-1),
            place_width=np.linalg.norm(interval[..., :2], axis=-1) * ones,
            nearness=np.abs(np.log(track_places[..., depth] / places[..., depth])),
            nearness_width=np.abs(np.log(interval[..., 2])) * ones,
        )


def combined(terms: CostTerms, scales: CostScales) -> Float64[np.ndarray, "m d"]:
    """The cost, 1 at best; infinite where a term is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        place = terms.place / (WIDENING + np.tanh(terms.place_width)) / scales.place
        near = terms.nearness / (WIDENING + np.tanh(terms.nearness_width)) / scales.nearness
        cost = (1 + scales.appearance * terms.appearance) * np.exp(place) * np.exp(near)
        cost *= 1 + scales.pose * np.minimum(terms.pose, scales.pose_limit)
    return np.where(np.isfinite(cost), cost, np.inf)


def _squared_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    gap = np.asarray(a, np.float64)[:, None] - np.asarray(b, np.float64)[None]
    return np.einsum("mdk,mdk->md", gap, gap)

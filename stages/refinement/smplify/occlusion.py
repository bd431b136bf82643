"""Landmarks behind somebody nearer count for less: detectors are too sure of what they cannot see.

Everybody's outline is taken from the landmarks: limbs as capsules, the trunk as a wide one. Who is
nearer is told by the bodies' distances; where these are alike nobody hides anybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Person

NEARER_SHARE = 0.95
"""Somebody is in front if no further than this share of the other's distance."""
HIDDEN_TRUST = 0.4
"""What is left of the visibility of a hidden landmark."""
LIMB_RADIUS, TRUNK_RADIUS = 0.16, 0.42
"""Of the capsules, in lengths of the trunk in the picture."""
LEAST_VISIBILITY = 0.3
SAME_SHARE = 0.5
"""Two people whose marks lie this near, in radii of the trunk, are one."""
_SIDES = ("left", "right")
_CAPSULES = [
    *(
        (f"{s}_{a}", f"{s}_{b}", LIMB_RADIUS)
        for s in _SIDES
        for a, b in (
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "foot_index"),
        )
    ),
    ("left_ear", "right_ear", 2 * LIMB_RADIUS),
]


@dataclass(frozen=True)
class _Outline:
    """One person's capsules in one frame; the last is the trunk."""

    starts_px: np.ndarray
    ends_px: np.ndarray
    radii_px: np.ndarray

    def covers(self, points_px: np.ndarray) -> np.ndarray:
        """(k,) which points lie within."""
        along = self.ends_px - self.starts_px
        from_start = points_px[:, None] - self.starts_px
        squared = np.maximum((along**2).sum(-1), 1e-9)
        share = np.clip((from_start * along).sum(-1) / squared, 0.0, 1.0)
        away_px = np.linalg.norm(from_start - share[..., None] * along, axis=-1)
        return np.asarray((away_px < self.radii_px).any(axis=1))

    def is_of(self, own_px: np.ndarray, its_px: np.ndarray) -> bool:
        """One person found twice: nobody stands exactly in front of somebody in the same pose."""
        away_px = np.linalg.norm(own_px[:, :2] - its_px[:, :2], axis=-1)
        return bool(np.median(away_px) < SAME_SHARE * self.radii_px[-1])


def hidden_landmarks(person: Person, others: Iterable[Person]) -> np.ndarray:
    """(t, k) bool: landmarks of a person that lie behind another's outline.

    Args:
        person: with BlazePose's landmarks.
        others: with the same, the person itself not among them.
    """
    assert person.keypoints_px is not None
    hidden = np.zeros(person.keypoints_px.shape[:2], dtype=bool)
    for other in others:
        if other.keypoints_px is None:
            continue
        _, own, theirs = np.intersect1d(
            person.frame_index, other.frame_index, return_indices=True, assume_unique=True
        )
        both = person.observed[own] & other.observed[theirs]
        nearer = other.t_camera_m[theirs, 2] < NEARER_SHARE * person.t_camera_m[own, 2]
        for mine, its in zip(own[both & nearer], theirs[both & nearer], strict=True):
            if _apart(person.boxes_xyxy_px[mine], other.boxes_xyxy_px[its]):
                continue
            outline = _outline(other.keypoints_px[its])
            if outline.is_of(person.keypoints_px[mine], other.keypoints_px[its]):
                continue
            hidden[mine] |= outline.covers(person.keypoints_px[mine, :, :2])
    return hidden


def without_hidden(person: Person, hidden: np.ndarray) -> Person:
    """The same person, hidden landmarks seen less well."""
    assert person.keypoints_px is not None
    keypoints_px = person.keypoints_px.copy()
    keypoints_px[..., 2] *= np.where(hidden, np.float32(HIDDEN_TRUST), np.float32(1))
    return replace(person, keypoints_px=keypoints_px)


def _outline(keypoints_px: np.ndarray) -> _Outline:
    def at(name: str) -> np.ndarray:
        return np.asarray(keypoints_px[BLAZEPOSE33.index(name)])

    shoulders, hips = (
        (at(f"left_{part}") + at(f"right_{part}"))[:2] / 2 for part in ("shoulder", "hip")
    )
    across = np.linalg.norm((at("left_shoulder") - at("right_shoulder"))[:2])
    trunk_px = max(float(np.linalg.norm(shoulders - hips)), float(across), 1.0)
    seen = [c for c in _CAPSULES if min(at(c[0])[2], at(c[1])[2]) >= LEAST_VISIBILITY]
    starts = [at(a)[:2] for a, _, _ in seen] + [shoulders]
    ends = [at(b)[:2] for _, b, _ in seen] + [hips]
    radii = [radius for _, _, radius in seen] + [TRUNK_RADIUS]
    return _Outline(np.stack(starts), np.stack(ends), trunk_px * np.array(radii))


def _apart(first_xyxy: np.ndarray, second_xyxy: np.ndarray) -> bool:
    """No common area; NaN counts as apart."""
    low, high = (
        np.maximum(first_xyxy[:2], second_xyxy[:2]),
        np.minimum(first_xyxy[2:], second_xyxy[2:]),
    )
    return not bool((high > low).all())

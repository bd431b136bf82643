"""What was seen of one person, made ready for the fit."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import Chain
from stages.refinement.smplify.occlusion import without_hidden
from stages.refinement.smplify.points import INDICES, bone_matrix, trust_2d
from stages.refinement.smplify.regressed import told_ratio
from stages.refinement.smplify.start import Marked, Start
from stages.refinement.smplify.weights import Weights

REFERENCE_FPS = 30.0
NEAREST_M = 0.5
LONGEST_FRAME_S = 0.2
"""A frame never counts for more time than this, however long the pause after it."""


@dataclass(frozen=True)
class Observed:
    """Tensors over t frames and the k landmarks used; where nothing was seen, weights are 0."""

    time_s: Tensor
    time_weight: Tensor
    """(t,) how much time each frame stands for, in thirtieths of a second."""
    points_px: Tensor
    """(t, k, 2)"""
    weight_2d: Tensor
    """(t, k)"""
    bones: Tensor
    """(m, k) differences of landmarks that the 3D landmarks tell."""
    bones_m: Tensor
    """(t, m, 3)"""
    weight_3d: Tensor
    """(t, m)"""
    spread_px: Tensor
    """(t,) usual error of a 2D landmark"""
    regressed_rotmat: Tensor
    """(t, 24, 3, 3) the regressed local rotations"""
    regressed_bones_m: Tensor
    """(t, m, 3) the same bones on the regressed body"""
    regressed_weight: Tensor
    """(t,)"""
    told_ratio: Tensor
    """(t, 24) errors that the regressor expects of its rotations, over usual ones"""
    K: Tensor


def time_weights(time_s: Tensor) -> Tensor:
    """Half the time to the frame before and half the time to the next, in 1/30 s."""
    if len(time_s) == 1:
        return torch.ones(1, dtype=torch.float64)
    step_s = torch.diff(time_s)
    padded = torch.cat([step_s[:1], step_s, step_s[-1:]])
    return (padded[1:] + padded[:-1]).div(2).clamp_max(LONGEST_FRAME_S) * REFERENCE_FPS


@dataclass(frozen=True)
class Marks:
    """The landmarks in the picture; fields as in `Observed`."""

    time_weight: Tensor
    points_px: Tensor
    weight_2d: Tensor
    K: Tensor


@dataclass(frozen=True)
class Evidence:
    """What was seen of a person in all frames, made ready stretch by stretch: it takes much room.

    A seen bone keeps its direction only, because the detector makes far limbs too short: its length
    is that of the start's build. The start's depth gives the size of an error in the picture.
    """

    marked: Marked
    hidden: Bool[np.ndarray, "t k"] | None
    """Landmarks behind somebody nearer; None: nobody stands in the way."""
    start: Start
    camera: Camera
    chain: Chain
    weights: Weights
    time_s: Tensor
    time_weight: Tensor

    @classmethod
    def of(
        cls,
        marked: Marked,
        hidden: np.ndarray | None,
        start: Start,
        camera: Camera,
        chain: Chain,
        weights: Weights,
    ) -> "Evidence":
        """Of a person whose fit begins at `start`."""
        time_s = torch.from_numpy(marked.person.time_s)
        weight = time_weights(time_s)
        return cls(marked, hidden, start, camera, chain, weights, time_s, weight)

    @property
    def spread_px(self) -> Tensor:
        """(t,) usual error of a 2D landmark."""
        focal_px = torch.from_numpy(self.camera.K_px).double()[0, 0]
        return focal_px * self.weights.pixel_spread_m / self.start.t_m[:, 2].clamp_min(NEAREST_M)

    def marks(self, frames: slice | Tensor) -> Marks:
        """Some frames' landmarks in the picture."""
        return self._marks(self._person(frames), self.time_weight[frames])

    def cut(self, frames: slice | Tensor) -> Observed:
        """All of some frames."""
        person, start, time = self._person(frames), self.start.cut(frames), self.time_weight[frames]
        assert person.landmarks_m is not None
        marks, bones = self._marks(person, time), bone_matrix()
        landmarks_m = torch.from_numpy(person.landmarks_m[:, INDICES]).double()
        seen3d = _seen(person) & torch.isfinite(landmarks_m).all(-1).all(-1)
        bones_m = bones @ torch.nan_to_num(landmarks_m)
        bones_m = bones_m / bones_m.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        lengths_m = (bones @ self.chain.rest_sites_m(start.build)).norm(dim=-1, keepdim=True)
        visibility = _visibility(person)
        bone_seen = torch.stack([visibility[:, row != 0].amin(-1) for row in bones], 1)
        return Observed(
            self.time_s[frames],
            time,
            marks.points_px,
            marks.weight_2d,
            bones,
            bones_m * lengths_m,
            (0.2 + 0.8 * bone_seen) * (seen3d * time)[:, None],
            self.spread_px[frames],
            start.local_rotmat,
            bones @ self.chain.places(start)[0],
            torch.from_numpy(person.observed) * self.start.trusted[frames] * time,
            _told_ratio(person),
            marks.K,
        )

    def _person(self, frames: slice | Tensor) -> Person:
        rows = frames if isinstance(frames, slice) else frames.numpy()
        person = self.marked.cut(rows).in_order()
        return person if self.hidden is None else without_hidden(person, self.hidden[rows])

    def _marks(self, person: Person, time: Tensor) -> Marks:
        weight_2d = _visibility(person) * trust_2d() * (_seen(person) * time)[:, None]
        K = torch.from_numpy(self.camera.K_px).double()
        return Marks(time, torch.nan_to_num(_keypoints(person))[..., :2], weight_2d, K)


def _keypoints(person: Person) -> Tensor:
    """(t, k, 3) x, y, visibility of the landmarks used."""
    assert person.keypoints_px is not None
    return torch.from_numpy(person.keypoints_px[:, INDICES]).double()


def _seen(person: Person) -> Tensor:
    """(t,) bool."""
    return torch.from_numpy(person.observed) & torch.isfinite(_keypoints(person)).all(-1).all(-1)


def _visibility(person: Person) -> Tensor:
    """(t, k) squared: what a landmark counts for."""
    return torch.nan_to_num(_keypoints(person))[..., 2].clamp(0, 1) ** 2


def _told_ratio(person: Person) -> Tensor:
    if person.pose_spread_rad is None:
        return torch.ones(len(person), 24, dtype=torch.float64)
    return told_ratio(torch.from_numpy(person.pose_spread_rad).double())

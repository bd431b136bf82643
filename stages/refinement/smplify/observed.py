"""What was seen of one person, made ready for the fit."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import Chain, Motion
from stages.refinement.smplify.points import INDICES, bone_matrix, trust_2d
from stages.refinement.smplify.regressed import told_ratio
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

    def cut(self, frames: slice | Tensor) -> "Observed":
        """Some of the frames."""
        return replace(
            self,
            time_s=self.time_s[frames],
            time_weight=self.time_weight[frames],
            points_px=self.points_px[frames],
            weight_2d=self.weight_2d[frames],
            bones_m=self.bones_m[frames],
            weight_3d=self.weight_3d[frames],
            spread_px=self.spread_px[frames],
            regressed_rotmat=self.regressed_rotmat[frames],
            regressed_bones_m=self.regressed_bones_m[frames],
            regressed_weight=self.regressed_weight[frames],
            told_ratio=self.told_ratio[frames],
        )


def time_weights(time_s: Tensor) -> Tensor:
    """Half the time to the frame before and half the time to the next, in 1/30 s."""
    if len(time_s) == 1:
        return torch.ones(1, dtype=torch.float64)
    step_s = torch.diff(time_s)
    padded = torch.cat([step_s[:1], step_s, step_s[-1:]])
    return (padded[1:] + padded[:-1]).div(2).clamp_max(LONGEST_FRAME_S) * REFERENCE_FPS


def observe(
    person: Person, camera: Camera, start: Motion, trusted: Tensor, chain: Chain, weights: Weights
) -> Observed:
    """Landmarks of a person, and its regressed pose, as targets.

    Args:
        person: With keypoints and 3D landmarks, left and right already put in order.
        camera: Intrinsics.
        start: The regressed motion; its depth gives the size of an error in the picture, its
            build the length of bones (a seen bone keeps its direction only, because the detector
            makes far limbs too short).
        trusted: (t,) frames whose start is the regressor's own.
        chain: The body.
        weights: Spreads.
    """
    assert person.keypoints_px is not None and person.landmarks_m is not None
    keypoints = torch.from_numpy(person.keypoints_px[:, INDICES]).double()
    landmarks_m = torch.from_numpy(person.landmarks_m[:, INDICES]).double()
    time_s = torch.from_numpy(person.time_s)
    time = time_weights(time_s)
    seen = torch.from_numpy(person.observed) & torch.isfinite(keypoints).all(-1).all(-1)
    seen3d = seen & torch.isfinite(landmarks_m).all(-1).all(-1)
    keypoints, landmarks_m = torch.nan_to_num(keypoints), torch.nan_to_num(landmarks_m)
    visibility = keypoints[..., 2].clamp(0, 1) ** 2
    bones = bone_matrix()
    bones_m = bones @ landmarks_m
    bones_m = bones_m / bones_m.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    lengths_m = (bones @ chain.rest_sites_m(start.build)).norm(dim=-1, keepdim=True)
    bone_seen = torch.stack([visibility[:, row != 0].amin(-1) for row in bones], 1)
    K = torch.from_numpy(camera.K_px).double()
    return Observed(
        time_s,
        time,
        keypoints[..., :2],
        visibility * trust_2d() * (seen * time)[:, None],
        bones,
        bones_m * lengths_m,
        (0.2 + 0.8 * bone_seen) * (seen3d * time)[:, None],
        K[0, 0] * weights.pixel_spread_m / start.t_m[:, 2].clamp_min(NEAREST_M),
        start.local_rotmat,
        bones @ chain.sites_m(start),
        torch.from_numpy(person.observed) * trusted * time,
        _told_ratio(person),
        K,
    )


def _told_ratio(person: Person) -> Tensor:
    if person.pose_spread_rad is None:
        return torch.ones(len(person), 24, dtype=torch.float64)
    return told_ratio(torch.from_numpy(person.pose_spread_rad).double())

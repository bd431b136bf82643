"""What a detector really makes of people: filmed truth beside its landmarks, kept as arrays.

Made by `film_pairs`. Used twice: as windows to learn from as they are,
and as a store of errors (bias, jitter, swaps, frames missed, confidence) to put on other motion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.errors import InputError
from pipeline.rotations import rotvec_to_rotmat
from stages.regression.lifter.filmed import Filmed, SiteBody, between_hips, rays_to
from stages.regression.lifter.network import WINDOW
from stages.regression.lifter.view import seen_straight

CANDIDATES = 48
"""Stored windows among which the one with the most similar picture lends its errors."""
NAMES = (
    *("frames_of_clip", "betas", "K_px", "pose_rotvec", "pelvis_camera_m"),
    *("keypoints_px", "landmarks_m"),
)
LEAST_CONFIDENCE = 0.01
LARGEST_ERROR = 2.0
"""In sizes; a detection further off was of somebody else."""


@dataclass(frozen=True)
class StoredErrors:
    """What a detector was off, and how sure it was."""

    error: Float[Tensor, "b t 33 2"]
    error_m: Float[Tensor, "b t 33 3"]
    confidence: Float[Tensor, "b t 33"]


@dataclass(frozen=True)
class DetectedPeople:
    """Clips of one person each, one behind the other."""

    filmed: Filmed
    """One long window (b = 1) with the detector's rays and confidence."""
    betas: Float[Tensor, "clips 10"]
    true_points: Float[Tensor, "n 33 2"]
    """Exact keypoints as `View` has them."""
    error: Float[Tensor, "n 33 2"]
    """Of the detector's keypoints, in sizes."""
    error_m: Float[Tensor, "n 33 3"]
    """Of its guess in space, in the axes of the view."""
    start: Int64[Tensor, " clips"]
    length: Int64[Tensor, " clips"]

    def windows(self, count: int, rng: torch.Generator) -> Filmed:
        """The truth with what the detector saw."""
        clip, rows = self._rows(count, rng)
        whole = self.filmed
        filmed = Filmed(
            whole.pose_rotmat[0][rows],
            whole.pelvis_m[0][rows],
            self.betas[clip],
            whole.rays[0][rows],
            whole.confidence[0][rows],
            whole.landmarks_m[0][rows],
        )
        return filmed.mirrored(torch.randint(2, (count,), generator=rng) == 0)

    def errors_like(
        self, points: Float[Tensor, "b t 33 2"], rng: torch.Generator
    ) -> "StoredErrors":
        """Those of stored windows in whose middle the person looks alike."""
        count, middle = len(points), WINDOW // 2
        _, rows = self._rows(count * CANDIDATES, rng)
        away = self.true_points[rows[:, middle]].unflatten(0, (count, CANDIDATES))
        away = (away - points[:, middle, None]).square().sum((-1, -2))
        chosen = rows.unflatten(0, (count, CANDIDATES))[torch.arange(count), away.argmin(1)]
        confidence = self.filmed.confidence[0][chosen]
        return StoredErrors(self.error[chosen], self.error_m[chosen], confidence)

    def _rows(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        clip = torch.randint(len(self.start), (count,), generator=rng)
        room = self.length[clip] - WINDOW
        begin = self.start[clip] + (torch.rand(count, generator=rng) * (room + 1)).long()
        return clip, begin[:, None] + torch.arange(WINDOW)


def read_detected(paths: Sequence[Path], sites: SiteBody) -> DetectedPeople:
    """Read files of `film_pairs`, one behind the other.

    Raises:
        InputError: one is not such a file.
    """
    parts = [_arrays(path) for path in paths]
    arrays = {name: torch.cat([part[name] for part in parts]) for name in NAMES}
    length = arrays["frames_of_clip"].long()
    clip = torch.repeat_interleave(torch.arange(len(length)), length)
    betas, K = arrays["betas"], arrays["K_px"][clip]
    pose, pelvis_m = rotvec_to_rotmat(arrays["pose_rotvec"]), arrays["pelvis_camera_m"]
    rays, confidence = _rays(arrays["keypoints_px"], K)
    from_pelvis_m = sites.points_m(pose[:, None], betas[clip])[1]
    true_rays = rays_to(from_pelvis_m + pelvis_m[:, None, None])
    true = seen_straight(true_rays, torch.ones_like(true_rays[..., 0]))
    rotmat = true.rotmat_view_camera[:, 0]
    ahead = torch.nn.functional.pad(rays, (0, 1), value=1.0) @ rotmat.mT
    error = ahead[..., :2] / ahead[..., 2:] / true.size[:, None, None] - true.points[:, 0]
    confidence = torch.where(
        (error.norm(dim=-1).amax(-1) > LARGEST_ERROR)[:, None], 0.0, confidence
    )
    found = (confidence > 0)[..., None]
    landmarks_m = torch.where(found, torch.nan_to_num(arrays["landmarks_m"]), 0.0)
    true_m = between_hips(from_pelvis_m[:, 0] @ rotmat.mT)
    filmed = Filmed(
        pose[None], pelvis_m[None], betas[:1], rays[None], confidence[None], landmarks_m[None]
    )
    usable = length >= WINDOW
    return DetectedPeople(
        filmed,
        betas[usable],
        true.points[:, 0],
        torch.where(found, error, 0.0),
        torch.where(found, landmarks_m - true_m, 0.0),
        (length.cumsum(0) - length)[usable],
        length[usable],
    )


def _arrays(path: Path) -> dict[str, Tensor]:
    with np.load(path) as file:
        if any(name not in file for name in NAMES):
            raise InputError(f"{path}: not a file of film_pairs; it must hold {', '.join(NAMES)}")
        return {name: torch.from_numpy(file[name]).float() for name in NAMES}


def _rays(keypoints_px: Tensor, K_px: Tensor) -> tuple[Tensor, Tensor]:
    """Directions (n, 33, 2) and confidence (n, 33), 0 where nothing was found."""
    seen = torch.isfinite(keypoints_px).all(-1)
    rays = (keypoints_px[..., :2] - K_px[:, None, :2, 2]) / K_px[:, None, (0, 1), (0, 1)]
    confidence = torch.where(seen, keypoints_px[..., 2].clamp(LEAST_CONFIDENCE, 1.0), 0.0)
    return torch.where(seen[..., None], rays, 0.0), confidence

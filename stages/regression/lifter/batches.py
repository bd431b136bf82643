"""What the lifter is fed in training: windows as detected, and motion with a detector's errors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.motion_clips import MotionClips
from pipeline.rotations import rotmat_between_vectors
from stages.regression.lifter.corruption import as_detected, focal_factors, spoiled
from stages.regression.lifter.detected import DetectedPeople
from stages.regression.lifter.filmed import Filmed, SiteBody, film_windows
from stages.regression.lifter.recipe import TrainConfig
from stages.regression.lifter.view import View, seen_straight


@dataclass(frozen=True)
class Data:
    """What is learnt from, and what is measured on."""

    clips: MotionClips
    detected: DetectedPeople
    validation: DetectedPeople
    sites: SiteBody


@dataclass(frozen=True)
class Batch:
    """What the network gets and what it should say, in the axes of the view."""

    view: View
    seen: Tensor
    pose_rotmat: Tensor
    pelvis_m: Tensor
    betas: Tensor
    size: Tensor
    """True size: that of the view, had the focal length been right."""


def batch_of(data: Data, config: TrainConfig, rng: torch.Generator) -> Batch:
    """New windows: some as detected, the others motion with the detector's kind of errors."""
    real = data.detected.windows(round(config.detected_share * config.batch), rng)
    exact = film_windows(data.clips, data.sites, config.batch - len(real.betas), rng)
    made = as_detected(exact, data.detected, config.corruption, rng)
    both = Filmed(
        *(torch.cat(pair) for pair in zip(vars(real).values(), vars(made).values(), strict=True))
    )
    given = spoiled(both, config.corruption, rng)
    return as_batch(given, focal_factors(config.batch, config.corruption, rng))


def as_batch(given: Filmed, focal_factor: Tensor) -> Batch:
    """Look straight at the person through a camera whose focal length is wrong by a factor."""
    rays = given.rays * focal_factor[:, None, None, None]
    view = seen_straight(rays, given.confidence, given.landmarks_m)
    middle = view.middle / focal_factor[:, None, None]
    ahead = torch.nn.functional.pad(middle, (0, 1), value=1.0)
    turn = rotmat_between_vectors(ahead, torch.tensor([0.0, 0.0, 1.0]))
    pose = given.pose_rotmat
    pose = torch.cat([(turn @ pose[:, :, 0])[:, :, None], pose[:, :, 1:]], 2)
    pelvis_m = (turn @ given.pelvis_m[..., None])[..., 0]
    seen = given.confidence.amax(-1) > 0
    return Batch(view, seen, pose, pelvis_m, given.betas, view.size / focal_factor)

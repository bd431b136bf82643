"""Train the pose prior: ``python -m stages.refinement.smplify.train_prior MOTIONS VALIDATION OUT``.

MOTIONS and VALIDATION are folders of SMPL motion (.npz with `poses`, `trans`); OUT is the .npz to
write. Two mixtures of Gaussians come out: one over the 69 axis-angle numbers of joints 1 to 23
(`means`, `covars`, `weights`: SMPLify's form), one over the ways to move of the fit over time
(`dof_*`). Beside OUT goes OUT.json: settings, held-out likelihoods for every number of components
asked for, and the ranges of all ways to move. Settings by `--set name=value`.
"""

import argparse
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from pipeline.backends import describe
from pipeline.errors import SettingsError, UserError
from pipeline.files import write_json, write_npz
from pipeline.motion_clips import mirror_rotmat, read_motion_clips
from pipeline.rotations import quat_wxyz_to_rotmat, rotmat_to_rotvec
from stages.refinement.smplify.dofs import Dofs, make_dofs
from stages.refinement.smplify.mixture import Mixture, fit_mixture
from stages.refinement.smplify.prior import TURNS

LOGGER = logging.getLogger(__name__)
LEAST_FRAMES = 2
OUTERMOST = 0.0005
"""Share of poses beyond each end of a range."""


class TrainConfig(BaseModel):
    """Everything that decides what comes out, beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    components: int = Field(default=16, gt=0)
    tried: tuple[int, ...] = (1, 4, 8, 16, 32)
    """Numbers of components whose held-out likelihood goes into the report."""
    body_components: int = Field(default=8, gt=0)
    """Of the mixture in SMPLify's form."""
    floor_deg: float = Field(default=5.0, gt=0)
    """Standard deviation added to every direction: no joint is known better."""
    frames_per_clip: int = Field(default=150, gt=0)
    wide_share: float = Field(default=0.01, gt=0, lt=1)
    wide_times: float = Field(default=2.0, ge=1)
    """One more component: all poses, spread this many times as far, for what is not in the data."""
    iterations: int = Field(default=40, gt=0)
    seed: int = 0


@dataclass(frozen=True)
class Poses:
    """Poses drawn evenly from clips, and their mirror images."""

    rotmat: Float[Tensor, "n 24 3 3"]
    weight: Float[Tensor, " n"]
    """Of each; performers who were recorded for long do not count for more in proportion."""

    def body_numbers(self) -> Float[Tensor, "n 69"]:
        """Axis-angle of joints 1 to 23."""
        return rotmat_to_rotvec(self.rotmat[:, 1:]).flatten(1)

    def dof_angles_rad(self, dofs: Dofs) -> Float[Tensor, "n p"]:
        """Ways to move of the fit; joints that share a turn get the mean turn of their chain."""
        rotvec = rotmat_to_rotvec(dofs.shared(self.rotmat))
        return dofs.angles_rad(rotvec)[:, TURNS:]


def read_poses(folder: Path, frames_per_clip: int) -> Poses:
    """Every clip gives the same number of frames, evenly spread, if it is long enough.

    Raises:
        UserError: no motion in the folder.
    """
    clips = read_motion_clips(folder, LEAST_FRAMES)
    rows, weights = [], []
    for start, length, chance in zip(
        clips.start.tolist(), clips.length.tolist(), clips.chance.tolist(), strict=True
    ):
        count = min(frames_per_clip, length)
        rows.append(start + torch.linspace(0, length - 1, count).long())
        weights.append(torch.full((count,), chance / count, dtype=torch.float64))
    rotmat = quat_wxyz_to_rotmat(clips.quats_wxyz[torch.cat(rows)].double())
    weight = torch.cat(weights)
    return Poses(torch.cat([rotmat, mirror_rotmat(rotmat)]), torch.cat([weight, weight]) / 2)


def train(config: TrainConfig, training: Poses, held_out: Poses) -> tuple[dict[str, Any], Any]:
    """Arrays for the .npz and the report."""
    dofs = make_dofs()
    angles, held = training.dof_angles_rad(dofs), held_out.dof_angles_rad(dofs)
    curve = [_trial(config, k, training, angles, held_out, held) for k in config.tried]
    mixture = _widened(_mixture(config, config.components, angles, training.weight), config)
    numbers = training.body_numbers()
    body = _mixture(config, config.body_components, numbers, training.weight)
    report = {
        "settings": config.model_dump(),
        "poses": {"training": len(angles), "held_out": len(held)},
        "log_likelihood_by_components": curve,
        "shipped": _likelihoods(mixture, training, angles, held_out, held),
        "shipped_smplify_form": _likelihoods(
            body, training, numbers, held_out, held_out.body_numbers()
        ),
        "ranges": _ranges(dofs, training, angles, held),
    }
    return {**_arrays("", body), **_arrays("dof_", mixture)}, report


def _mixture(config: TrainConfig, components: int, x: Tensor, weight: Tensor) -> Mixture:
    floor = np.radians(config.floor_deg)
    return fit_mixture(x, weight, components, floor, config.iterations, config.seed)


def _widened(mixture: Mixture, config: TrainConfig) -> Mixture:
    """With the component for poses that are not in the data."""
    mean = (mixture.weights[:, None] * mixture.means).sum(0)
    away = mixture.means - mean
    spread = mixture.covars + away[:, :, None] * away[:, None]
    covar = config.wide_times**2 * (mixture.weights[:, None, None] * spread).sum(0)
    share = config.wide_share
    return Mixture(
        torch.cat([mixture.means, mean[None]]),
        torch.cat([mixture.covars, covar[None]]),
        torch.cat([(1 - share) * mixture.weights, mixture.weights.new_tensor([share])]),
    )


def _trial(
    config: TrainConfig, k: int, training: Poses, x: Tensor, held_out: Poses, held: Tensor
) -> dict[str, Any]:
    mixture = _mixture(config, k, x, training.weight)
    found = {"components": k, **_likelihoods(mixture, training, x, held_out, held)}
    LOGGER.info("%s", found)
    return found


def _likelihoods(
    mixture: Mixture, training: Poses, x: Tensor, held_out: Poses, held: Tensor
) -> dict[str, float]:
    """Mean log density per pose, in nats."""
    sets = (("training", training, x), ("held_out", held_out, held))
    return {
        name: round(float((mixture.log_density(at) * poses.weight).sum() / poses.weight.sum()), 3)
        for name, poses, at in sets
    }


def _ranges(dofs: Dofs, training: Poses, x: Tensor, held: Tensor) -> list[dict[str, Any]]:
    """Of every way to move, in degrees, and how many held-out poses lie outside, in per cent."""
    rows = []
    share = training.weight / training.weight.sum()
    for d in range(x.shape[1]):
        order = x[:, d].argsort()
        cumulated = share[order].cumsum(0)
        ends = [x[order[torch.searchsorted(cumulated, q)], d] for q in (OUTERMOST, 1 - OUTERMOST)]
        mean = (share * x[:, d]).sum()
        spread = (share * (x[:, d] - mean) ** 2).sum().sqrt()
        low, high = dofs.low_rad[d + TURNS], dofs.high_rad[d + TURNS]
        outside = ((held[:, d] < low) | (held[:, d] > high)).double().mean()
        degrees = [round(float(torch.rad2deg(v)), 1) for v in (mean, spread, *ends, low, high)]
        names = ("mean", "spread", "outermost_low", "outermost_high", "fit_low", "fit_high")
        row = {"way": dofs.names[d + TURNS], **dict(zip(names, degrees, strict=True))}
        rows.append({**row, "held_out_outside_percent": round(100 * float(outside), 2)})
    return rows


def _arrays(prefix: str, mixture: Mixture) -> dict[str, np.ndarray]:
    return {
        f"{prefix}{key}": value.numpy().astype(np.float32) for key, value in vars(mixture).items()
    }


def main(arguments: list[str]) -> int:
    """Read, train, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("motions", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config = settings(given.set)
        folders = (given.motions, given.validation)
        training, held_out = (read_poses(folder, config.frames_per_clip) for folder in folders)
        arrays, report = train(config, training, held_out)
        write_npz(given.out, arrays)
        write_json(given.out.with_suffix(".json"), report)
    except UserError as error:
        parser.exit(2, f"{error}\n")
    return 0


def settings(given: list[str]) -> TrainConfig:
    """`name=value` pairs.

    Raises:
        SettingsError: an unknown name or an impossible value.
    """
    pairs = dict(text.partition("=")[::2] for text in given)
    try:
        return TrainConfig.model_validate(pairs)
    except ValidationError as error:
        raise SettingsError(describe(error, "training", TrainConfig)) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

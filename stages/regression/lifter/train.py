"""Train the lifter: ``python -m stages.regression.lifter.train MOTIONS PAIRS VAL_PAIRS OUT``.

MOTIONS is a folder of SMPL motion, PAIRS and VAL_PAIRS are files of `film_pairs` (what BlazePose
makes of people whose truth is known); `--more-pairs` names another. `--start` goes on from other
weights. Settings by `--set name=value`. Beside OUT goes OUT.json with settings and the curve.
"""

import argparse
import copy
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from pipeline.backends import describe
from pipeline.body import load_body
from pipeline.errors import SettingsError, UserError
from pipeline.motion_clips import MotionClips, read_motion_clips
from pipeline.rotations import (
    geodesic_angle_rad,
    rotmat_between_vectors,
    rotmat_to_rot6d_columns,
)
from pipeline.safetensors_file import write_safetensors
from stages.regression.lifter import read_lifter
from stages.regression.lifter.corruption import (
    CorruptionConfig,
    as_detected,
    focal_factors,
    spoiled,
)
from stages.regression.lifter.detected import DetectedPeople, read_detected
from stages.regression.lifter.filmed import NEAREST_M, Filmed, SiteBody, film_windows
from stages.regression.lifter.network import BODY_RADIUS_M, WINDOW, Lifted, LifterNetwork, Sizes
from stages.regression.lifter.scores import Errors, errors
from stages.regression.lifter.view import View, seen_straight

LOGGER = logging.getLogger(__name__)
STATISTICS_WINDOWS = 512
HIDDEN_STD = 0.02


class TrainConfig(BaseModel):
    """Everything that decides what comes out, beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=384, gt=0)
    depth: int = Field(default=5, gt=0)
    steps: int = Field(default=5500, gt=0)
    batch: int = Field(default=128, gt=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    warm_up: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps in which the rate rises; then it falls along a cosine."""
    detected_share: float = Field(default=0.3, ge=0, le=1)
    """Windows that are what the detector saw; the others are motion with stored errors."""
    mean_decay: float = Field(default=0.998, ge=0, lt=1)
    """Of the running mean of weights, which is what is kept."""
    joints: float = 10.0
    sites: float = 5.0
    rotations: float = 2.0
    speed: float = 20.0
    picture: float = 1.0
    place: float = 1.0
    shape: float = 0.03
    spread: float = 0.1
    only_spread: bool = False
    """Learn what errors to expect of a network that is left as it is."""
    validate_every: int = Field(default=250, gt=0)
    seed: int = 0
    corruption: CorruptionConfig = CorruptionConfig()


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


def loss_of(lifted: Lifted, batch: Batch, sites: SiteBody, config: TrainConfig) -> Tensor:
    """Joints, keypoint sites, rotations, speed, picture, place and shape, weighed."""
    joints_m, sites_m = sites.points_m(lifted.pose_rotmat, lifted.betas)
    true_joints_m, true_sites_m = sites.points_m(batch.pose_rotmat, batch.betas)
    off_m = joints_m - true_joints_m
    pelvis_m = lifted.pelvis_m(batch.size)
    seen_at = _pixels(sites_m + pelvis_m[:, :, None], batch.size)
    true_at = _pixels(true_sites_m + batch.pelvis_m[:, :, None], batch.size)
    depth = batch.pelvis_m[..., 2]
    true_place = torch.cat(
        [
            batch.pelvis_m[..., :2] / (depth * batch.size[:, None])[..., None],
            (depth * batch.size[:, None] / BODY_RADIUS_M).log()[..., None],
        ],
        -1,
    )
    return (
        config.joints * off_m.norm(dim=-1).mean()
        + config.sites * (sites_m - true_sites_m).norm(dim=-1).mean()
        + config.rotations * (lifted.pose_rotmat - batch.pose_rotmat).abs().mean()
        + config.speed * off_m.diff(dim=1).norm(dim=-1).mean()
        + config.picture * (seen_at - true_at).norm(dim=-1).clamp_max(1.0).mean()
        + config.place * (lifted.place - true_place).abs().clamp_max(1.0).mean()
        + config.shape * (lifted.betas - batch.betas).square().mean()
        + config.spread * surprise(lifted, batch.pose_rotmat)[batch.seen].mean()
    )


def surprise(lifted: Lifted, pose_rotmat: Tensor) -> Tensor:
    """(b, t, 24) by the angles that the rotations are off (Laplace's density, but for a constant).

    The rotations themselves do not learn from it: they would give up what is hard.
    """
    off_rad = geodesic_angle_rad(lifted.pose_rotmat.detach(), pose_rotmat)
    return lifted.log_spread + off_rad * (-lifted.log_spread).exp()


def _pixels(points_m: Tensor, size: Tensor) -> Tensor:
    """In sizes, as `View.points`."""
    z = points_m[..., 2:].clamp_min(NEAREST_M / 2)
    return points_m[..., :2] / z / size[:, None, None, None]


def new_network(config: TrainConfig, data: Data) -> LifterNetwork:
    """Random weights by the seed; features of zero mean, and the mean pose to start from."""
    torch.manual_seed(config.seed)
    network = LifterNetwork(Sizes(config.width, config.depth))
    nn.init.normal_(network.hidden_token, std=HIDDEN_STD)
    spread = [layer for layer in network.spread if isinstance(layer, nn.Linear)][-1]
    for head in (network.pose, network.place, network.betas, spread):
        nn.init.xavier_uniform_(head.weight, gain=0.05)
        nn.init.zeros_(head.bias)
    rng = torch.Generator().manual_seed(config.seed)
    sample = batch_of(data, config.model_copy(update={"batch": STATISTICS_WINDOWS}), rng)
    features = sample.view.features()[sample.seen]
    network.feature_mean.copy_(features.mean(0))
    network.feature_std.copy_(features.std(0).clamp_min(1e-3))
    network.mean_pose_rot6d.copy_(
        rotmat_to_rot6d_columns(sample.pose_rotmat).mean((0, 1)).flatten()
    )
    return network


def train(
    config: TrainConfig,
    data: Data,
    keep: Callable[[LifterNetwork, list[Errors]], None],
    start: LifterNetwork | None = None,
) -> None:
    """The whole run, seeded; `keep` is called with the weights at every validation."""
    network = start or new_network(config, data)
    if config.only_spread:
        network.requires_grad_(False)
        network.spread.requires_grad_(True)
    kept = copy.deepcopy(network).eval()
    rng = torch.Generator().manual_seed(config.seed + 1)
    optimizer = torch.optim.AdamW(
        [weight for weight in network.parameters() if weight.requires_grad],
        config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(config, step))
    curve, begin = [], time.perf_counter()
    for step in range(1, config.steps + 1):
        loss = _step(network, batch_of(data, config, rng), data.sites, config, optimizer)
        schedule.step()
        _follow(kept, network, min(config.mean_decay, 1 - 1 / step))
        if step % config.validate_every == 0 or step == config.steps:
            curve.append(errors(kept, data.validation, data.sites, step, loss))
            LOGGER.info("%.0f s  %s", time.perf_counter() - begin, curve[-1])
            keep(kept, curve)


def _step(
    network: LifterNetwork,
    batch: Batch,
    sites: SiteBody,
    config: TrainConfig,
    optimizer: torch.optim.Optimizer,
) -> float:
    with torch.autocast("cpu", torch.bfloat16):
        lifted = network(batch.view.features(), batch.seen)
    loss = loss_of(lifted, batch, sites, config)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()


@torch.no_grad()
def _follow(kept: nn.Module, network: nn.Module, decay: float) -> None:
    for own, new in zip(kept.parameters(), network.parameters(), strict=True):
        own.lerp_(new, 1 - decay)


def rate(config: TrainConfig, step: int) -> float:
    """Share of the learning rate."""
    rising = max(1.0, config.warm_up * config.steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + cos(pi * (step - rising) / max(1.0, config.steps - rising)))


def save(path: Path, network: LifterNetwork, config: TrainConfig, curve: list[Errors]) -> None:
    """Weights in half precision, and settings and curve beside them."""
    tensors = {name: t.half().contiguous() for name, t in network.state_dict().items()}
    write_safetensors(path, tensors, {"system": "humans4d lifter", "data": "CMU motion capture"})
    record = {"settings": config.model_dump(mode="json"), "curve": [asdict(row) for row in curve]}
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")


def settings(given: list[str]) -> TrainConfig:
    """`name=value` pairs; values as in JSON, names of errors with `corruption.` before them.

    Raises:
        SettingsError: an unknown name or an impossible value.
    """
    chosen: dict[str, object] = {}
    noise: dict[str, object] = {}
    for pair in given:
        name, _, text = pair.partition("=")
        (noise if name.startswith("corruption.") else chosen)[name.split(".")[-1]] = json.loads(
            text
        )
    try:
        return TrainConfig.model_validate({**chosen, "corruption": noise})
    except ValidationError as error:
        raise SettingsError(describe(error, "training", TrainConfig)) from error


def main(arguments: list[str]) -> int:
    """Train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    for name in ("motions", "pairs", "validation", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--more-pairs", type=Path, action="append", default=[])
    parser.add_argument("--start", type=Path, help="weights to go on from, not random ones")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config, sites = settings(given.set), SiteBody(load_body())
        clips = read_motion_clips(given.motions, WINDOW)
        pairs = read_detected([given.pairs, *given.more_pairs], sites)
        train(
            config,
            Data(clips, pairs, read_detected([given.validation], sites), sites),
            lambda network, curve: save(given.out, network, config, curve),
            read_lifter(given.start).train() if given.start else None,
        )
    except UserError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

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
from dataclasses import asdict
from math import cos, pi
from pathlib import Path

import torch
from torch import nn

from pipeline.body import load_body
from pipeline.errors import UserError
from pipeline.motion_clips import read_motion_clips
from pipeline.rotations import rotmat_to_rot6d_columns
from pipeline.safetensors_file import write_safetensors
from stages.regression.lifter import read_lifter
from stages.regression.lifter.batches import Batch, Data, batch_of
from stages.regression.lifter.detected import read_detected
from stages.regression.lifter.filmed import SiteBody
from stages.regression.lifter.losses import loss_of
from stages.regression.lifter.network import WINDOW, LifterNetwork, Sizes
from stages.regression.lifter.recipe import TrainConfig, settings
from stages.regression.lifter.scores import Errors, errors

LOGGER = logging.getLogger(__name__)
STATISTICS_WINDOWS = 512
HIDDEN_STD = 0.02


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

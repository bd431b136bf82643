"""Train PoseBERT: ``python -m stages.smoothing.posebert.train MOTIONS VALIDATION OUT.safetensors``.

Losses: rotations (L1 and L2) after every layer, joints and their acceleration after the last.
Settings by `--set name=value`. Beside OUT goes OUT.json with settings and the curve. What was
trained is used with `smoothing.backend=posebert smoothing.posebert.weights=OUT.safetensors`.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.errors import UserError
from pipeline.safetensors_file import write_safetensors
from stages.smoothing.posebert.examples import batches
from stages.smoothing.posebert.losses import Skeleton, batch_loss
from stages.smoothing.posebert.motion_windows import MotionFiles, read_motions
from stages.smoothing.posebert.network import PoseBert, Sizes, shapes
from stages.smoothing.posebert.train_config import TrainConfig, settings
from stages.smoothing.posebert.validation import Errors, errors, validation_examples
from stages.smoothing.posebert.windows import WINDOW

LOGGER = logging.getLogger(__name__)
REGRESSOR_GAIN = 0.01
"""Xavier's gain of the regressor's last layer: it begins with next to no correction."""
POSITION_STD = 0.02


def new_network(config: TrainConfig) -> PoseBert:
    """Random weights by the seed, by which next to nothing is changed; or those to go on from.

    Raises:
        InputError: the file to go on from is of another network, or of another size.
    """
    torch.manual_seed(config.seed)
    sizes = Sizes(config.width, config.depth, config.heads, WINDOW, from_input=True)
    network = PoseBert(sizes=sizes, dropout=config.dropout)
    last = network.decoder.layers[0][2].fn.net[3]  # type: ignore[index]
    nn.init.xavier_uniform_(last.weight, gain=REGRESSOR_GAIN)
    nn.init.zeros_(last.bias)
    nn.init.normal_(network.pos.pe, std=POSITION_STD)
    nn.init.normal_(network.mask_token, std=POSITION_STD)
    if config.start is not None:
        network.load_state_dict(
            read_checkpoint(Path(config.start), Layout("PoseBERT", shapes(sizes=sizes)))
        )
    return network.to(config.device)


def train(
    config: TrainConfig,
    motions: MotionFiles,
    validation: MotionFiles,
    keep: Callable[["Trained"], None] = lambda trained: None,
) -> "Trained":
    """The whole run; seeded, so that the same machine repeats it.

    Args:
        config: settings.
        motions: what is learnt from.
        validation: other motions, for the curve.
        keep: called with the state after every validation.
    """
    network, skeleton = new_network(config), Skeleton(config.device)
    rng = torch.Generator().manual_seed(config.seed + 1)
    held_out = validation_examples(validation, config)
    source = batches(motions, config.batch, config.frames, config.corruption, config.uses, rng)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(config, step))
    averaged = AveragedModel(network, avg_fn=running_mean(config.average))
    mean = cast(PoseBert, averaged.module)
    curve = [errors(network, held_out, config, skeleton, 0)]
    for step in range(1, config.steps + 1):
        loss = batch_loss(network.train(), next(source), config, skeleton)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        averaged.update_parameters(network)
        if step % config.validate_every == 0 or step == config.steps:
            curve.append(errors(mean, held_out, config, skeleton, step))
            LOGGER.info("%s", curve[-1])
            keep(Trained(mean, curve))
    return Trained(mean.eval(), curve)


def running_mean(keep: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """How the mean of the weights takes in new ones: early steps are forgotten faster."""

    def updated(mean: Tensor, new: Tensor, steps: Tensor | int) -> Tensor:
        share = max(1 - keep, 9 / (10 + int(steps)))
        return mean + share * (new - mean)

    return updated


@dataclass(frozen=True)
class Trained:
    """A network and how it got there."""

    network: PoseBert
    curve: list[Errors]


def rate(config: TrainConfig, step: int) -> float:
    """Share of the learning rate."""
    rising = max(1.0, config.warm_up * config.steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + cos(pi * (step - rising) / max(1.0, config.steps - rising)))


def save(path: Path, trained: Trained, config: TrainConfig, data: str) -> None:
    """Weights under the official names, and settings and curve beside them."""
    tensors = {name: t.cpu().contiguous() for name, t in trained.network.state_dict().items()}
    write_safetensors(path, tensors, {"system": "PoseBERT, own training", "data": data})
    record = {
        "data": data,
        "settings": config.model_dump(mode="json"),
        "curve": [asdict(row) for row in trained.curve],
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")


def main(arguments: list[str]) -> int:
    """Train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("motions", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config, data = settings(given.set), f"{given.motions.parent.name}/{given.motions.name}"
        train(
            config,
            read_motions(given.motions),
            read_motions(given.validation),
            keep=lambda trained: save(given.out, trained, config, data),
        )
    except UserError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

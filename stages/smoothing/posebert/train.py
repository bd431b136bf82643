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

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from pipeline.backends import describe
from pipeline.body import load_body
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.errors import SettingsError, UserError
from pipeline.kinematics import place_joints
from pipeline.safetensors_file import write_safetensors
from stages.smoothing.posebert.corruption import CorruptionConfig
from stages.smoothing.posebert.examples import Examples, batches, make_examples
from stages.smoothing.posebert.motion_windows import MotionFiles, read_motions
from stages.smoothing.posebert.network import PoseBert, Sizes, body_tokens, pose_rotmat, shapes
from stages.smoothing.posebert.windows import WINDOW

LOGGER = logging.getLogger(__name__)
REGRESSOR_GAIN = 0.01
"""Xavier's gain of the regressor's last layer: it begins with next to no correction."""
POSITION_STD = 0.02


class TrainConfig(BaseModel):
    """Everything that decides what comes out, beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=256, gt=0)
    depth: int = Field(default=4, gt=0)
    heads: int = Field(default=4, gt=0)
    frames: int = Field(default=WINDOW, gt=3, le=WINDOW)
    steps: int = Field(default=20_000, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    batch: int = Field(default=32, gt=0)
    uses: int = Field(default=4, gt=0)
    """How often a noisy window is used, each time before another camera."""
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    average: float = Field(default=0.998, ge=0, lt=1)
    """Share of the running mean of the weights that a step keeps, less at the beginning; that mean
    is what is saved."""
    autocast: bool = True
    """Multiply in bfloat16: half the time on recent processors."""
    warm_up: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the rate rises; then it falls along a cosine."""
    joints_weight: float = Field(default=4.0, ge=0)
    """Of the mean distance of joints, in metres."""
    acceleration_weight: float = Field(default=10.0, ge=0)
    """Of the mean second difference of the joints' errors, in metres."""
    start: str | None = None
    """Weights to go on from; None: random ones."""
    validate_every: int = Field(default=500, gt=0)
    seed: int = 0
    device: str = "cpu"
    corruption: CorruptionConfig = CorruptionConfig()


@dataclass(frozen=True)
class Errors:
    """Of validation windows, pelvis and shape held; the same windows every time."""

    step: int
    loss: float
    raw_mm: float
    """Of joints as a regressor would have them, over frames that are seen."""
    filtered_mm: float
    """As the network gets them."""
    seen_mm: float
    """As they come out."""
    hidden_filtered_mm: float
    """Over frames that are hidden."""
    hidden_mm: float
    raw_acceleration_mm: float
    """Per frame squared, where three frames on end are seen."""
    filtered_acceleration_mm: float
    acceleration_mm: float


class Skeleton:
    """Joints of the embedded body."""

    def __init__(self, device: str) -> None:
        self._body = load_body("embedded", device)
        self._rest_m = self._body.with_shape(torch.zeros(10, device=device)).joints_rest_m

    def joints_m(self, rotmat: Float[Tensor, "*b 24 3 3"]) -> Float[Tensor, "*b 24 3"]:
        """The pelvis stays."""
        return place_joints(self._body.chain, self._rest_m, rotmat)[1]


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
    mean = AveragedModel(network, avg_fn=running_mean(config.average))
    curve = [errors(network, held_out, config, skeleton, 0)]
    for step in range(1, config.steps + 1):
        loss = batch_loss(network.train(), next(source), config, skeleton)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean.update_parameters(network)
        if step % config.validate_every == 0 or step == config.steps:
            curve.append(errors(mean.module, held_out, config, skeleton, step))
            LOGGER.info("%s", curve[-1])
            keep(Trained(mean.module, curve))
    return Trained(mean.module.eval(), curve)


def running_mean(keep: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """How the mean of the weights takes in new ones: early steps are forgotten faster."""

    def updated(mean: Tensor, new: Tensor, steps: Tensor) -> Tensor:
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


def batch_loss(
    network: PoseBert, examples: Examples, config: TrainConfig, skeleton: Skeleton
) -> Tensor:
    """Loss of one batch."""
    tokens, seen = body_tokens(examples.given).to(config.device), examples.seen.to(config.device)
    with torch.autocast(torch.device(config.device).type, torch.bfloat16, config.autocast):
        layers = network(tokens, seen)
    return loss_of(layers.float(), examples.truth.to(config.device), config, skeleton)


def loss_of(
    layers: Float[Tensor, "layers b t 144"],
    truth: Float[Tensor, "b t 24 3 3"],
    config: TrainConfig,
    skeleton: Skeleton,
) -> Tensor:
    """Rotations (as six numbers) of all layers, joints and acceleration of the last."""
    apart = layers - body_tokens(truth)
    joints, true_joints = (skeleton.joints_m(rotmat) for rotmat in (pose_rotmat(layers[-1]), truth))
    off = joints - true_joints
    bend = off.diff(n=2, dim=1)
    return (
        apart.abs().mean()
        + apart.square().mean()
        + config.joints_weight * off.norm(dim=-1).mean()
        + config.acceleration_weight * bend.norm(dim=-1).mean()
    )


def validation_examples(data: MotionFiles, config: TrainConfig) -> Examples:
    """128 windows, always the same."""
    rng = torch.Generator().manual_seed(config.seed + 2)
    return make_examples(data, 128, config.frames, config.corruption, rng).in_cameras(rng)


@torch.no_grad()
def errors(
    network: PoseBert, held_out: Examples, config: TrainConfig, skeleton: Skeleton, step: int
) -> Errors:
    """Of the held-out windows."""
    network.eval()
    truth, seen = held_out.truth.to(config.device), held_out.seen.to(config.device)
    layers = network(body_tokens(held_out.given).to(config.device), seen)
    places = (held_out.noisy, held_out.given, pose_rotmat(layers[-1]))
    true = 1000 * skeleton.joints_m(truth)
    raw, start, out = (1000 * skeleton.joints_m(r.to(config.device)) - true for r in places)
    around = seen[:, 2:] & seen[:, 1:-1] & seen[:, :-2]

    def mean_mm(off: Tensor, where: Tensor) -> float:
        return off.norm(dim=-1)[where].mean().item()

    return Errors(
        step,
        loss_of(layers, truth, config, skeleton).item(),
        *(mean_mm(off, seen) for off in (raw, start, out)),
        *(mean_mm(off, ~seen) for off in (start, out)),
        *(mean_mm(off.diff(n=2, dim=1), around) for off in (raw, start, out)),
    )


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


def settings(given: list[str]) -> TrainConfig:
    """`name=value` pairs; values as in JSON, names of noise with `corruption.` before them.

    Raises:
        SettingsError: an unknown name or an impossible value.
    """
    chosen: dict[str, object] = {}
    noise: dict[str, object] = {}
    for pair in given:
        name, _, text = pair.partition("=")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        (noise if name.startswith("corruption.") else chosen)[name.split(".")[-1]] = value
    try:
        return TrainConfig.model_validate({**chosen, "corruption": noise})
    except ValidationError as error:
        raise SettingsError(describe(error, "training", TrainConfig)) from error


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
        sets = (read_motions(folder) for folder in (given.motions, given.validation))
        train(config, *sets, keep=lambda trained: save(given.out, trained, config, data))
    except UserError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

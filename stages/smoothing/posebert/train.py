"""Train PoseBERT: ``python -m stages.smoothing.posebert.train MOTIONS VALIDATION OUT.safetensors``.

Losses: rotations (L1 and L2) after every layer, joints and their acceleration after the last.
Settings by `--set name=value`. Beside OUT goes OUT.json with settings and the curve. What was
trained is used with `smoothing.backend=posebert smoothing.posebert.weights=OUT.safetensors`.
"""

import argparse
import json
import logging
import sys
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from pipeline.backends import describe
from pipeline.body import load_body
from pipeline.errors import SettingsError, UserError
from pipeline.kinematics import place_joints
from pipeline.rotations import rotmat_to_rot6d_interleaved
from pipeline.safetensors_file import write_safetensors
from stages.smoothing.posebert.corruption import CorruptionConfig, corrupted
from stages.smoothing.posebert.motion_windows import UP_TO_DOWN, MotionFiles, read_motions
from stages.smoothing.posebert.network import PoseBert, Sizes, body_tokens, pose_rotmat
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
    batch: int = Field(default=128, gt=0)
    learning_rate: float = Field(default=3e-4, gt=0)
    warm_up: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the rate rises; then it falls along a cosine."""
    joints_weight: float = Field(default=2.0, ge=0)
    """Of the mean distance of joints, in metres."""
    acceleration_weight: float = Field(default=0.5, ge=0)
    """Of the mean second difference of joints, in metres. A few times more, from the first step on,
    and the network settles for one still pose per window (measured: 5.0)."""
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
    """Of joints as they come in, over frames that are seen."""
    seen_mm: float
    """Of joints as they come out, over the same frames."""
    hidden_mm: float
    raw_acceleration_mm: float
    """Per frame squared, where three frames on end are seen."""
    acceleration_mm: float


class Skeleton:
    """Joints of the embedded body."""

    def __init__(self, device: str) -> None:
        self._body = load_body("embedded", device)
        self._rest_m = self._body.with_shape(torch.zeros(10, device=device)).joints_rest_m

    def joints_m(self, rotmat: Float[Tensor, "*b 24 3 3"]) -> Float[Tensor, "*b 24 3"]:
        """The pelvis stays."""
        return place_joints(self._body.chain, self._rest_m, rotmat)[1]


def new_network(config: TrainConfig, data: MotionFiles) -> PoseBert:
    """Random weights by the seed; the first guess is the mean of the motions, upright."""
    torch.manual_seed(config.seed)
    network = PoseBert(sizes=Sizes(config.width, config.depth, config.heads))
    last = network.decoder.layers[0][2].fn.net[3]  # type: ignore[index]
    nn.init.xavier_uniform_(last.weight, gain=REGRESSOR_GAIN)
    nn.init.zeros_(last.bias)
    nn.init.normal_(network.pos.pe, std=POSITION_STD)
    nn.init.normal_(network.mask_token, std=POSITION_STD)
    rng = torch.Generator().manual_seed(config.seed)
    mean = rotmat_to_rot6d_interleaved(data.windows(256, config.frames, rng)).mean((0, 1))
    mean[0] = rotmat_to_rot6d_interleaved(UP_TO_DOWN)
    network.init_pose.copy_(mean.flatten())
    return network.to(config.device)


def train(config: TrainConfig, motions: MotionFiles, validation: MotionFiles) -> "Trained":
    """The whole run; seeded, so that the same machine repeats it."""
    network, skeleton = new_network(config, motions), Skeleton(config.device)
    rng = torch.Generator().manual_seed(config.seed + 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(config, step))
    curve = [errors(network, validation, config, skeleton, 0)]
    for step in range(1, config.steps + 1):
        loss = batch_loss(network.train(), motions, config, skeleton, rng)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % config.validate_every == 0 or step == config.steps:
            curve.append(errors(network, validation, config, skeleton, step))
            LOGGER.info("%s", curve[-1])
    return Trained(network.eval(), curve)


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
    network: PoseBert,
    data: MotionFiles,
    config: TrainConfig,
    skeleton: Skeleton,
    rng: torch.Generator,
) -> Tensor:
    """Loss of one batch of new windows."""
    truth = data.windows(config.batch, config.frames, rng)
    given = corrupted(truth, config.corruption, rng)
    truth = truth.to(config.device)
    layers = network(body_tokens(given.rotmat).to(config.device), given.seen.to(config.device))
    return loss_of(layers, truth, config, skeleton)


def loss_of(
    layers: Float[Tensor, "layers b t 144"],
    truth: Float[Tensor, "b t 24 3 3"],
    config: TrainConfig,
    skeleton: Skeleton,
) -> Tensor:
    """Rotations of all layers, joints and acceleration of the last."""
    apart = pose_rotmat(layers) - truth
    joints, true_joints = (skeleton.joints_m(rotmat) for rotmat in (pose_rotmat(layers[-1]), truth))
    off = joints - true_joints
    bend = off.diff(n=2, dim=1)
    return (
        apart.abs().mean()
        + apart.square().mean()
        + config.joints_weight * off.norm(dim=-1).mean()
        + config.acceleration_weight * bend.norm(dim=-1).mean()
    )


@torch.no_grad()
def errors(
    network: PoseBert, data: MotionFiles, config: TrainConfig, skeleton: Skeleton, step: int
) -> Errors:
    """Of 128 validation windows, always the same."""
    network.eval()
    rng = torch.Generator().manual_seed(config.seed + 2)
    truth = data.windows(128, config.frames, rng)
    given = corrupted(truth, config.corruption, rng)
    truth, seen = truth.to(config.device), given.seen.to(config.device)
    layers = network(body_tokens(given.rotmat).to(config.device), seen)
    places = (truth, given.rotmat.to(config.device), pose_rotmat(layers[-1]))
    true, raw, out = (1000 * skeleton.joints_m(rotmat) for rotmat in places)
    around = seen[:, 2:] & seen[:, 1:-1] & seen[:, :-2]
    raw_off, off = raw - true, out - true
    return Errors(
        step,
        loss_of(layers, truth, config, skeleton).item(),
        raw_off.norm(dim=-1)[seen].mean().item(),
        off.norm(dim=-1)[seen].mean().item(),
        off.norm(dim=-1)[~seen].mean().item(),
        raw_off.diff(n=2, dim=1).norm(dim=-1)[around].mean().item(),
        off.diff(n=2, dim=1).norm(dim=-1)[around].mean().item(),
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
        config = settings(given.set)
        trained = train(config, read_motions(given.motions), read_motions(given.validation))
    except UserError as error:
        parser.exit(2, f"{error}\n")
    save(given.out, trained, config, given.motions.name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

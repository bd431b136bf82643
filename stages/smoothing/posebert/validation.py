"""Errors on motions that training does not see."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stages.smoothing.posebert.examples import Examples, make_examples
from stages.smoothing.posebert.losses import Skeleton, loss_of
from stages.smoothing.posebert.motion_windows import MotionFiles
from stages.smoothing.posebert.network import PoseBert, body_tokens, pose_rotmat
from stages.smoothing.posebert.train_config import TrainConfig


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

"""What training makes small: errors of rotations, of joints, of their acceleration."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.body import load_body
from pipeline.kinematics import place_joints
from stages.smoothing.posebert.examples import Examples
from stages.smoothing.posebert.network import PoseBert, body_tokens, pose_rotmat
from stages.smoothing.posebert.train_config import TrainConfig


class Skeleton:
    """Joints of the embedded body."""

    def __init__(self, device: str) -> None:
        self._body = load_body("embedded", device)
        self._rest_m = self._body.with_shape(torch.zeros(10, device=device)).joints_rest_m

    def joints_m(self, rotmat: Float[Tensor, "*b 24 3 3"]) -> Float[Tensor, "*b 24 3"]:
        """The pelvis stays."""
        return place_joints(self._body.chain, self._rest_m, rotmat)[1]


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

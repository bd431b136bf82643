"""HMR's network (Kanazawa et al. 2018): image features, then a regressor that improves a guess.

Tensors have the names and layouts of the official TensorFlow checkpoint, in files and tests;
convolutions are turned into PyTorch's layout when the network is built around them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pipeline.rotations import rotvec_to_rotmat
from stages.regression._full_precision import full_precision
from stages.regression.hmr.dense import Dense
from stages.regression.hmr.resnet import FEATURE_SIZE, ResNet50V2
from stages.regression.hmr.variables import take_variables, variable_shapes

CAMERA_SIZE, POSE_SIZE, BETA_COUNT = 3, 72, 10
THETA_SIZE = CAMERA_SIZE + POSE_SIZE + BETA_COUNT
WIDTH = 1024
ITERATIONS = 3
PREFIXES = ("resnet_v2_50/", "3D_module/", "mean_param")
"""What of an official checkpoint the network needs; the rest is SMPL itself or serves training."""
TRAINING_ENDINGS = ("/Adam", "/Adam_1", "/Momentum", "/ExponentialMovingAverage")


@dataclass(frozen=True)
class Theta:
    """The 85 numbers, taken apart."""

    crop_camera: Float[Tensor, "b 3"]
    """Scale and x, y shift (s, tx, ty) of a weak-perspective camera."""
    pose_rotvec: Float[Tensor, "b 72"]
    """Root and 23 body rotations, axis-angle."""
    betas: Float[Tensor, "b 10"]

    @classmethod
    def of(cls, theta: Float[Tensor, "b 85"]) -> "Theta":
        """Take them apart; the camera comes first."""
        return cls(*theta.split((CAMERA_SIZE, POSE_SIZE, BETA_COUNT), dim=1))

    @property
    def pose_rotmat(self) -> Float[Tensor, "b 24 3 3"]:
        """Root and 23 body rotations."""
        return rotvec_to_rotmat(self.pose_rotvec.unflatten(1, (24, 3)))


class Regressor(nn.Module):
    """One round of improvement."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = Dense(FEATURE_SIZE + THETA_SIZE, WIDTH)
        self.fc2 = Dense(WIDTH, WIDTH)
        self.fc3 = Dense(WIDTH, THETA_SIZE)

    def forward(
        self, features: Float[Tensor, "b 2048"], theta: Float[Tensor, "b 85"]
    ) -> Float[Tensor, "b 85"]:
        """The improved guess."""
        hidden = functional.relu(self.fc1(torch.cat([features, theta], dim=1)))
        return theta + self.fc3(functional.relu(self.fc2(hidden)))


class Hmr(nn.Module):
    """Backbone, regressor and the mean guess, under their official names."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet_v2_50 = ResNet50V2()
        self.add_module("3D_module", Regressor())
        self.mean_param = nn.Parameter(torch.empty(1, THETA_SIZE))

    @property
    def regressor(self) -> nn.Module:
        """What the checkpoint calls 3D_module."""
        return self.get_submodule("3D_module")

    def forward(self, images: Float[Tensor, "b 3 224 224"]) -> Theta:
        """Crops of -1 to 1 to camera, pose, betas."""
        with full_precision():
            features = self.resnet_v2_50(images)
        theta = self.mean_param.expand(len(images), -1)
        for _ in range(ITERATIONS):
            theta = self.regressor(features, theta)
        return Theta.of(theta)

    def in_precision(self, dtype: torch.dtype) -> "Hmr":
        """The network in that kind of number, its kernels laid out as crops are: channels last."""
        return self.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def empty_network() -> Hmr:
    """The network's names and shapes without any numbers."""
    with torch.device("meta"):
        return Hmr().eval().requires_grad_(False)


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables that an official checkpoint must bring."""
    return variable_shapes(empty_network())


def network_with(variables: Mapping[str, Tensor]) -> Hmr:
    """The network around these variables of the official checkpoint."""
    network = empty_network()
    take_variables(network, variables)
    return network

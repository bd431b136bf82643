"""SPIN's network (Kolotouros et al. 2019): image features, then a regressor that improves a guess.

Its regressor has no activation between the linear layers, unlike HMR's, from which it descends.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.rotations import rot6d_interleaved_to_rotmat
from stages.regression._full_precision import full_precision
from stages.regression.spin.resnet import FEATURE_SIZE, ResNet50

POSE_SIZE, BETA_COUNT, CAMERA_SIZE = 144, 10, 3
THETA_SIZE = POSE_SIZE + BETA_COUNT + CAMERA_SIZE
WIDTH = 1024
ITERATIONS = 3


@dataclass(frozen=True)
class Theta:
    """What the regressor estimates, taken apart."""

    pose_rot6d: Float[Tensor, "b 144"]
    """Interleaved: of each joint m00 m01 m10 m11 m20 m21."""
    betas: Float[Tensor, "b 10"]
    crop_camera: Float[Tensor, "b 3"]
    """Scale and x, y shift (s, tx, ty) of a weak-perspective camera."""

    @classmethod
    def of(cls, theta: Float[Tensor, "b 157"]) -> "Theta":
        """Take it apart."""
        return cls(*theta.split((POSE_SIZE, BETA_COUNT, CAMERA_SIZE), dim=1))

    @property
    def pose_rotmat(self) -> Float[Tensor, "b 24 3 3"]:
        """Root and 23 body rotations."""
        return rot6d_interleaved_to_rotmat(self.pose_rot6d.unflatten(1, (24, 6)))


class Spin(ResNet50):
    """Backbone and regressor under their official names, all at the top level."""

    init_pose: Tensor
    init_shape: Tensor
    init_cam: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(FEATURE_SIZE + THETA_SIZE, WIDTH)
        self.fc2 = nn.Linear(WIDTH, WIDTH)
        self.decpose = nn.Linear(WIDTH, POSE_SIZE)
        self.decshape = nn.Linear(WIDTH, BETA_COUNT)
        self.deccam = nn.Linear(WIDTH, CAMERA_SIZE)
        self.register_buffer("init_pose", torch.empty(1, POSE_SIZE))
        self.register_buffer("init_shape", torch.empty(1, BETA_COUNT))
        self.register_buffer("init_cam", torch.empty(1, CAMERA_SIZE))

    def forward(
        self,
        images: Float[Tensor, "b 3 224 224"],
        start: Float[Tensor, "b 157"] | None = None,
        iterations: int = ITERATIONS,
    ) -> Theta:
        """Normalised crops to pose, betas, camera.

        Args:
            images: RGB crops, normalised.
            start: The first guess; None: the mean that came with the weights.
            iterations: How often the guess is improved.
        """
        with full_precision():
            features = self.features(images)
        theta = self.mean_theta.expand(len(images), -1) if start is None else start
        for _ in range(iterations):
            theta = self.improved(features, theta)
        return Theta.of(theta)

    def in_precision(self, dtype: torch.dtype) -> "Spin":
        """The network in that kind of number, its kernels laid out as crops are: channels last."""
        return self.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def mean_theta(self) -> Float[Tensor, "1 157"]:
        """The mean pose, shape and camera."""
        return torch.cat([self.init_pose, self.init_shape, self.init_cam], dim=1)

    def improved(
        self, features: Float[Tensor, "b 2048"], theta: Float[Tensor, "b 157"]
    ) -> Float[Tensor, "b 157"]:
        """One round of the regressor."""
        hidden = self.fc2(self.fc1(torch.cat([features, theta], dim=1)))
        change = [self.decpose(hidden), self.decshape(hidden), self.deccam(hidden)]
        return theta + torch.cat(change, dim=1)


def empty_network() -> Spin:
    """The network's names and shapes without any numbers."""
    with torch.device("meta"):
        return Spin().eval().requires_grad_(False)


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that an official checkpoint must bring."""
    return {name: tuple(tensor.shape) for name, tensor in empty_network().state_dict().items()}


def network_with(tensors: Mapping[str, Tensor]) -> Spin:
    """The network around these very tensors; nothing is copied."""
    network = empty_network()
    network.load_state_dict(dict(tensors), strict=True, assign=True)
    return network

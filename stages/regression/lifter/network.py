"""The lifter: a small network over time from keypoints to bodies.

One token per frame; each layer mixes frames, then channels, by small perceptrons (Tolstikhin et
al. 2021, "MLP-Mixer"; for motion Guo et al. 2023, "Back to MLP"). Every frame's pose comes as a
correction of the mean pose; the shape is one for the window. That 2D keypoints over time tell 3D
is Pavllo et al. 2019 ("3D human pose estimation in video"). How far off each rotation may be is
learnt beside it, as a density's width (Kendall and Gal 2017, "What uncertainties do we need").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pipeline.rotations import rot6d_columns_to_rotmat
from stages.regression.lifter.view import FEATURES

WINDOW = 32
"""Frames, at `FPS`."""
FPS = 30.0
BODY_RADIUS_M = 0.5
"""A body's points lie about this far from its middle: the first guess of depth."""
JOINTS, PLACE_NUMBERS, BETAS = 24, 3, 10
POSE_NUMBERS = JOINTS * 6
SPREAD_WIDTH = 128
FIRST_SPREAD_RAD = 0.18
"""What the network says of its errors before it has learnt anything of them."""


@dataclass(frozen=True)
class Sizes:
    """How large the network is."""

    width: int = 384
    depth: int = 5
    channel_factor: int = 2
    """Hidden width of the perceptron over channels, in widths."""
    frame_factor: int = 2
    """The same over frames, in windows."""


@dataclass(frozen=True)
class Lifted:
    """Bodies in the axes of `View`: z along the ray through the person's middle."""

    pose_rotmat: Float[Tensor, "b t 24 3 3"]
    betas: Float[Tensor, "b 10"]
    place: Float[Tensor, "b t 3"]
    """Of the pelvis: x and y in sizes at its depth, logarithm of depth times size over
    `BODY_RADIUS_M`."""
    log_spread: Float[Tensor, "b t 24"]
    """Logarithm of the error to expect of each rotation, radians."""

    def pelvis_m(self, size: Float[Tensor, " b"]) -> Float[Tensor, "b t 3"]:
        """Metres in the axes of the view."""
        depth_m = BODY_RADIUS_M * self.place[..., 2:].exp() / size[:, None, None]
        across_m = self.place[..., :2] * size[:, None, None] * depth_m
        return torch.cat([across_m, depth_m], -1)


class MixerLayer(nn.Module):
    """Frames among themselves, then the channels of each frame."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.norm_frames = nn.LayerNorm(sizes.width)
        self.frames = _perceptron(WINDOW, sizes.frame_factor * WINDOW, WINDOW)
        self.norm_channels = nn.LayerNorm(sizes.width)
        self.channels = _perceptron(sizes.width, sizes.channel_factor * sizes.width, sizes.width)

    def forward(self, tokens: Float[Tensor, "b t c"]) -> Float[Tensor, "b t c"]:
        """Both as corrections."""
        tokens = tokens + self.frames(self.norm_frames(tokens).mT).mT
        return tokens + self.channels(self.norm_channels(tokens))


class LifterNetwork(nn.Module):
    """Keypoints of `WINDOW` frames to bodies."""

    feature_mean: Tensor
    feature_std: Tensor
    mean_pose_rot6d: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.read = _perceptron(FEATURES, 2 * width, width)
        self.hidden_token = nn.Parameter(torch.zeros(width))
        self.layers = nn.Sequential(*(MixerLayer(sizes) for _ in range(sizes.depth)))
        self.norm = nn.LayerNorm(width)
        self.pose = nn.Linear(width, POSE_NUMBERS)
        self.place = nn.Linear(width, PLACE_NUMBERS)
        self.betas = nn.Linear(width, BETAS)
        self.spread = _perceptron(width, SPREAD_WIDTH, JOINTS)
        self.register_buffer("feature_mean", torch.zeros(FEATURES))
        self.register_buffer("feature_std", torch.ones(FEATURES))
        self.register_buffer("mean_pose_rot6d", torch.zeros(POSE_NUMBERS))

    def forward(self, features: Float[Tensor, "b t f"], seen: Bool[Tensor, "b t"]) -> Lifted:
        """Bodies of every frame, of those not `seen` too."""
        tokens = self.read((features - self.feature_mean) / self.feature_std)
        tokens = torch.where(seen[..., None], tokens, self.hidden_token.to(tokens.dtype))
        tokens = self.norm(self.layers(tokens))
        pose = self.pose(tokens).float() + self.mean_pose_rot6d
        return Lifted(
            rot6d_columns_to_rotmat(pose.unflatten(-1, (24, 6))),
            self.betas(tokens.mean(1)).float(),
            self.place(tokens).float(),
            self.spread(tokens.detach()).float() + log(FIRST_SPREAD_RAD),
        )


def shapes_of(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of a network of these sizes."""
    with torch.device("meta"):
        network = LifterNetwork(sizes)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def sizes_in(shapes: Mapping[str, tuple[int, ...]]) -> Sizes:
    """Sizes of the network that has these weights; the usual ones where they do not tell."""
    usual = Sizes()
    width = shapes.get("hidden_token", (usual.width,))[0]
    depth = sum(name.endswith(".norm_frames.weight") for name in shapes)
    channels = shapes.get("layers.0.channels.0.weight", (usual.channel_factor * width,))[0]
    frames = shapes.get("layers.0.frames.0.weight", (usual.frame_factor * WINDOW,))[0]
    return Sizes(width, depth or usual.depth, max(channels // width, 1), max(frames // WINDOW, 1))


def _perceptron(given: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(given, hidden), nn.GELU(), nn.Linear(hidden, out))

"""PHALP's pose predictor (LART's transformer): a few seen poses to the pose of the next frame.

Up to 125 frames from a track's oldest record on; frames without a record become a learned token.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor, nn

from pipeline.checkpoints import Shapes
from pipeline.rotations import rot6d_columns_to_rotmat
from stages.tracking.phalp.features import POSE_SIZE

FRAMES = 125
HEADS, HEAD_WIDTH = 16, 64
ROUNDS = 3
UNSEEN_SCORE = -1e3
TINY = 1e-10
PREFIXES = tuple(
    f"encoder.{name}"
    for name in (
        "mask_token",
        "class_token",
        "pos_embedding_learned",
        "pose_shape_encoder.",
        "transformer1.",
        "transformer2.",
        "conv_en.",
        "conv_de.",
        "smpl_head.",
        "loca_head.",
        "action_head_ava.",
    )
)
"""What of an official checkpoint plays a part in the prediction."""


@dataclass(frozen=True)
class Sizes:
    """How large a predictor is; the released one's sizes are its file's."""

    width: int = 512
    middle: int = POSE_SIZE
    mlp: int = 512
    depth: int = 16
    actions: int = 60


class Attention(nn.Module):
    """Every frame asks all frames, or those that were seen."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        inner = HEADS * HEAD_WIDTH
        self.to_qkv = nn.Linear(sizes.width, 3 * inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, sizes.width))

    def forward(self, x: Float[Tensor, "b t c"], seen: Bool[Tensor, "b t"] | None) -> Tensor:
        """Scores of unseen frames are replaced by -1000."""
        parts = self.to_qkv(x).unflatten(-1, (3, HEADS, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)
        query, key, value = parts
        scores = query @ key.mT * HEAD_WIDTH**-0.5
        if seen is not None:
            scores = scores.masked_fill(~seen[:, None, None, :], UNSEEN_SCORE)
        mixed = scores.softmax(dim=-1) @ value
        out: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return out


class Mlp(nn.Module):
    """Linear, exact GELU, linear; the official one has a dropout at place 2, hence net.3."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(sizes.width, sizes.mlp),
            nn.GELU(),
            nn.Identity(),
            nn.Linear(sizes.mlp, sizes.width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Frame by frame."""
        out: Tensor = self.net(x)
        return out


class Normed(nn.Module):
    """A layer norm and what follows it."""

    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn

    def forward(self, x: Tensor, *rest: Tensor | None) -> Tensor:
        """What follows, on what is normalised."""
        out: Tensor = self.fn(self.norm(x), *rest)
        return out


class Transformer(nn.Module):
    """Attention and MLP, each added to what came in."""

    def __init__(self, sizes: Sizes, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([Normed(sizes.width, Attention(sizes)), Normed(sizes.width, Mlp(sizes))])
            for _ in range(depth)
        )

    def forward(self, x: Tensor, seen: Bool[Tensor, "b t"] | None = None) -> Tensor:
        """No norm at the end."""
        for layer in self.layers:
            x = layer[0](x, seen) + x  # type: ignore[index]
            x = layer[1](x) + x  # type: ignore[index]
        return x


class SmplHead(nn.Module):
    """Three rounds from the mean body, as HMR's regressor, but with ReLU after both layers."""

    init_body_pose: Tensor
    init_betas: Tensor
    init_cam: Tensor
    decpose: nn.Linear
    decshape: nn.Linear
    deccam: nn.Linear

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        outputs = {"decpose": 144, "decshape": 10, "deccam": 3}
        self.fc1 = nn.Linear(sizes.width + sum(outputs.values()), 1024)
        self.fc2 = nn.Linear(1024, 1024)
        for name, size in outputs.items():
            setattr(self, name, nn.Linear(1024, size))
        for name, size in (("init_body_pose", 144), ("init_betas", 10), ("init_cam", 3)):
            self.register_buffer(name, torch.empty(1, size))

    def forward(self, x: Float[Tensor, "n c"]) -> tuple[Tensor, Tensor, Tensor]:
        """Six numbers a joint, shape, camera."""
        pose, betas, camera = (
            start.expand(len(x), -1)
            for start in (self.init_body_pose, self.init_betas, self.init_cam)
        )
        for _ in range(ROUNDS):
            inner = self.fc1(torch.cat([x, pose, betas, camera], dim=1)).relu()
            inner = self.fc2(inner).relu()
            pose = pose + self.decpose(inner)
            betas = betas + self.decshape(inner)
            camera = camera + self.deccam(inner)
        return pose, betas, camera


class Encoder(nn.Module):
    """Everything, under the official names."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.mask_token = nn.Parameter(torch.empty(width))
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embedding_learned1 = nn.Parameter(torch.empty(1, FRAMES, width))
        self.pos_embedding_learned2 = nn.Parameter(torch.empty(1, FRAMES, width))
        self.pose_shape_encoder = nn.Sequential(
            nn.Linear(POSE_SIZE, sizes.middle), nn.ReLU(), nn.Linear(sizes.middle, width)
        )
        self.transformer1 = Transformer(sizes, sizes.depth)
        self.transformer2 = Transformer(sizes, 1)
        self.conv_en = nn.Conv1d(width, width, 7, stride=5, padding=1)
        self.conv_de = nn.ConvTranspose1d(width, width, 7, stride=5, padding=1)
        self.smpl_head = nn.ModuleList([SmplHead(sizes)])
        loca = [nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()]
        self.loca_head = nn.ModuleList([nn.Sequential(*loca, nn.Linear(width, 3))])
        self.action_head_ava = nn.ModuleList([nn.Sequential(nn.Linear(width, sizes.actions))])


class PosePredictor(nn.Module):
    """The network with the statistics that its input is standardised by."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.encoder = Encoder(sizes)
        self.mean, self.deviation = torch.zeros(POSE_SIZE), torch.ones(POSE_SIZE)

    def standardised_by(self, mean: np.ndarray, deviation: np.ndarray) -> "PosePredictor":
        """The same with mean and deviation of the first numbers of a pose vector."""
        self.mean[: len(mean)] = torch.from_numpy(mean).float()
        self.deviation[: len(deviation)] = torch.from_numpy(deviation).float()
        return self

    def embedded(self, poses: Float[Tensor, "b t 229"]) -> Tensor:
        """Standardised poses through the input network."""
        mean, deviation = self.mean.to(poses), self.deviation.to(poses)
        out: Tensor = self.encoder.pose_shape_encoder((poses - mean) / (deviation + TINY))
        return out

    def attended(self, embedded: Tensor, seen: Bool[Tensor, "b t"]) -> Tensor:
        """After the first transformer."""
        net = self.encoder
        x = torch.where(seen[..., None], embedded, net.mask_token) + net.pos_embedding_learned1
        out: Tensor = net.transformer1(x, seen)
        return out

    def convolved(self, attended: Tensor) -> Tensor:
        """After the convolutions over time."""
        out: Tensor = self.encoder.conv_de(self.encoder.conv_en(attended.mT)).mT
        return out

    def forward(self, poses: Float[Tensor, "b t 229"], seen: Bool[Tensor, "b t"]) -> Tensor:
        """Features of all 125 frames."""
        x = self.convolved(self.attended(self.embedded(poses), seen))
        out: Tensor = self.encoder.transformer2(x + self.encoder.pos_embedding_learned2)
        return out

    def pose_of(self, features: Float[Tensor, "n c"]) -> Float[Tensor, "n 229"]:
        """Pose vectors read off features; the camera comes from a head of its own."""
        pose, betas, _ = self.encoder.smpl_head[0](features)
        rotmat = rot6d_columns_to_rotmat(pose.unflatten(-1, (24, 6)))
        return torch.cat([rotmat.flatten(1), betas, self.encoder.loca_head[0](features)], dim=1)

    @torch.inference_mode()
    def predict(
        self,
        poses: Float[np.ndarray, "n h 229"],
        frame: Int64[np.ndarray, "n h"],
        frames_since_seen: Int64[np.ndarray, " n"],
    ) -> Float64[np.ndarray, "n 229"]:
        """Each track's pose in the next frame, read at the track's own time."""
        layout = laid_out(frame, frames_since_seen)
        dtype = self.encoder.mask_token.dtype
        given = torch.zeros((len(poses), FRAMES, POSE_SIZE), dtype=dtype)
        seen = torch.zeros(given.shape[:2], dtype=torch.bool)
        for record in range(poses.shape[1]):
            rows, places = np.arange(len(poses)), layout.position[:, record]
            given[rows, places] = torch.from_numpy(np.asarray(poses[:, record])).to(dtype)
            seen[rows, places] = True
        features = self(given, seen)[np.arange(len(poses)), layout.query]
        return self.pose_of(features).double().numpy()


@dataclass(frozen=True)
class Layout:
    """Where in the 125 frames the records of n tracks lie, and where to read."""

    position: Int64[np.ndarray, "n h"]
    query: Int64[np.ndarray, " n"]


def laid_out(frame: Int64[np.ndarray, "n h"], frames_since_seen: Int64[np.ndarray, " n"]) -> Layout:
    """Positions from the oldest record on; what lies beyond the last frame is put there."""
    position = np.minimum(frame - frame[:, :1], FRAMES - 1)
    query = np.minimum(position[:, -1] + frames_since_seen + 1, FRAMES - 1)
    return Layout(position, query)


def shapes(sizes: Sizes = Sizes()) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a checkpoint of this size must bring."""
    with torch.device("meta"):
        network = PosePredictor(sizes)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def sizes_in(found: Shapes) -> Sizes:
    """Sizes of a checkpoint, from its names and shapes; what lacks is taken as by default."""
    first = found.get("encoder.pose_shape_encoder.0.weight", (POSE_SIZE, POSE_SIZE))[0]
    width = found.get("encoder.mask_token", (Sizes.width,))[0]
    mlp = found.get("encoder.transformer1.layers.0.1.fn.net.0.weight", (Sizes.mlp,))[0]
    actions = found.get("encoder.action_head_ava.0.0.weight", (Sizes.actions,))[0]
    start = "encoder.transformer1.layers."
    depth = 1 + max(
        (int(n[len(start) :].split(".")[0]) for n in found if n.startswith(start)),
        default=Sizes.depth - 1,
    )
    return Sizes(width, first, mlp, depth, actions)


def predictor_with(tensors: Mapping[str, Tensor]) -> PosePredictor:
    """The network around these tensors, its sizes theirs."""
    sizes = sizes_in({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    with torch.device("meta"):
        network = PosePredictor(sizes)
    network.mean, network.deviation = torch.zeros(POSE_SIZE), torch.ones(POSE_SIZE)
    network.load_state_dict(dict(tensors), strict=True, assign=True)
    return network.eval().requires_grad_(False)

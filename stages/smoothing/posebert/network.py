"""PoseBERT's network (Baradel et al., 3DV 2021 and TPAMI 2022), under its official names.

A transformer over the frames of a window. Hidden frames become one learned token; attention skips
them as keys, so they are filled from the others. After each of the four layers one regressor,
shared by all, corrects a guess of the pose, from the mean pose on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from pipeline.rotations import rot6d_interleaved_to_rotmat, rotmat_to_rot6d_interleaved

HEAD_WIDTH = 64
MOST_FRAMES = 1024
POSE_SIZE = 144
"""24 joints, six numbers each, interleaved: m00 m01 m10 m11 m20 m21."""
BODY_INPUT, SKELETON_INPUT = POSE_SIZE, 6 + 16 * 3
"""`posebert_smpl` reads 24 rotations, `posebert_h36m` a root rotation and 16 joints."""


@dataclass(frozen=True)
class Sizes:
    """How large a network is and where it starts; by default as the published one."""

    width: int = 512
    depth: int = 4
    heads: int = 8
    positions: int = MOST_FRAMES
    """Longest window."""
    from_input: bool = False
    """The first guess of a frame's pose is what came in, not the mean pose: then what came in for
    hidden frames must be a guess too. The authors start their translation so (TPAMI, hands)."""


PUBLISHED = Sizes()


class Attention(nn.Module):
    """Every frame asks all frames that are not hidden."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        inner = sizes.heads * HEAD_WIDTH
        self.to_qkv = nn.Linear(sizes.width, 3 * inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, sizes.width))

    def forward(self, x: Float[Tensor, "b t width"], key_bias: Float[Tensor, "b t"]) -> Tensor:
        """`key_bias` is 0 for seen frames, the lowest number for hidden ones."""
        parts = self.to_qkv(x).chunk(3, dim=-1)
        query, key, value = (p.unflatten(-1, (-1, HEAD_WIDTH)).transpose(1, 2) for p in parts)
        bias = key_bias[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        out: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return out


class TwoLayers(nn.Module):
    """Linear, exact GELU, linear."""

    def __init__(self, size_in: int, inner: int, size_out: int, dropout: float) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(size_in, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, size_out)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Last axis in, last axis out."""
        out: Tensor = self.net(x)
        return out


class Normed(nn.Module):
    """A layer norm and what follows it."""

    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn


class Decoder(nn.Module):
    """The layers; the third part of each is the same regressor."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        width = sizes.width
        regressor = Normed(width, TwoLayers(width + POSE_SIZE, width, POSE_SIZE, dropout))
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    Normed(width, Attention(sizes)),
                    Normed(width, TwoLayers(width, width, width, dropout)),
                    regressor,
                ]
            )
            for _ in range(sizes.depth)
        )

    def forward(
        self, x: Float[Tensor, "b t width"], pose: Float[Tensor, "b t 144"], key_bias: Tensor
    ) -> Float[Tensor, "layers b t 144"]:
        """The pose after every layer."""
        poses = []
        for layer in self.layers:
            attend, think, regress = cast(Iterable[Normed], layer)
            x = x + attend.fn(attend.norm(x), key_bias)
            x = x + think.fn(think.norm(x))
            pose = pose + regress.fn(torch.cat([regress.norm(x), pose], dim=-1))
            poses.append(pose)
        return torch.stack(poses)


class Positions(nn.Module):
    """A learned vector for each place in the window."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.pe = nn.Parameter(torch.zeros(1, sizes.positions, sizes.width))


class PoseBert(nn.Module):
    """Noisy frames in, poses out."""

    init_pose: Tensor | None
    """The mean pose, (1, 1, 144); None: the network starts from its input."""

    def __init__(
        self, input_size: int = BODY_INPUT, sizes: Sizes = PUBLISHED, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.mask_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        start = None if sizes.from_input else torch.zeros(1, 1, POSE_SIZE)
        self.register_buffer("init_pose", start)
        self.pos = Positions(sizes)
        self.emb = nn.Linear(input_size, sizes.width)
        self.decoder = Decoder(sizes, dropout)

    def forward(
        self, tokens: Float[Tensor, "b t d"], seen: Bool[Tensor, "b t"]
    ) -> Float[Tensor, "layers b t 144"]:
        """Poses, in six numbers a joint, after every layer; the last is the result.

        Args:
            tokens: `body_tokens` or `skeleton_tokens`; of frames that are not seen anything, or
                a guess where the network starts from its input.
            seen: False for hidden frames.
        """
        x = torch.where(seen[..., None], self.emb(tokens), self.mask_token)
        x = x + self.pos.pe[:, : x.shape[1]]
        key_bias = torch.zeros_like(x[..., 0]).masked_fill(~seen, torch.finfo(x.dtype).min)
        start = tokens if self.init_pose is None else self.init_pose.expand(*x.shape[:2], -1)
        out: Tensor = self.decoder(x, start, key_bias)
        return out


def body_tokens(pose_rotmat: Float[Tensor, "*b 24 3 3"]) -> Float[Tensor, "*b 144"]:
    """What `posebert_smpl` reads of a frame: local rotations, the root's in the camera."""
    return rotmat_to_rot6d_interleaved(pose_rotmat).flatten(-2)


def skeleton_tokens(
    root_rotmat: Float[Tensor, "*b 3 3"], joints_m: Float[Tensor, "*b 17 3"]
) -> Float[Tensor, "*b 54"]:
    """What `posebert_h36m` reads of a frame: joints in the root's axes, but the hip."""
    return torch.cat(
        [rotmat_to_rot6d_interleaved(root_rotmat), joints_m[..., 1:, :].flatten(-2)], dim=-1
    )


def pose_rotmat(pose6d: Float[Tensor, "*b 144"]) -> Float[Tensor, "*b 24 3 3"]:
    """Rotations of a result."""
    return rot6d_interleaved_to_rotmat(pose6d.unflatten(-1, (24, 6)))


def empty_network(input_size: int = BODY_INPUT, sizes: Sizes = PUBLISHED) -> PoseBert:
    """The network's names and shapes without any numbers."""
    with torch.device("meta"):
        return PoseBert(input_size, sizes).eval().requires_grad_(False)


def shapes(input_size: int = BODY_INPUT, sizes: Sizes = PUBLISHED) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that a checkpoint must bring."""
    entries = empty_network(input_size, sizes).state_dict().items()
    return {name: tuple(tensor.shape) for name, tensor in entries}


def sizes_in(found: Mapping[str, tuple[int, ...]]) -> Sizes:
    """How large the network of a file is; the published sizes where the file does not tell."""
    inside, places = (found.get(name) for name in ("decoder.layers.0.0.fn.to_qkv.weight", "pos.pe"))
    match inside, places:
        case (inner, width), (_, positions, _):
            heads = max(1, inner // (3 * HEAD_WIDTH))
        case _:
            return PUBLISHED
    depth = sum(name.endswith(".0.fn.to_qkv.weight") for name in found)
    return Sizes(width, depth, heads, positions, from_input="init_pose" not in found)


def network_with(tensors: Mapping[str, Tensor]) -> PoseBert:
    """The network around these very tensors; nothing is copied."""
    sizes = sizes_in({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    network = empty_network(tensors["emb.weight"].shape[1], sizes)
    network.load_state_dict(dict(tensors), strict=True, assign=True)
    return network.requires_grad_(False)


def shared_names(depth: int = PUBLISHED.depth) -> dict[str, str]:
    """Names of the regressor in the later layers, each with its name in layer 0."""
    first = "decoder.layers.0.2."
    names = [name for name in shapes() if name.startswith(first)]
    return {
        f"decoder.layers.{layer}.2.{name.removeprefix(first)}": name
        for layer in range(1, depth)
        for name in names
    }

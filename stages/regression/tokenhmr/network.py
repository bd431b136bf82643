"""TokenHMR whole (Dwivedi et al. 2024, arXiv 2404.16752): a crop in; pose, shape, camera out.

HMR2's backbone and decoder; the pose of 21 joints is a mixture of codes that a tokenizer learned
from motion capture, so it is a pose that bodies take. Attribute names are the checkpoint's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.rotations import rot6d_rows_to_rotmat
from stages.regression._query_decoder import POSE_SIZE, WIDTH, Decoder, context_in_precision
from stages.regression._vit import BLOCK_COUNT, ViT
from stages.regression.tokenhmr.classifier import TokenClassifier
from stages.regression.tokenhmr.sizes import (
    ClassifierSizes,
    Shapes,
    TokenizerSizes,
    classifier_sizes,
    tokenizer_sizes,
)
from stages.regression.tokenhmr.tokenizer import BODY_JOINT_COUNT, Tokenizer

PREFIXES = ("backbone.", "smpl_head.")
"""What of an official checkpoint the network needs; the rest serves training or is SMPL itself."""
TOKENIZER_PREFIXES = ("quantizer.codebook", "decoder.decoder.")
"""What of `tokenizer.pth` the network needs."""
HAND_JOINT_COUNT = 2


@dataclass(frozen=True)
class Prediction:
    """What TokenHMR says about b crops."""

    pose_rot6d: Float[Tensor, "b 144"]
    """24 rotations as two rows each, before they are made orthonormal."""
    betas: Float[Tensor, "b 10"]
    crop_camera: Float[Tensor, "b 3"]
    """Scale and x, y shift (s, tx, ty) in the square crop, weak perspective."""

    @property
    def pose_rotmat(self) -> Float[Tensor, "b 24 3 3"]:
        """Root and 23 body rotations."""
        return rot6d_rows_to_rotmat(self.pose_rot6d.unflatten(-1, (24, 6)))


class SmplHead(nn.Module):
    """Image tokens to root, hands, shape, camera, and the probabilities of the pose's codes."""

    init_body_pose: Tensor
    init_betas: Tensor
    init_cam: Tensor

    def __init__(self, sizes: ClassifierSizes) -> None:
        super().__init__()
        self.transformer = Decoder()
        self.decpose_grot = nn.Linear(WIDTH, 6)
        self.decpose = TokenClassifier(sizes)
        self.decpose_hands = nn.Linear(WIDTH, 6 * HAND_JOINT_COUNT)
        self.decshape = nn.Linear(WIDTH, 10)
        self.deccam = nn.Linear(WIDTH, 3)
        self.register_buffer("init_body_pose", torch.empty(1, POSE_SIZE))
        self.register_buffer("init_betas", torch.empty(1, 10))
        self.register_buffer("init_cam", torch.empty(1, 3))

    def forward(self, context: Float[Tensor, "b n c"], tokenizer: Tokenizer) -> Prediction:
        """Read-outs, added to the mean parameters.

        The mean pose is stored in another layout of the six numbers (two columns, interleaved)
        than the rows it is added to: so the network was trained, so it stays.
        """
        token = self.transformer(context)
        body = tokenizer(self.decpose(token)).flatten(1)
        pose = torch.cat([self.decpose_grot(token), body, self.decpose_hands(token)], dim=1)
        return Prediction(
            pose_rot6d=self.init_body_pose + pose,
            betas=self.init_betas + self.decshape(token),
            crop_camera=self.init_cam + self.deccam(token),
        )


class TokenHMR(nn.Module):
    """Backbone and head under their official names, and the tokenizer."""

    def __init__(
        self,
        sizes: ClassifierSizes,
        tokenizer_sizes: TokenizerSizes,
        block_count: int = BLOCK_COUNT,
    ) -> None:
        super().__init__()
        self.backbone = ViT(block_count)
        self.smpl_head = SmplHead(sizes)
        self.tokenizer = Tokenizer(tokenizer_sizes, sizes.token_count)

    def forward(self, images: Float[Tensor, "b 3 256 192"]) -> Prediction:
        """Normalised images (the middle 192 columns of the square crops) to predictions."""
        return self.smpl_head(self.backbone(images), self.tokenizer)

    def in_precision(self, dtype: torch.dtype) -> "TokenHMR":
        """Everything that touches image tokens in `dtype`; all after it stays float32."""
        self.backbone.to(dtype)
        context_in_precision(self.smpl_head.transformer, dtype)
        return self


def checkpoint_shapes(found: Shapes, block_count: int = BLOCK_COUNT) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a checkpoint with these layers must have."""
    with torch.device("meta"):
        parts = {"backbone.": ViT(block_count), "smpl_head.": SmplHead(classifier_sizes(found))}
    return {f"{prefix}{name}": s for prefix, part in parts.items() for name, s in _shapes_of(part)}


def tokenizer_shapes(found: Shapes) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a tokenizer with these layers must have.

    None of them depends on the number of tokens, so any will do here.
    """
    with torch.device("meta"):
        return dict(_shapes_of(Tokenizer(tokenizer_sizes(found), token_count=BODY_JOINT_COUNT)))


def _shapes_of(part: nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(tensor.shape)) for name, tensor in part.state_dict().items()]


def network_with(
    tensors: Mapping[str, Tensor],
    tokenizer_tensors: Mapping[str, Tensor],
    block_count: int = BLOCK_COUNT,
) -> TokenHMR:
    """The network around these very tensors; nothing is copied."""
    sizes = classifier_sizes({name: tuple(t.shape) for name, t in tensors.items()})
    its_sizes = tokenizer_sizes({name: tuple(t.shape) for name, t in tokenizer_tensors.items()})
    with torch.device("meta"):
        network = TokenHMR(sizes, its_sizes, block_count).eval().requires_grad_(False)
    named = {f"tokenizer.{name}": tensor for name, tensor in tokenizer_tensors.items()}
    network.load_state_dict({**tensors, **named}, strict=True, assign=True)
    return network

"""The backbone of HMR2 and TokenHMR: a plain ViT-H as in ViTPose (Xu et al. 2022), 256x192 in.

Attribute names are those of the official checkpoint, so that its tensors load by name.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 1280
BLOCK_COUNT = 32
HEAD_COUNT = 16
MLP_WIDTH = 4 * WIDTH
PATCH_PX = 16
PATCH_PADDING_PX = 2
GRID_HW = (16, 12)
"""Patches down and across; the padding of 2 px leaves the count that 256x192 has without."""
TOKEN_COUNT = GRID_HW[0] * GRID_HW[1]
NORM_EPS = 1e-6
"""Ten times smaller than PyTorch's default, and than the decoder's."""


class Attention(nn.Module):
    """Self-attention over all patches."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Attend; the fused kernel scales the scores by 1/sqrt(80)."""
        qkv = self.qkv(tokens).unflatten(-1, (3, HEAD_COUNT, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two linear maps with the exact (erf) GELU between."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, MLP_WIDTH)
        self.fc2 = nn.Linear(MLP_WIDTH, WIDTH)

    def forward(self, tokens: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Each token by itself."""
        return self.fc2(functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=NORM_EPS)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(WIDTH, eps=NORM_EPS)
        self.mlp = Mlp()

    def forward(self, tokens: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Attention, then the token-wise network, each added to what came in."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class PatchEmbed(nn.Module):
    """16x16 pixels to one token."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, WIDTH, PATCH_PX, stride=PATCH_PX, padding=PATCH_PADDING_PX)

    def forward(self, images: Float[Tensor, "b 3 256 192"]) -> Float[Tensor, "b 192 1280"]:
        """Tokens row by row, as one matrix product: patches do not overlap.

        A convolution would do, but cuDNN computes it with shortened (TF32) numbers by default.
        """
        padded = functional.pad(images, (PATCH_PADDING_PX, 0, PATCH_PADDING_PX, 0))
        rows, columns = GRID_HW
        inside = padded[..., : rows * PATCH_PX, : columns * PATCH_PX]
        patches = inside.unflatten(3, (columns, PATCH_PX)).unflatten(2, (rows, PATCH_PX))
        flat = patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        return functional.linear(flat, self.proj.weight.flatten(1), self.proj.bias)


class ViT(nn.Module):
    """Images to one token per patch.

    Args:
        block_count: fewer than 32 only to test a cut network.
    """

    def __init__(self, block_count: int = BLOCK_COUNT) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.empty(1, TOKEN_COUNT + 1, WIDTH))
        self.patch_embed = PatchEmbed()
        self.blocks = nn.ModuleList(Block() for _ in range(block_count))
        self.last_norm = nn.LayerNorm(WIDTH, eps=NORM_EPS)

    def forward(self, images: Float[Tensor, "b 3 256 192"]) -> Float[Tensor, "b 192 1280"]:
        """Normalised images to tokens, row by row over the 16x12 grid.

        There is no class token: its row of the position embedding is added to every patch.
        """
        tokens = self.patch_embed(images)
        tokens = tokens + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            tokens = block(tokens)
        return self.last_norm(tokens)

"""The decoder of HMR2 and TokenHMR: one query token looks at the image six times.

Attribute names are those of the official checkpoints. What cannot change the result is left out:
with one token, self-attention's weights are 1, so queries and keys are never computed.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from stages.regression._vit import WIDTH as CONTEXT_WIDTH

WIDTH = 1024
LAYER_COUNT = 6
HEAD_COUNT = 8
INNER_WIDTH = 8 * 64
POSE_SIZE = 24 * 6


class PreNorm(nn.Module):
    """A layer that sees the normalised token."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.fn = fn

    def forward(self, token: Tensor, *context: Tensor) -> Tensor:
        """Normalise the token only; the context has passed the backbone's last norm."""
        return self.fn(self.norm(token), *context)


class SingleTokenSelfAttention(nn.Module):
    """Self-attention of a lone token: its value, projected."""

    def __init__(self) -> None:
        super().__init__()
        self.to_qkv = nn.Linear(WIDTH, 3 * INNER_WIDTH, bias=False)
        self.to_out = nn.Sequential(nn.Linear(INNER_WIDTH, WIDTH))

    def forward(self, token: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """Softmax over one score is 1, whatever queries and keys are."""
        return self.to_out(functional.linear(token, self.to_qkv.weight[2 * INNER_WIDTH :]))


class CrossAttention(nn.Module):
    """The token looks at the image."""

    def __init__(self) -> None:
        super().__init__()
        self.to_kv = nn.Linear(CONTEXT_WIDTH, 2 * INNER_WIDTH, bias=False)
        self.to_q = nn.Linear(WIDTH, INNER_WIDTH, bias=False)
        self.to_out = nn.Sequential(nn.Linear(INNER_WIDTH, WIDTH))

    def forward(
        self, token: Float[Tensor, "b d"], context: Float[Tensor, "b n c"]
    ) -> Float[Tensor, "b d"]:
        """Keys and values in the backbone's precision, the rest in the token's."""
        kv = self.to_kv(context).unflatten(-1, (2, HEAD_COUNT, -1)).permute(2, 0, 3, 1, 4)
        query = self.to_q(token).unflatten(-1, (HEAD_COUNT, 1, -1))
        keys, values = kv.to(query.dtype)
        return self.to_out(functional.scaled_dot_product_attention(query, keys, values).flatten(1))


class Mlp(nn.Module):
    """Two linear maps; the official ones have dropouts at places 2 and 4, hence the name net.3."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Identity(), nn.Linear(WIDTH, WIDTH)
        )

    def forward(self, token: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """Exact GELU between."""
        return self.net(token)


class Layer(nn.ModuleList):
    """Self-attention, cross-attention, token-wise network: places 0, 1, 2."""

    def __init__(self) -> None:
        parts = (SingleTokenSelfAttention(), CrossAttention(), Mlp())
        super().__init__(PreNorm(part) for part in parts)

    def forward(self, token: Tensor, context: Tensor) -> Tensor:
        """Each added to what came in."""
        token = token + self[0](token)
        token = token + self[1](token, context)
        return token + self[2](token)


class Layers(nn.Module):
    """The six layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(LAYER_COUNT))

    def forward(self, token: Tensor, context: Tensor) -> Tensor:
        """One after the other, no norm at the end."""
        for layer in self.layers:
            token = layer(token, context)
        return token


class Decoder(nn.Module):
    """A constant query token, then the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, 1, WIDTH))
        self.to_token_embedding = nn.Linear(1, WIDTH)
        self.transformer = Layers()

    def forward(self, context: Float[Tensor, "b n c"]) -> Float[Tensor, "b d"]:
        """The query's input is zero, so its embedding is the bias alone."""
        query = self.to_token_embedding.bias + self.pos_embedding[:, 0]
        return self.transformer(query.expand(len(context), -1), context)


def context_in_precision(decoder: Decoder, dtype: torch.dtype) -> None:
    """Make what reads image tokens compute in `dtype`; the one query token stays float32."""
    for layer in decoder.transformer.layers:
        layer[1].fn.to_kv.to(dtype)  # type: ignore[index]

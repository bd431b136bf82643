"""Which codes of the tokenizer describe the pose: a distribution over all codes for every token.

Dwivedi et al. 2024 (arXiv 2404.16752), token classification with an MLP mixer (Tolstikhin et al.
2021, here with both mixings added to what came in). Attribute names are the checkpoint's.
"""

from jaxtyping import Float
from torch import Tensor, nn

from stages.regression._query_decoder import WIDTH
from stages.regression.tokenhmr.sizes import ClassifierSizes

MIXER_COUNT = 4


class FullyConnected(nn.Module):
    """Linear, layer norm, ReLU."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.ff = nn.Sequential(nn.Linear(width_in, width_out), nn.LayerNorm(width_out), nn.ReLU())

    def forward(self, values: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        """Along the last axis."""
        return self.ff(values)


class Mlp(nn.Module):
    """Two linear maps, exact GELU between; place 2 is the official dropout, hence the name ff.3."""

    def __init__(self, width: int, inner_width: int) -> None:
        super().__init__()
        self.ff = nn.Sequential(
            nn.Linear(width, inner_width), nn.GELU(), nn.Identity(), nn.Linear(inner_width, width)
        )

    def forward(self, values: Float[Tensor, "*n w"]) -> Float[Tensor, "*n w"]:
        """Along the last axis."""
        return self.ff(values)


class MixerLayer(nn.Module):
    """Tokens exchange what they know, then each one's channels do."""

    def __init__(self, sizes: ClassifierSizes) -> None:
        super().__init__()
        self.layernorm1 = nn.LayerNorm(sizes.token_width)
        self.MLP_token = Mlp(sizes.token_count, sizes.token_mlp_width)
        self.layernorm2 = nn.LayerNorm(sizes.token_width)
        self.MLP_channel = Mlp(sizes.token_width, sizes.channel_mlp_width)

    def forward(self, tokens: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        """``x + y + z``: z sees ``x + y``, both are added."""
        tokens = tokens + self.MLP_token(self.layernorm1(tokens).mT).mT
        return tokens + self.MLP_channel(self.layernorm2(tokens))


class TokenClassifier(nn.Module):
    """The decoder's one vector to a distribution over codes for each token."""

    def __init__(self, sizes: ClassifierSizes) -> None:
        super().__init__()
        self.token_width = sizes.token_width
        self.mixer_trans = FullyConnected(WIDTH, sizes.token_count * sizes.token_width)
        self.mixer_head = nn.ModuleList(MixerLayer(sizes) for _ in range(MIXER_COUNT))
        self.mixer_norm_layer = FullyConnected(sizes.token_width, sizes.token_width)
        self.class_pred_layer = nn.Linear(sizes.token_width, sizes.code_count)

    def forward(self, vector: Float[Tensor, "b d"]) -> Float[Tensor, "b n codes"]:
        """Probabilities: soft at inference too, no code is chosen."""
        tokens = self.mixer_trans(vector).unflatten(1, (-1, self.token_width))
        for layer in self.mixer_head:
            tokens = layer(tokens)
        return self.class_pred_layer(self.mixer_norm_layer(tokens)).softmax(dim=-1)

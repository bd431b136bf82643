"""The sizes of a TokenHMR, read off the shapes of its layers.

The settings that travel with the files are known to state another number of tokens than the
network has, so nothing but shapes is believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Shapes = Mapping[str, tuple[int, ...]]

CLASSIFIER = "smpl_head.decpose."
CODEBOOK = "quantizer.codebook"
FIRST_CONVOLUTION = "decoder.decoder.0.weight"


@dataclass(frozen=True)
class ClassifierSizes:
    """Of the part that says which codes describe the pose."""

    token_count: int
    token_width: int
    token_mlp_width: int
    channel_mlp_width: int
    code_count: int


@dataclass(frozen=True)
class TokenizerSizes:
    """Of the part that turns codes into a pose."""

    code_count: int
    code_width: int
    width: int


def classifier_sizes(shapes: Shapes) -> ClassifierSizes:
    """Sizes from a checkpoint's shapes; 1 for what a layer that is missing would have told."""
    code_count, token_width = _shape(shapes, f"{CLASSIFIER}class_pred_layer.weight", 2)
    all_tokens_width = _shape(shapes, f"{CLASSIFIER}mixer_trans.ff.0.weight", 2)[0]
    return ClassifierSizes(
        token_count=max(all_tokens_width // max(token_width, 1), 1),
        token_width=token_width,
        token_mlp_width=_shape(shapes, f"{CLASSIFIER}mixer_head.0.MLP_token.ff.0.weight", 2)[0],
        channel_mlp_width=_shape(shapes, f"{CLASSIFIER}mixer_head.0.MLP_channel.ff.0.weight", 2)[0],
        code_count=code_count,
    )


def tokenizer_sizes(shapes: Shapes) -> TokenizerSizes:
    """Sizes from a tokenizer's shapes; 1 for what a layer that is missing would have told."""
    code_count, code_width = _shape(shapes, CODEBOOK, 2)
    return TokenizerSizes(code_count, code_width, _shape(shapes, FIRST_CONVOLUTION, 3)[0])


def _shape(shapes: Shapes, name: str, axes: int) -> tuple[int, ...]:
    shape = shapes.get(name, ())
    return shape if len(shape) == axes else (1,) * axes

import torch

from stages.regression.hmr2.head import POSE_SIZE, WIDTH, Decoder  # noqa


def context_in_precision(decoder: Decoder, dtype: torch.dtype) -> None:
    """What reads image tokens, in `dtype`."""
    for layer in decoder.transformer.layers:
        layer[1].fn.to_kv.to(dtype)  # type: ignore[index]

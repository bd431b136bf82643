"""Convolutions on a GPU with all bits of float32."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Within, cuDNN does not shorten float32 numbers to TF32, as it does by default."""
    backend = torch.backends.cudnn
    with backend.flags(
        enabled=True,
        benchmark=backend.benchmark,
        deterministic=backend.deterministic,
        allow_tf32=False,
    ):
        yield

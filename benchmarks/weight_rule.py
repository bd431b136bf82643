"""Random weights made from a tensor's own name and shape, the same on every machine.

The rule under which the reference outputs of the official implementations were made: it proves a
network without trained weights. Never a part of a result.
"""

import zlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def rule_array(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 values of the `state_dict` entry of that name and shape."""
    one = np.float32
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, dtype=one)
    if name.endswith(".running_var"):
        return one(1) + one(0.1) * np.abs(noise)
    if name.endswith((".running_mean", ".bias")):
        return one(0.05) * noise
    if name.endswith(".weight") and len(shape) >= 2:
        return noise / one(np.sqrt(np.prod(shape[1:])))
    if name.endswith(".weight"):
        return one(1) + one(0.1) * noise
    return one(0.02) * noise


def rule_tensors(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors for all the names, in the order given."""
    return {name: torch.from_numpy(rule_array(name, shape)) for name, shape in shapes.items()}

"""The rule of `weight_rule` for the variables of a TensorFlow checkpoint.

Their names end otherwise and their arrays lie otherwise: kernels as height, width, in, out, dense
layers as in, out. Drawn as they lie in the file.
"""

import zlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def tf_rule_array(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 values of the variable of that name and shape."""
    one = np.float32
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, dtype=one)
    kind = name.rsplit("/", maxsplit=1)[-1]
    if kind == "moving_variance":
        return one(1) + one(0.1) * np.abs(noise)
    if kind in ("moving_mean", "beta", "biases"):
        return one(0.05) * noise
    if kind == "gamma":
        return one(1) + one(0.1) * noise
    if kind == "weights":
        return noise / one(np.sqrt(np.prod(shape[:-1])))
    return one(0.02) * noise


def tf_rule_tensors(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors for all the names, in the order given."""
    return {name: torch.from_numpy(tf_rule_array(name, shape)) for name, shape in shapes.items()}

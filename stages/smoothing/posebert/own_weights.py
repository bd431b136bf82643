"""Our own weights, which come with the project: trained on CMU motion capture (`train`, `ship`)."""

from pathlib import Path

from torch import Tensor

from pipeline.safetensors_file import read_safetensors
from stages.smoothing.posebert.network import shared_names, sizes_in

OWN_PATH = Path(__file__).with_name("own.safetensors")


def read_own(path: Path = OWN_PATH) -> dict[str, Tensor]:
    """All tensors of the network, in single precision; the shared regressor under all its names.

    Raises:
        InputError: the file is damaged.
    """
    tensors = {name: tensor.float() for name, tensor in read_safetensors(path).items()}
    depth = sizes_in({name: tuple(tensor.shape) for name, tensor in tensors.items()}).depth
    return tensors | {alias: tensors[first] for alias, first in shared_names(depth).items()}

"""Make the weights that come with the project from what `train` saved.

Run: ``python -m stages.smoothing.posebert.ship TRAINED.safetensors``.
"""

import sys
from pathlib import Path

import torch

from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.safetensors_file import read_metadata, write_safetensors
from stages.smoothing.posebert.network import shapes, shared_names, sizes_in
from stages.smoothing.posebert.own_weights import OWN_PATH


def write_own(trained: Path, path: Path = OWN_PATH) -> None:
    """The shared regressor once, every number in half precision.

    Raises:
        MissingError, InputError: as `read_checkpoint`.
    """
    layout = Layout("PoseBERT", shapes(), sized_by=lambda found: shapes(sizes=sizes_in(found)))
    tensors = read_checkpoint(trained, layout)
    depth = sizes_in({name: tuple(tensor.shape) for name, tensor in tensors.items()}).depth
    kept = {n: t.to(torch.float16) for n, t in tensors.items() if n not in shared_names(depth)}
    write_safetensors(path, kept, read_metadata(trained))


if __name__ == "__main__":
    write_own(Path(sys.argv[1]))

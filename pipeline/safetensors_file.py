"""Safetensors files: tensors under their names, nothing that runs, mapped instead of read.

Written here piece by piece, because the library's own writer copies all tensors first, which
doubles the memory that a conversion needs. Format: github.com/huggingface/safetensors.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from torch import Tensor

from pipeline.errors import InputError
from pipeline.files import written_aside

KINDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.bool: "BOOL",
}
ALIGNMENT_BYTES = 64


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write tensors one after the other, whole or not at all.

    Those whose length would push the next off a 64-byte boundary come last: matrix products may
    differ in their last bits, and in speed, where numbers do not begin on one.
    """
    tensors = dict(sorted(tensors.items(), key=lambda item: _bytes(item[1]) % ALIGNMENT_BYTES > 0))
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + _bytes(tensor)
        kind, shape = KINDS[tensor.dtype], list(tensor.shape)
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    header += b" " * (-(len(header) + 8) % ALIGNMENT_BYTES)
    with written_aside(path) as aside, aside.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for tensor in tensors.values():
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            file.write(flat.view(torch.uint8).numpy().data)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.dtype.itemsize


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a file, mapped: pages are read when they are used.

    Raises:
        InputError: it is damaged or no such file.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: is no readable safetensors file ({error})") from error


def read_metadata(path: Path) -> dict[str, str]:
    """What was noted when the file was written."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: is no readable safetensors file ({error})") from error

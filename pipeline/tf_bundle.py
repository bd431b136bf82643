"""TensorFlow checkpoints ("V2" tensor bundles) without TensorFlow; nothing in them can run.

`NAME.index` is a sorted table: under the empty key a header, under each variable's name its kind,
shape and place in `NAME.data-00000-of-00001`, where the numbers lie one after the other. Messages:
github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto.
"""

import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.crc32c import masked_crc32c
from pipeline.errors import InputError, MissingError
from pipeline.protobuf_wire import fields, messages, number
from pipeline.sorted_table import MAGIC, read_sorted_table

KINDS = {
    1: torch.float32,
    2: torch.float64,
    3: torch.int32,
    4: torch.uint8,
    6: torch.int8,
    9: torch.int64,
    10: torch.bool,
    14: torch.bfloat16,
    19: torch.float16,
}
"""TensorFlow's numbers of kinds; others (texts, for one) are listed but not read."""
DATA_NAME = re.compile(r"\.data-\d{5}-of-\d{5}$")


@dataclass(frozen=True)
class Variable:
    """Where a variable's numbers lie."""

    kind: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size_bytes: int
    masked_crc32c: int
    is_sliced: bool

    @property
    def dtype(self) -> torch.dtype | None:
        """None for kinds that are not read."""
        return KINDS.get(self.kind)


@dataclass(frozen=True)
class TfBundle:
    """An opened checkpoint."""

    index_path: Path
    shard_count: int
    variables: Mapping[str, Variable]
    opened: dict[Path, np.ndarray] = field(default_factory=dict, repr=False)
    """Bytes of the data files that were needed so far, mapped."""

    def tensor(self, name: str) -> Tensor:
        """A view of the mapped data file (a copy where its numbers are not aligned).

        Raises:
            MissingError: the data file is not beside the index.
            InputError: it is cut short or damaged, or of a kind that is not read.
        """
        variable = self.variables[name]
        dtype, path = variable.dtype, self.data_path(variable.shard)
        if dtype is None or variable.is_sliced:
            raise InputError(f"{path}: '{name}' is stored in a way that is not read here")
        if variable.size_bytes != prod(variable.shape) * dtype.itemsize:
            raise InputError(f"{self.index_path}: is damaged: the size of '{name}' is impossible")
        end = variable.offset + variable.size_bytes
        if path not in self.opened:
            self.opened[path] = _mapped(path)
        content = self.opened[path][variable.offset : end]
        if len(content) != variable.size_bytes:
            raise InputError(
                f"{path}: is cut short: '{name}' would end at byte {end}. Get the file again"
            )
        if masked_crc32c(content) != variable.masked_crc32c:
            raise InputError(
                f"{path}: is damaged: the checksum of '{name}' differs. Get the file again"
            )
        if variable.offset % dtype.itemsize:
            content = content.copy()
        if not len(content):
            return torch.empty(variable.shape, dtype=dtype)
        return torch.from_numpy(content).view(dtype).reshape(variable.shape)

    def data_path(self, shard: int) -> Path:
        """The data file of that number."""
        name = f"{self.index_path.stem}.data-{shard:05d}-of-{self.shard_count:05d}"
        return self.index_path.with_name(name)


def is_tf_bundle(path: Path) -> bool:
    """Whether this is a checkpoint's index, or named as its data file is."""
    if DATA_NAME.search(path.name):
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(MAGIC)))
        return file.read() == MAGIC


def open_tf_bundle(path: Path) -> TfBundle:
    """Read the index of a checkpoint.

    Args:
        path: The `.index` file, or a data file beside it.

    Raises:
        MissingError: there is no index.
        InputError: it is damaged or no index.
    """
    index_path = path.with_name(DATA_NAME.sub(".index", path.name))
    if not index_path.is_file():
        raise MissingError(
            f"{index_path}: no such file; a TensorFlow checkpoint is NAME.index beside "
            "NAME.data-00000-of-00001"
        )
    try:
        table = read_sorted_table(index_path.read_bytes())
        header = fields(table.pop(b"", b""))
        if number(header, 2) != 0:
            raise ValueError("its numbers are written high bytes first")
        variables = {name.decode(): _variable(entry) for name, entry in table.items()}
    except ValueError as error:
        raise InputError(
            f"{index_path}: is no readable index of a TensorFlow checkpoint: {error}"
        ) from error
    return TfBundle(index_path, number(header, 1), variables)


def _variable(entry: bytes) -> Variable:
    message = fields(entry)
    shape = [number(size, 1) for dims in messages(message, 2) for size in messages(dims, 2)]
    return Variable(
        kind=number(message, 1),
        shape=tuple(shape),
        shard=number(message, 3),
        offset=number(message, 4),
        size_bytes=number(message, 5),
        masked_crc32c=number(message, 6),
        is_sliced=bool(message.get(7)),
    )


def _mapped(path: Path) -> np.ndarray:
    """The bytes of a data file; pages are read when used, and a write would stay in memory."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except FileNotFoundError as error:
        raise MissingError(
            f"{path}: no such file; it belongs beside the .index, which holds no numbers"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    return np.frombuffer(mapped, dtype=np.uint8)

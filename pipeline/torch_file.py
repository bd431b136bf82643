"""PyTorch checkpoint files as memory-mapped tensors, without `torch.load`.

Two containers: the zip archive of torch 1.6 and later (Lightning's .ckpt too), and the older run
of pickles followed by the numbers. Tensors are views of the mapped file: pages are read when used.
"""

import mmap
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import InputError
from pipeline.torch_pickle import FAULTS, StoredTensor, TorchUnpickler

ZIP_MAGIC = b"PK\x03\x04"
PICKLE_MAGIC = b"\x80"
LEGACY_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
LOCAL_HEADER_BYTES = 30
ALIGNMENT_BYTES = 64
"""As the newer container has it: products may differ in their last bits elsewhere."""


@dataclass(frozen=True)
class Span:
    """A range of bytes of the file."""

    start: int
    length: int


@dataclass(frozen=True)
class TorchFile:
    """An opened checkpoint."""

    path: Path
    content: Any
    """What was saved; tensors as `StoredTensor`, unknown objects as `Unneeded`."""
    spans: Mapping[str, Span]
    """Where each storage lies."""
    mapped: mmap.mmap

    def tensor(self, stored: StoredTensor) -> Tensor:
        """A view of the mapped file (a copy where it does not begin on a 64-byte boundary).

        Raises:
            InputError: it reaches beyond its storage or the file.
        """
        storage, span = stored.storage, self.spans.get(stored.storage.key)
        needed = storage.count * storage.dtype.itemsize
        if span is None or needed > span.length or span.start + needed > len(self.mapped):
            raise InputError(f"{self.path}: is cut short or damaged; get the file again")
        if storage.count == 0:
            return torch.empty(stored.shape, dtype=storage.dtype)
        raw = torch.frombuffer(self.mapped, dtype=torch.uint8, count=needed, offset=span.start)
        flat = (raw.clone() if span.start % ALIGNMENT_BYTES else raw).view(storage.dtype)
        try:
            return flat.as_strided(stored.shape, stored.stride, stored.offset)
        except RuntimeError as error:
            raise InputError(f"{self.path}: holds a tensor larger than its numbers") from error


def is_torch_file(path: Path) -> bool:
    """Whether the first bytes are those of a checkpoint."""
    with path.open("rb") as file:
        start = file.read(4)
    return start == ZIP_MAGIC or start[:1] == PICKLE_MAGIC


def open_torch_file(path: Path) -> TorchFile:
    """Open a checkpoint of either container.

    Raises:
        InputError: it is damaged, cut short, none of PyTorch's, or asks to run something.
    """
    with path.open("rb") as file, _faults_in_words(path):
        is_zip = file.read(4) == ZIP_MAGIC
        file.seek(0)
        content, spans = (_read_zip if is_zip else _read_legacy)(file, path)
        # A private mapping: torch wants memory it could write to, the file stays as it is.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return TorchFile(path, content, spans, mapped)


@contextmanager
def _faults_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except zipfile.BadZipFile as error:
        raise InputError(
            f"{path}: is cut short or damaged ({error}); get the file again"
        ) from error
    except (*FAULTS, OSError, zlib.error) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: is no readable PyTorch checkpoint ({reason})") from error


def _read_zip(file: BufferedIOBase, path: Path) -> tuple[Any, dict[str, Span]]:
    archive = zipfile.ZipFile(file)
    pickles = [name for name in archive.namelist() if name.split("/")[1:] == ["data.pkl"]]
    if not pickles:
        raise InputError(f"{path}: is a zip archive but no PyTorch checkpoint (no data.pkl in it)")
    root = pickles[0].removesuffix("data.pkl")
    spans = {}
    for info in archive.infolist():
        if not info.filename.startswith(f"{root}data/"):
            continue
        if info.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{path}: was packed again with compression; use the original file")
        spans[info.filename.removeprefix(f"{root}data/")] = _span(file, info)
    order = f"{root}byteorder"
    if order in archive.namelist() and archive.read(order).strip() != b"little":
        raise InputError(f"{path}: was saved on a big-endian machine; save it again on another")
    return TorchUnpickler(BytesIO(archive.read(pickles[0])), path).load(), spans


def _span(file: BufferedIOBase, info: zipfile.ZipInfo) -> Span:
    """Where a stored member's bytes begin: after its own header, which pads them to 64 bytes."""
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    name_bytes, extra_bytes = struct.unpack("<HH", header[26:30])
    start = info.header_offset + LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    return Span(start, info.file_size)


def _read_legacy(file: BufferedIOBase, path: Path) -> tuple[Any, dict[str, Span]]:
    """Magic number, protocol, machine, content, storage keys; then each storage with its count."""
    if TorchUnpickler(file, path).load() != LEGACY_MAGIC_NUMBER:
        raise pickle.UnpicklingError("another kind of pickle")
    TorchUnpickler(file, path).load()
    machine = TorchUnpickler(file, path).load()
    if not machine["little_endian"]:
        raise pickle.UnpicklingError("saved on a big-endian machine")
    unpickler = _Noting(file, path)
    content = unpickler.load()
    spans = {}
    for key in TorchUnpickler(file, path).load():
        count = struct.unpack("<q", file.read(8))[0]
        if count < 0:
            raise pickle.UnpicklingError("a storage of a negative length")
        length = count * unpickler.item_bytes.get(str(key), 0)
        spans[str(key)] = Span(file.tell(), length)
        file.seek(length, 1)
    if file.tell() > path.stat().st_size:
        raise InputError(f"{path}: is cut short; get the file again")
    return content, spans


class _Noting(TorchUnpickler):
    """Remembers how wide the numbers of each storage are."""

    def __init__(self, file: BufferedIOBase, path: Path) -> None:
        super().__init__(file, path)
        self.item_bytes: dict[str, int] = {}

    def persistent_load(self, pid: Any) -> Any:
        storage = super().persistent_load(pid)
        self.item_bytes[storage.key] = storage.dtype.itemsize
        return storage

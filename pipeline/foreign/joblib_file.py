"""Files of joblib (`joblib.dump`), with or without compression, read without running anything.

A joblib file is a pickle in which the content of every array follows, as bare bytes, right behind
the box that describes it (joblib's `NumpyArrayWrapper`). PHALP, 4DHumans, TokenHMR and WHAM write
such files; a plain pickle is one, too, with no such box in it.
"""

import bz2
import gzip
import lzma
import pickle
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pipeline.errors import InputError
from pipeline.plain_unpickler import PlainUnpickler
from pipeline.unpickle import CONTAINERS, FAULTS, Known, stand_in
from pipeline.unpickle_stand_ins import (
    Inert,
    InertDtype,
    Maker,
    Memo,
    array_from_bytes,
    to_plain,
)

_ZLIB_STARTS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
COMPRESSED_STARTS = (*_ZLIB_STARTS, b"\x1f\x8b", b"BZ", b"\xfd7", b"\x5d\x00")
SMALL_BYTES = 256 << 20
LARGEST_RATIO = 200
"""What a compressed file may grow to: to a small size anyway, else so many times its own."""


class InertArrayBox(Inert):
    """joblib's description of the array whose bytes follow."""

    array: np.ndarray | None = None

    def plain(self, memo: Memo) -> Any:
        """The array."""
        return self.array

    def read_from(self, read: Callable[[int], bytes]) -> None:
        """Take the array's bytes from the stream."""
        state = self.state
        if not isinstance(state, dict) or not isinstance(state.get("dtype"), InertDtype):
            raise pickle.UnpicklingError("an array without a plain dtype")
        if state.get("numpy_array_alignment_bytes") is not None:
            read(read(1)[0])
        shape = tuple(int(size) for size in state["shape"])
        length = int(np.prod(shape, dtype=np.float64)) * state["dtype"].dtype.itemsize
        self.array = array_from_bytes(read(length), state["dtype"], shape, state["order"])


class _NoDefault:
    """A dict that had a default for absent keys is read as a dict without one."""

    def __new__(cls, *_: Any) -> Any:
        return {}


_KNOWN: Known = {
    **CONTAINERS,
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): InertArrayBox,
    ("collections", "defaultdict"): Maker(_NoDefault),
    ("builtins", "dict"): Maker(dict),
    ("builtins", "list"): Maker(list),
}


class _JoblibUnpickler(PlainUnpickler):
    """Reads a stream; knows no global but the given ones."""

    dispatch: ClassVar[dict[Any, Any]] = dict(PlainUnpickler.dispatch)

    def __init__(self, stream: BytesIO, path: Path) -> None:
        super().__init__(stream, encoding="latin1")
        self._stream, self._path = stream, path

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a global; never the global itself."""
        return stand_in(module, name, _KNOWN, self._path)

    def load_build(self) -> None:
        """Give a box its state; if it describes an array, the array's bytes come next."""
        super().load_build()
        if isinstance(self.stack[-1], InertArrayBox):
            self.stack[-1].read_from(self._exactly)

    dispatch[pickle.BUILD[0]] = load_build

    def _exactly(self, length: int) -> bytes:
        content = self._stream.read(length)
        if len(content) != length:
            raise EOFError("the file is cut short")
        return content


def read_joblib(path: Path) -> Any:
    """Content of a joblib file or a plain pickle: Python values and NumPy arrays.

    Raises:
        InputError: the file names anything but containers of numbers, or is damaged or neither.
    """
    try:
        stream = BytesIO(_unpacked(path.read_bytes()))
        return to_plain(_JoblibUnpickler(stream, path).load())
    except (*FAULTS, zlib.error, lzma.LZMAError, OSError) as fault:
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise InputError(f"{path}: cannot be read as a pickle ({reason})") from fault


def _unpacked(content: bytes) -> bytes:
    unpackers: dict[bytes, Callable[[], Any]] = {
        b"\x1f\x8b": lambda: gzip.GzipFile(fileobj=BytesIO(content)),
        b"BZ": lambda: bz2.BZ2File(BytesIO(content)),
        b"\xfd7": lambda: lzma.LZMAFile(BytesIO(content)),
        b"\x5d\x00": lambda: lzma.LZMAFile(BytesIO(content)),
    }
    start, most_bytes = content[:2], max(SMALL_BYTES, LARGEST_RATIO * len(content))
    if start in _ZLIB_STARTS:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(content, most_bytes)
        if unpacker.unconsumed_tail:
            raise ValueError(f"it unpacks to more than {most_bytes >> 20} MB")
        return unpacked
    if start not in unpackers:
        return content
    unpacked = unpackers[start]().read(most_bytes + 1)
    if len(unpacked) > most_bytes:
        raise ValueError(f"it unpacks to more than {most_bytes >> 20} MB")
    return unpacked

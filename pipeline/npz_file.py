"""`.npz` archives from anywhere: bounded before anything is allocated, and never a pickle.

NumPy believes what a header claims and unpacks whatever a zip file holds. Here claims are held
against the bytes that are there: an array as large as its header says, a file that unpacks to no
more than a plain multiple of its size.
"""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

LARGEST_BYTES = 32 << 30
"""Of all arrays of a file, unpacked."""
SMALL_BYTES = 256 << 20
"""Up to here it does not matter how well a file is packed."""
LARGEST_RATIO = 200
"""Unpacked over packed size of larger files; results, motion and body files reach 15."""
MOST_MEMBERS = 10_000
PLAIN_KINDS = "biufcSU"
"""Numbers and text. Objects (pickles), structures and raw bytes are refused."""
_FAULTS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)
_END = ".npy"


class NpzError(ValueError):
    """Not a whole archive of plain arrays; the text is a short reason."""


def read_npz_file(
    path: Path, wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, np.ndarray]:
    """The arrays of an archive by name.

    Args:
        path: the file.
        wanted: which of them to read.

    Raises:
        NpzError: it is damaged, claims more than it holds, or holds something else than arrays
            of numbers and text.
        OSError: it cannot be opened.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path.stat().st_size)
            return {
                info.filename.removesuffix(_END): _array(archive, info)
                for info in archive.infolist()
                if wanted(info.filename.removesuffix(_END))
            }
    except _FAULTS as fault:
        raise NpzError(" ".join(str(fault).split())[:200] or type(fault).__name__) from fault
    except ValueError as fault:
        reason = " ".join(str(fault).split())[:200]
        raise NpzError(reason.replace("\x00", "?")) from fault


def _check_sizes(archive: zipfile.ZipFile, packed_bytes: int) -> None:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise NpzError(f"it has {len(members)} members")
    if strangers := [info.filename for info in members if not info.filename.endswith(_END)]:
        raise NpzError(f"it holds {strangers[0][:60]!r}, which is no array")
    if len({info.filename for info in members}) < len(members):
        raise NpzError("it holds an array twice")
    total = sum(info.file_size for info in members)
    if total > LARGEST_BYTES or total > max(SMALL_BYTES, LARGEST_RATIO * packed_bytes):
        raise NpzError(f"it would unpack to {total / 1e6:.0f} MB from {packed_bytes / 1e6:.1f} MB")


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    name = info.filename.removesuffix(_END)
    with archive.open(info) as file:
        shape, dtype = _header(file)
        if dtype.hasobject or dtype.kind not in PLAIN_KINDS or dtype.names or dtype.subdtype:
            raise NpzError(f"{name[:60]} holds {str(dtype)[:40]}; only numbers and text are read")
        if any(size < 0 for size in shape):
            raise NpzError(f"{name[:60]} claims the shape {shape}")
        claimed, there = _bytes(shape, dtype), info.file_size - file.tell()
        if claimed != there:
            raise NpzError(f"{name[:60]} claims {claimed} bytes and has {there}")
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise NpzError(f"an array in version {version} of NumPy's format")
    shape, _, dtype = readers[version](file)
    return shape, dtype


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    count = 1
    for size in shape:
        count *= int(size)
    return count * dtype.itemsize

"""Checkpoints as TensorFlow leaves them, written without it: to test reading and whole runs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from pipeline.crc32c import masked_crc32c
from pipeline.sorted_table import FOOTER_BYTES, MAGIC
from pipeline.tf_bundle import KINDS

RESTART_INTERVAL = 16
HEADER = b"\x08\x01\x1a\x02\x08\x01"
"""One data file, low bytes first, version 1."""


def write_tf_checkpoint(index_path: Path, variables: Mapping[str, Tensor]) -> None:
    """Write the index and, beside it, the data file."""
    entries, content = [(b"", HEADER)], bytearray()
    for name in sorted(variables, key=str.encode):
        entries.append((name.encode(), _entry(variables[name], len(content))))
        content += _bytes(variables[name])
    block = _block(entries)
    index = _block([(entries[-1][0], _varint(0) + _varint(len(block) - 5))])
    notes = _block([])
    footer = _varint(len(block)) + _varint(len(notes) - 5)
    footer += _varint(len(block) + len(notes)) + _varint(len(index) - 5)
    footer = footer.ljust(FOOTER_BYTES - len(MAGIC), b"\x00") + MAGIC
    index_path.write_bytes(block + notes + index + footer)
    index_path.with_suffix(".data-00000-of-00001").write_bytes(content)


def _bytes(variable: Tensor) -> bytes:
    return variable.numpy().tobytes()


def _entry(variable: Tensor, offset: int) -> bytes:
    """Kind, shape, place, size and checksum of a variable."""
    kind = next(number for number, dtype in KINDS.items() if dtype == variable.dtype)
    sizes = [b"\x08" + _varint(size) for size in variable.shape]
    shape = b"".join(b"\x12" + _varint(len(size)) + size for size in sizes)
    content = _bytes(variable)
    entry = b"\x08" + _varint(kind) + b"\x12" + _varint(len(shape)) + shape
    entry += b"\x20" + _varint(offset) + b"\x28" + _varint(len(content))
    return entry + b"\x35" + _checksum(content)


def _block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """Entries that share beginnings, places of those that do not, checksum."""
    content, restarts, before = bytearray(), [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % RESTART_INTERVAL == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += _varint(shared) + _varint(len(key) - shared) + _varint(len(value))
        content += key[shared:] + value
        before = key
    restarts = restarts or [0]
    for number in (*restarts, len(restarts)):
        content += number.to_bytes(4, "little")
    content += b"\x00"
    return bytes(content) + _checksum(bytes(content))


def _checksum(content: bytes) -> bytes:
    return masked_crc32c(np.frombuffer(content, dtype=np.uint8)).to_bytes(4, "little")


def _varint(value: int) -> bytes:
    content = bytearray()
    while value >= 0x80:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*content, value])

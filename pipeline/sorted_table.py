"""Sorted tables of keys and values as LevelDB and TensorFlow write them, read whole.

Blocks of entries, each key sharing its beginning with the one before; an index block that says
where the blocks are; a footer of 48 bytes that says where the index is. Format:
github.com/google/leveldb/blob/main/doc/table_format.md.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.crc32c import masked_crc32c
from pipeline.protobuf_wire import varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER_BYTES = 48
TRAILER_BYTES = 5
"""After each block: how it is compressed, and its masked CRC-32C."""


def read_sorted_table(content: bytes) -> dict[bytes, bytes]:
    """All entries in their order.

    Raises:
        ValueError: cut short, damaged, compressed, or no such table; the text says which.
    """
    if len(content) < FOOTER_BYTES or content[-len(MAGIC) :] != MAGIC:
        raise ValueError("it does not end as such a table does")
    footer = content[-FOOTER_BYTES:]
    _, place = _handle(footer, 0)  # the block of notes about blocks, which nothing needs
    index, _ = _handle(footer, place)
    table: dict[bytes, bytes] = {}
    for _, where in _entries(_block(content, *index)):
        table.update(_entries(_block(content, *_handle(where, 0)[0])))
    return table


def _handle(content: bytes, start: int) -> tuple[tuple[int, int], int]:
    """Where a block is and how long it is; where the handle ends."""
    offset, start = varint(content, start)
    size, start = varint(content, start)
    return (offset, size), start


def _block(content: bytes, offset: int, size: int) -> bytes:
    """The bytes of a block, its checksum verified."""
    stored = content[offset : offset + size + TRAILER_BYTES]
    if len(stored) != size + TRAILER_BYTES:
        raise ValueError(f"the block at byte {offset} is cut short")
    if masked_crc32c(np.frombuffer(stored[:-4], dtype=np.uint8)) != _uint32(stored[-4:]):
        raise ValueError(f"the block at byte {offset} is damaged (its checksum differs)")
    if stored[size] != 0:
        raise ValueError(f"the block at byte {offset} is compressed, which is not read here")
    return stored[:size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values up to the list of places where keys are written in full."""
    end = len(block) - 4 * (1 + _uint32(block[-4:]))
    place, key = 0, b""
    while place < end:
        shared, place = varint(block, place)
        own, place = varint(block, place)
        length, place = varint(block, place)
        if shared > len(key) or place + own + length > end:
            raise ValueError("an entry reaches beyond its block")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + length]
        place += own + length


def _uint32(content: bytes) -> int:
    return int.from_bytes(content, "little")

"""Damage to bytes: what copying, disks and hostile people do to files."""

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Mutation = Callable[[bytes, Rng], bytes]
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEAD_BYTES = 2048
"""Headers and indices lie in the first and last bytes of most containers."""


def truncated(data: bytes, rng: Rng) -> bytes:
    """The beginning."""
    return data[: int(rng.integers(1, len(data)))]


def beheaded(data: bytes, rng: Rng) -> bytes:
    """The end."""
    return data[int(rng.integers(1, min(len(data), HEAD_BYTES))) :]


def flipped(data: bytes, rng: Rng) -> bytes:
    """Single bits turned, anywhere."""
    return _flipped(data, rng, 0, len(data))


def flipped_head(data: bytes, rng: Rng) -> bytes:
    """Single bits turned in the first or the last bytes."""
    size = min(len(data), HEAD_BYTES)
    start = 0 if rng.random() < 0.5 else len(data) - size
    return _flipped(data, rng, start, size)


def _flipped(data: bytes, rng: Rng, start: int, size: int) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(start, start + size, int(2 ** rng.uniform(0, 7))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def extreme(data: bytes, rng: Rng) -> bytes:
    """Fields of the header set to the least and largest numbers."""
    changed = bytearray(data)
    size = min(len(data), HEAD_BYTES)
    for _ in range(int(rng.integers(1, 9))):
        width = int(rng.choice([1, 2, 4, 8]))
        start = int(rng.integers(0, size))
        start = start if rng.random() < 0.6 else len(data) - size + start
        number = int(rng.choice(EXTREMES)) & ((1 << 8 * width) - 1)
        order = "big" if rng.random() < 0.5 else "little"
        changed[start : start + width] = number.to_bytes(width, order)  # type: ignore[arg-type]
    return bytes(changed[: len(data)])


def without_block(data: bytes, rng: Rng) -> bytes:
    """A block left out."""
    start, end = _block(data, rng)
    return data[:start] + data[end:]


def doubled_block(data: bytes, rng: Rng) -> bytes:
    """A block twice."""
    start, end = _block(data, rng)
    return data[:end] + data[start:end] + data[end:]


def zeroed(data: bytes, rng: Rng) -> bytes:
    """A block of zeros, as a disk leaves it that lost a sector."""
    start, end = _block(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def noise(data: bytes, rng: Rng) -> bytes:
    """A block of chance."""
    start, end = _block(data, rng)
    return data[:start] + rng.bytes(end - start) + data[end:]


def moved_block(data: bytes, rng: Rng) -> bytes:
    """A block in another place."""
    start, end = _block(data, rng)
    place = int(rng.integers(0, len(data)))
    rest = data[:start] + data[end:]
    return rest[:place] + data[start:end] + rest[place:]


def _block(data: bytes, rng: Rng) -> tuple[int, int]:
    start = int(rng.integers(0, len(data)))
    length = int(2 ** rng.uniform(0, np.log2(len(data))))
    return start, min(start + max(length, 1), len(data))


def spliced(data: bytes, other: bytes, rng: Rng) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: int(rng.integers(1, len(data)))] + other[int(rng.integers(0, len(other))) :]


BYTES: tuple[Mutation, ...] = (
    truncated,
    beheaded,
    flipped,
    flipped_head,
    extreme,
    extreme,
    without_block,
    doubled_block,
    zeroed,
    noise,
    moved_block,
)


def damaged(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """One to three mutations after each other, and their names."""
    names = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        mutation = BYTES[int(rng.integers(len(BYTES)))]
        data = mutation(data.ljust(2, b"\0"), rng)
        names.append(mutation.__name__)
    return data, "+".join(names)

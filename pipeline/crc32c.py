"""CRC-32C (Castagnoli), as TensorFlow and LevelDB write it beside their data."""

import numpy as np
from jaxtyping import UInt8, UInt32

from pipeline.jit import jit

POLYNOMIAL = 0x82F63B78
"""Reversed: lowest bit first."""
MASK_DELTA = 0xA282EAD8
ALL_BITS = 0xFFFFFFFF


def _table() -> UInt32[np.ndarray, " 256"]:
    remainders = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        odd = (remainders & 1).astype(bool)
        remainders = np.where(odd, (remainders >> 1) ^ np.uint32(POLYNOMIAL), remainders >> 1)
    return remainders


TABLE = _table()


@jit
def _updated(register: int, content: UInt8[np.ndarray, " n"], table: np.ndarray) -> int:
    for byte in content:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register


def crc32c(content: UInt8[np.ndarray, " n"]) -> int:
    """Checksum of bytes; that of b'123456789' is 0xE3069283."""
    return int(_updated(np.uint32(ALL_BITS), content, TABLE)) ^ ALL_BITS


def masked_crc32c(content: UInt8[np.ndarray, " n"]) -> int:
    """The checksum turned and shifted, so that it can be stored beside what it was made of."""
    plain = crc32c(content)
    return (((plain >> 15) | (plain << 17)) + MASK_DELTA) & ALL_BITS

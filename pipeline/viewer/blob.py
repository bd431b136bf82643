"""Arrays in one run of bytes, told apart by a table: small enough to lie in a page."""

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ALIGNED = 4


@dataclass
class Blob:
    """Collects arrays; `add` gives the entry by which JavaScript finds one again."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, array: np.ndarray) -> dict[str, Any]:
        """Append an array (little-endian, C order).

        Returns:
            Its `type` as in JavaScript's typed arrays, `start` in bytes and `length` in items.
        """
        names = {"f4": "Float32", "i2": "Int16", "u2": "Uint16", "u1": "Uint8"}
        kind = array.dtype.str[1:]
        data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        entry = {"type": names[kind], "start": self.size, "length": array.size}
        padding = -len(data) % ALIGNED
        self.parts.append(data + b"\0" * padding)
        self.size += len(data) + padding
        return entry

    @property
    def base64(self) -> str:
        """All of it as text."""
        return base64.b64encode(b"".join(self.parts)).decode()

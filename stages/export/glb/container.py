"""A binary glTF file: one JSON part, one part of numbers (Khronos, glTF 2.0, section 4)."""

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAGIC, VERSION = b"glTF", 2
JSON_CHUNK, BINARY_CHUNK = b"JSON", b"BIN\0"
ALIGNMENT = 4
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
COMPONENTS = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


@dataclass
class Glb:
    """A glTF document that grows."""

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """nodes, meshes, accessors, ...: glTF's named lists."""
    numbers: bytearray = field(default_factory=bytearray)

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        """Append to a list of the document; gives the entry's number in it."""
        entries = self.lists.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def accessor(
        self, values: np.ndarray, *, target: int | None = None, bounds: bool = False
    ) -> int:
        """Store an array, a row per element (a single column is a list of scalars)."""
        rows = np.ascontiguousarray(values).reshape(len(values), -1)
        view = {"buffer": 0, "byteOffset": len(self.numbers), "byteLength": rows.nbytes}
        if target is not None:
            view["target"] = target
        self.numbers += rows.tobytes()
        self.numbers += bytes(-len(self.numbers) % ALIGNMENT)
        entry = {
            "bufferView": self.add("bufferViews", view),
            "componentType": COMPONENTS[rows.dtype.name],
            "count": len(rows),
            "type": KINDS[rows.shape[1]],
        }
        if bounds:
            entry |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        return self.add("accessors", entry)

    def to_bytes(self, asset: dict[str, Any], root_nodes: list[int]) -> bytes:
        """The whole file."""
        document = {
            "asset": {"version": "2.0", **asset},
            "scene": 0,
            "scenes": [{"nodes": root_nodes}],
            **self.lists,
            "buffers": [{"byteLength": len(self.numbers)}],
        }
        text = json.dumps(document, allow_nan=False).encode()
        chunks = _chunk(JSON_CHUNK, text, b" ") + _chunk(BINARY_CHUNK, bytes(self.numbers), b"\0")
        return MAGIC + struct.pack("<II", VERSION, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, content: bytes, padding: bytes) -> bytes:
    content += padding * (-len(content) % ALIGNMENT)
    return struct.pack("<I", len(content)) + kind + content

"""PLY: a binary file per person and frame, with the full skin of that frame, in metres."""

from pathlib import Path

import numpy as np

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.take import Take
from stages.export._meshes import write_sequences

UPS = ("y", "z")
FILLS_GAPS = False
_FACE = np.dtype([("corners", "u1"), ("of", "<i4", 3)])
_HEAD = """ply
format binary_little_endian 1.0
comment metres
element vertex {vertices}
property float x
property float y
property float z
element face {faces}
property list uchar int vertex_indices
end_header
"""


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Writes `<take>_person_NNN/FFFFFF.ply`; FFFFFF is the source frame."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """A file per person and frame."""
        return write_sequences(take, folder / "ply", "ply", _write)


def _write(path: Path, vertices_m: np.ndarray, faces: np.ndarray) -> None:
    rows = np.empty(len(faces), _FACE)
    rows["corners"], rows["of"] = 3, faces
    head = _HEAD.format(vertices=len(vertices_m), faces=len(faces))
    path.write_bytes(head.encode() + vertices_m.astype("<f4").tobytes() + rows.tobytes())

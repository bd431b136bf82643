"""Wavefront OBJ: a text file per person and frame, with the full skin of that frame, in metres."""

from pathlib import Path

import numpy as np

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.take import Take
from stages.export._meshes import write_sequences

UPS = ("y", "z")
FILLS_GAPS = False


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Writes `<take>_person_NNN/FFFFFF.obj`; FFFFFF is the source frame."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """A file per person and frame."""
        return write_sequences(take, folder / "obj", "obj", _write)


def _write(path: Path, vertices_m: np.ndarray, faces: np.ndarray) -> None:
    places = "".join(f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in vertices_m)
    corners = "".join(f"f {a} {b} {c}\n" for a, b, c in faces + 1)
    path.write_text(f"# metres\n{places}{corners}", encoding="ascii")

"""OBJ sequences, read with trimesh."""

from pathlib import Path

import numpy as np
import trimesh

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import first_frame_of


def read(paths: list[Path]) -> list[Reading]:
    """A folder per person, a file per frame; the format has no times."""
    return [
        _person([path for path in paths if path.parent == folder], folder)
        for folder in sorted({path.parent for path in paths})
    ]


def _person(paths: list[Path], folder: Path) -> Reading:
    person_id = int(folder.name[-3:])
    meshes = [trimesh.load(path, process=False) for path in sorted(paths)]
    assert all(len(mesh.faces) == 13776 and mesh.is_watertight for mesh in meshes)
    assert all(mesh.volume > 0.03 for mesh in meshes), "faces look inwards"
    return Reading(
        person_id=person_id,
        rows=np.array([int(path.stem) for path in sorted(paths)]) - first_frame_of(person_id),
        time_s=None,
        up="y",
        vertices_m=np.stack([np.asarray(mesh.vertices) for mesh in meshes]),
    )

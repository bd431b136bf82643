"""A file per person and frame: what `obj` and `ply` share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.files import written_aside
from pipeline.take import Take
from pipeline.types import Person

AT_ONCE = 32
"""Frames posed at a time, which bounds the memory."""

WriteMesh = Callable[[Path, np.ndarray, np.ndarray], None]
"""Writes vertices (v, 3) in metres and faces (f, 3) to a path."""


def write_sequences(take: Take, folder: Path, suffix: str, write: WriteMesh) -> list[Path]:
    """Write `<folder>/<person>/<source frame>.<suffix>`; frames without a body have no file.

    Frames of an earlier export in the same place are removed, so that the sequence is one.
    """
    return [
        path
        for person in take.people
        for path in _write_person(take, person, folder / take.file_stem(person), suffix, write)
    ]


def _write_person(
    take: Take, person: Person, folder: Path, suffix: str, write: WriteMesh
) -> list[Path]:
    paths = []
    for start in range(0, len(person), AT_ONCE):
        vertices_m = take.posed(person, slice(start, start + AT_ONCE)).vertices().numpy()
        for row, mesh in enumerate(vertices_m, start):
            if not person.drawn[row]:
                continue
            path = folder / f"{person.frame_index[row]:06d}.{suffix}"
            with written_aside(path) as aside:
                write(aside, mesh, take.body.faces)
            paths.append(path)
    for stale in set(folder.glob(f"[0-9]*.{suffix}")) - set(paths):
        stale.unlink()
    return paths

"""Save, load and check each noun as .npz without pickled objects.

`docs/schema.md` describes every file. Loading never runs code.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline.errors import OutputError
from pipeline.files import Joined, write_npz
from pipeline.noun_shapes import check_noun, check_people, check_video
from pipeline.npz_file import NpzError, read_npz_file
from pipeline.types import PER_FRAME, Bodies, Detections, Person, Video

SCHEMA_VERSION = 1

Noun = TypeVar("Noun", Detections, Bodies)
Arrays = dict[str, np.ndarray]


def read_npz(path: Path) -> Arrays:
    """All arrays of a file.

    Raises:
        OutputError: the file is missing, cut short, claims more than it holds, or holds pickled
            objects.
    """
    try:
        return read_npz_file(path)
    except FileNotFoundError as error:
        raise OutputError(f"{path}: no such file") from error
    except (OSError, NpzError) as error:
        raise OutputError(f"{path}: is not a whole .npz file: {error}") from error


def arrays_of(noun: Detections | Bodies) -> dict[str, Any]:
    """The fields of a noun that hold something."""
    values = {field.name: getattr(noun, field.name) for field in fields(noun)}
    return {key: value for key, value in values.items() if value is not None}


def noun_from(kind: type[Noun], arrays: Mapping[str, np.ndarray]) -> Noun:
    """Rebuild `Detections` or `Bodies` from its arrays.

    Raises:
        OutputError: they do not make one up; the first thing wrong.
    """
    values: dict[str, Any] = {f.name: arrays[f.name] for f in fields(kind) if f.name in arrays}
    if "skeleton" in values:
        values["skeleton"] = str(values["skeleton"])
    check_noun(kind, values)
    return kind(**values)


def joined(kind: type[Noun], parts: list[Noun]) -> Noun:
    """Several batches as one, in order.

    Batches without people may lack optional arrays; those with people must agree.
    """
    full = [part for part in parts if len(part)] or parts[:1]
    values: dict[str, Any] = {}
    for field in fields(kind):
        pieces = [getattr(part, field.name) for part in full]
        if isinstance(pieces[0], np.ndarray):
            values[field.name] = np.concatenate(pieces)
        else:
            assert all(piece == pieces[0] for piece in pieces), f"batches differ in {field.name}"
            values[field.name] = pieces[0]
    return kind(**values)


def video_arrays(video: Video) -> dict[str, Any]:
    """A video's facts as arrays."""
    values = {field.name: getattr(video, field.name) for field in fields(video)}
    return {key: _plain(value) for key, value in values.items() if value is not None}


def video_from(arrays: Mapping[str, np.ndarray], path: Path) -> Video:
    """Rebuild a `Video`; the file may have moved, so its path is given.

    Raises:
        OutputError: the arrays do not make one up; the first thing wrong.
    """
    values: dict[str, Any] = {
        field.name: arrays[field.name] if arrays[field.name].ndim else arrays[field.name].item()
        for field in fields(Video)
        if field.name in arrays
    }
    values |= {"path": path}
    check_noun(Video, values)
    video = Video(**values)
    check_video(video)
    return video


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def people_arrays(people: tuple[Person, ...]) -> dict[str, Any]:
    """Several people one after the other; `first_row` says where each begins.

    What has a row per frame is `Joined`: laid out, those of long films take much room.
    """
    arrays: dict[str, Any] = {
        "id": np.array([person.id for person in people], np.int32),
        "betas": np.stack([p.betas for p in people]) if people else np.zeros((0, 10), np.float32),
        "first_row": np.cumsum([0, *(len(person) for person in people)]),
    }
    if not people:
        return arrays
    for key in PER_FRAME:
        pieces = [getattr(person, key) for person in people]
        if all(piece is not None for piece in pieces):
            arrays[key] = Joined(pieces)
    if people[0].skeleton is not None:
        arrays["skeleton"] = people[0].skeleton
    return arrays


def people_from(arrays: Mapping[str, np.ndarray]) -> tuple[Person, ...]:
    """Rebuild the people of `people_arrays`.

    Raises:
        OutputError: the arrays do not make any up; the first thing wrong.
    """
    rows = _first_rows(arrays)
    skeleton = str(arrays["skeleton"]) if "skeleton" in arrays else None
    people = []
    for i, person_id in enumerate(arrays["id"]):
        part = slice(rows[i], rows[i + 1])
        values: dict[str, Any] = {k: arrays[k][part] for k in PER_FRAME if k in arrays}
        betas = arrays["betas"][i]
        values |= {"id": int(person_id), "betas": betas, "skeleton": skeleton}
        check_noun(Person, values)
        people.append(Person(**values))
    check_people(tuple(people))
    return tuple(people)


def _first_rows(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where each person begins, and where the last ends."""
    if lacking := {"id", "betas", "first_row"} - set(arrays):
        raise OutputError(f"{sorted(lacking)[0]} is missing")
    if any(arrays[key].ndim == 0 for key in (*PER_FRAME, "betas") if key in arrays):
        raise OutputError("numbers of all frames are a single one")
    rows, ids, betas = arrays["first_row"], arrays["id"], arrays["betas"]
    plain = all(a.ndim == 1 and a.dtype.kind in "iu" for a in (rows, ids))
    if not plain or len(rows) != len(ids) + 1 or len(betas) != len(ids):
        raise OutputError("id, betas and first_row do not belong together")
    if (np.diff(rows.astype(np.int64)) <= 0).any() or rows[0] != 0:
        raise OutputError("first_row does not count up from 0")
    return rows


def write_noun(path: Path, arrays: Mapping[str, Any], fingerprint: str) -> None:
    """Write a stage's result with the fingerprint of what made it."""
    extra = {"schema_version": SCHEMA_VERSION, "fingerprint": fingerprint}
    write_npz(path, {**arrays, **extra})


def read_if_made_by(path: Path, fingerprint: str) -> Arrays | None:
    """A stage's result if it is whole and carries this fingerprint, else None."""
    if not path.exists():
        return None
    try:
        arrays = read_npz(path)
    except OutputError:
        return None
    return arrays if str(arrays.get("fingerprint")) == fingerprint else None

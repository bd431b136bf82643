"""Finished parts of the first pass on disk, one file each, read again after an interruption."""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import storage
from pipeline.errors import OutputError
from pipeline.events import Event, events_from
from pipeline.files import write_npz
from pipeline.shots import SIGNATURE
from pipeline.types import Bodies, Detections

LOGGER = logging.getLogger(__name__)

CHUNK_FRAMES = 120


@dataclass(frozen=True)
class Chunk:
    """What was seen in some frames in a row."""

    time_s: np.ndarray
    detections: Detections
    bodies: Bodies
    looks: np.ndarray
    """(n, d) the detections' appearance, read off the pictures."""
    signatures: np.ndarray
    """(f, s) statistics of every frame's colours, to find cuts by."""
    events: list[Event]
    remembered: storage.Arrays = field(default_factory=dict)
    """What the detector knew of people after it."""


def joined(parts: list[Chunk], events: list[Event]) -> Chunk:
    """Several as one, with these events."""
    return Chunk(
        np.concatenate([part.time_s for part in parts]),
        storage.joined(Detections, [part.detections for part in parts]),
        storage.joined(Bodies, [part.bodies for part in parts]),
        np.concatenate([part.looks for part in parts]),
        np.concatenate([part.signatures for part in parts]),
        events,
    )


def saved_chunks(folder: Path, frame: int) -> Iterator[Chunk]:
    """The whole chunks already on disk without a hole; the first begins at `frame`."""
    before: Chunk | None = None
    for number, path in enumerate(sorted(folder.glob("[0-9]*.npz"))):
        if path.name != f"{number:06d}.npz":
            return
        try:
            chunk = _chunk_from(storage.read_npz(path))
            if before is not None and not _follows(chunk, before):
                raise OutputError("does not go on where the chunk before it ends")
            if not _of_frames(chunk, frame):
                raise OutputError("its people are not in its frames")
        except OutputError as error:
            LOGGER.warning("%s: %s; the work goes on from there", path.name, error)
            return
        yield chunk
        before, frame = chunk, frame + len(chunk.time_s)


def _of_frames(chunk: Chunk, first: int) -> bool:
    """Whether its people are in its frames, in their order."""
    frames = chunk.detections.frame_index.astype(np.int64) - first
    inside = (frames >= 0) & (frames < len(chunk.time_s))
    return bool(inside.all() and (np.diff(frames) >= 0).all())


def _chunk_from(arrays: storage.Arrays) -> Chunk:
    """A chunk from its file.

    Raises:
        OutputError: the arrays do not make one up.
    """
    for name, dimensions in (("time_s", 1), ("looks", 2), ("signatures", 2), ("events", 0)):
        kind = "U" if name == "events" else "f"
        if name not in arrays or (arrays[name].ndim, arrays[name].dtype.kind) != (dimensions, kind):
            raise OutputError(f"{name} is missing or of another form")
    if arrays["signatures"].shape[1] != SIGNATURE:
        raise OutputError("signatures are of another size")
    time_s, detections = arrays["time_s"], _without_prefix(arrays, "detections.")
    chunk = Chunk(
        time_s,
        storage.noun_from(Detections, detections),
        storage.noun_from(Bodies, _without_prefix(arrays, "bodies.")),
        arrays["looks"],
        arrays["signatures"],
        events_from(arrays["events"]),
        _without_prefix(arrays, "remembered."),
    )
    counts = len(chunk.detections), len(time_s)
    fits = (len(chunk.looks), len(chunk.signatures)) == counts and 0 < counts[1] <= CHUNK_FRAMES
    if not fits or len(chunk.bodies) not in (0, counts[0]) or (np.diff(time_s) <= 0).any():
        raise OutputError("its parts do not belong together")
    return chunk


def _follows(chunk: Chunk, before: Chunk) -> bool:
    """Whether two chunks' arrays can be put behind each other."""
    forms: list[dict[str, Any]] = []
    for one in (before, chunk):
        arrays = {"signatures": one.signatures}
        if len(one.detections):
            arrays |= storage.arrays_of(one.detections) | {"looks": one.looks}
        if len(one.bodies):
            arrays |= storage.arrays_of(one.bodies)
        forms.append({k: v.shape[1:] if np.ndim(v) else v for k, v in arrays.items()})
    shared = forms[0].keys() & forms[1].keys()
    alike = all(forms[0][key] == forms[1][key] for key in shared)
    return alike and float(chunk.time_s[0]) > float(before.time_s[-1])


def save_chunk(path: Path, chunk: Chunk) -> None:
    """Write it to its file.

    Raises:
        OutputError: it cannot be written.
    """
    arrays: dict[str, Any] = {
        "time_s": chunk.time_s,
        "looks": chunk.looks,
        "signatures": chunk.signatures,
    }
    for prefix, noun in (("detections.", chunk.detections), ("bodies.", chunk.bodies)):
        arrays |= {prefix + key: value for key, value in storage.arrays_of(noun).items()}
    arrays |= {"remembered." + key: value for key, value in chunk.remembered.items()}
    arrays["events"] = json.dumps([asdict(event) for event in chunk.events])
    write_npz(path, arrays, compressed=False)


def _without_prefix(arrays: storage.Arrays, prefix: str) -> storage.Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

"""Finished parts of the stage at work, so that a long stage goes on where it was interrupted.

A backend asks for a part by its name and says how to make it::

    arrays = context.parts.get(f"person {person.id}", make)

Outside a run that is all there is to it: `make` is called. In a run (`pipeline.keep`) parts lie in
the stage's folder of unfinished work until its result is written, and are read back instead of
made again. Which of them are there never changes the result: a part is exactly what `make` gave,
and what was told (events) while it was made is told again.

Parts are written together when some seconds of work have gathered, so that short runs write none.
A part asked for while another is made belongs to it, and is let go when that one is written.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.events import EventLog
from pipeline.files import output_errors
from pipeline.parts_file import Part, PartsFile, open_parts_file, write_parts_file

Arrays = dict[str, np.ndarray]
Make = Callable[[], Mapping[str, np.ndarray]]

EVERY_S = 5.0
VARIABLE = "HUMANS4D_PARTS_S"
"""The environment variable that tells other seconds than `EVERY_S`; 0 writes every part."""


def _every_s() -> float:
    try:
        return float(os.environ.get(VARIABLE, ""))
    except ValueError:
        return EVERY_S


@dataclass
class Parts:
    """What backends see: `get`."""

    every_s: float = field(default_factory=_every_s)
    """Seconds of work that gather before parts are written."""
    _store: "_Store | None" = field(default=None, init=False, repr=False)

    def get(self, name: str, make: Make) -> Arrays:
        """A part as `make` gives it, made now or before an interruption.

        Args:
            name: which part; unique in its stage, or in the part that is being made.
            make: makes it from what the stage was given, the same at every call.

        Raises:
            OutputError: parts cannot be written.
        """
        return self._store.get(name, make) if self._store else _plain(make())

    @contextmanager
    def kept_in(self, folder: Path, made_of: str, events: EventLog) -> Iterator[None]:
        """Keep parts while a stage works.

        Args:
            folder: the stage's own; parts lie beside whatever else is there.
            made_of: a digest of all that the parts depend on; parts of others are made again.
            events: where what is told meanwhile goes.
        """
        self._store = _Store(folder, made_of, events, self.every_s)
        try:
            yield
        finally:
            self._store = None


class _Store:
    """The parts of one stage, on disk and on their way there."""

    def __init__(self, folder: Path, made_of: str, events: EventLog, every_s: float) -> None:
        self._folder, self._made_of, self._events = folder, made_of, events
        self._every_s, self._written_s = every_s, time.perf_counter()
        self._open: list[str] = []
        """Names of the parts that are being made, each for the one before it."""
        self._asked: set[str] = set()
        self._waiting: dict[str, Part] = {}
        self._where: dict[str, PartsFile] = {}
        self._number = 0
        for path in sorted(folder.glob("parts_*.npz")):
            if found := open_parts_file(path, made_of):
                self._where |= dict.fromkeys(found.names, found)
        self._clear()

    def get(self, name: str, make: Make) -> Arrays:
        """See `Parts.get`."""
        full = "/".join([*self._open, name])
        assert full not in self._asked, f"two parts are called {full}"
        self._asked.add(full)
        part = self._where[full].read(full) if full in self._where else None
        if part is None:
            return self._made(name, full, make)
        for event in part.events:
            self._events.add(event)
        return part.arrays

    def _made(self, name: str, full: str, make: Make) -> Arrays:
        recorded = len(self._events.events)
        self._open.append(name)
        try:
            arrays = _plain(make())
        finally:
            self._open.pop()
        self._waiting = {n: p for n, p in self._waiting.items() if not n.startswith(f"{full}/")}
        self._waiting[full] = Part(arrays, tuple(self._events.events[recorded:]))
        if time.perf_counter() - self._written_s >= self._every_s:
            self._write()
        return arrays

    def _write(self) -> None:
        written = write_parts_file(self._free_path(), self._made_of, self._waiting)
        self._where |= dict.fromkeys(self._waiting, written)
        self._clear()
        self._waiting, self._written_s = {}, time.perf_counter()

    def _clear(self) -> None:
        """Let go of the parts of what is whole."""
        before = {file.path for file in self._where.values()}
        self._where = {n: f for n, f in self._where.items() if not _outer(n) & self._where.keys()}
        for path in before - {file.path for file in self._where.values()}:
            with output_errors(path):
                path.unlink(missing_ok=True)

    def _free_path(self) -> Path:
        while (path := self._folder / f"parts_{self._number:06d}.npz").exists():
            self._number += 1
        return path


def _outer(name: str) -> set[str]:
    """The names of the parts that a part belongs to."""
    above = name.split("/")[:-1]
    return {"/".join(above[: n + 1]) for n in range(len(above))}


def _plain(made: Mapping[str, np.ndarray]) -> Arrays:
    """Copies in the order of C: what is read back is laid out in memory no other way."""
    return {key: np.array(value, order="C") for key, value in made.items()}

"""Reuse what a stage made before when nothing that made it has changed; else make and keep it.

While a stage works it keeps what it has finished (`Keeper.unfinished`), so that a run that was
killed inside a stage goes on there; when the stage's file is noted, that is cleared away.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline import storage
from pipeline.context import Context
from pipeline.errors import OutputError, UserError
from pipeline.events import Event
from pipeline.files import value_digest
from pipeline.fingerprint import stage_fingerprint
from pipeline.heap import give_back
from pipeline.noun_shapes import check_detections
from pipeline.perceive import Perceived, Perceiver
from pipeline.report import Record
from pipeline.result import ResultFolder
from pipeline.types import Bodies, Detections, Person, Video
from pipeline.unchanged_people import DIGESTS, MADE_BY, digests_in, person_digest, unchanged

LOGGER = logging.getLogger(__name__)

Made = TypeVar("Made")

Check = Callable[[], None]
"""Raises where something is not as it was."""


def _nothing() -> None:
    """Nothing to check."""


FILE_OF_STAGE = {"tracking": "tracks", "refinement": "refined", "smoothing": "smoothed"}


@dataclass
class Keeper:
    """Keeps the results of one run; every fingerprint includes those before it."""

    folder: ResultFolder
    context: Context
    record: Record
    settings_of: Callable[..., Any]
    """Full settings of the named stages, as plain values."""
    fingerprints: list[str] = field(default_factory=list)

    def perceived(
        self, inputs: Any, video: Video, make: Callable[[], Perceiver], still: Check = _nothing
    ) -> Perceived:
        """The first pass: read back, or done (going on where it was interrupted)."""
        key = self._next("perception", self.settings_of("detection", "regression"), inputs)
        names = ("video", "detections", "bodies")
        kept = self._kept("perception", key, names, partial(_perceived, video.path))
        if kept is not None:
            return kept
        with self._input_watched(still):
            seen, events, seconds = self._timed(
                lambda: make()(video, self.unfinished), "perception"
            )
        contents: list[dict[str, Any]] = [
            storage.video_arrays(seen.video),
            storage.arrays_of(seen.detections),
            storage.arrays_of(seen.bodies),
        ]
        self._write("perception", key, dict(zip(names, contents, strict=True)), events, seconds)
        return seen

    def people(self, stage: str, make: Callable[[], tuple[Person, ...]]) -> tuple[Person, ...]:
        """A stage that gives people: read back from its file, or made."""
        key, name = self._next(stage, self.settings_of(stage)), FILE_OF_STAGE[stage]
        kept = self._kept(stage, key, (name,), storage.people_from)
        if kept is not None:
            return kept
        people, events, seconds = self._timed(make, stage)
        self._write(stage, key, {name: storage.people_arrays(people)}, events, seconds)
        return people

    def each(
        self,
        stage: str,
        given: tuple[Person, ...],
        make: Callable[[tuple[Person, ...]], tuple[Person, ...]],
    ) -> tuple[Person, ...]:
        """As `people`, for a stage that works person by person: only what changed is made again."""
        settings, name = self.settings_of(stage), FILE_OF_STAGE[stage]
        own = stage_fingerprint(stage, settings, self.fingerprints[:1])
        key = self._next(stage, settings)
        kept = self._kept(stage, key, (name,), storage.people_from)
        if kept is not None:
            return kept
        holds, told = self._unchanged(stage, given, own)
        new = tuple(person for number, person in enumerate(given) if number not in holds)
        # A person's parts depend on who else is worked on: whoever is nearer hides the others.
        some = [person.id for person in new]
        made, events, seconds = self._timed(lambda: make(new) if new else (), stage, some)
        for event in told:
            self.context.events.add(event)
        rest = iter(made)
        people = tuple(
            holds[number] if number in holds else next(rest) for number in range(len(given))
        )
        arrays = storage.people_arrays(people)
        arrays[DIGESTS] = np.array([person_digest(person) for person in given], dtype=np.str_)
        arrays[MADE_BY] = own
        self._write(stage, key, {name: arrays}, [*told, *events], seconds)
        return people

    def _unchanged(
        self, stage: str, given: tuple[Person, ...], own: str
    ) -> tuple[dict[int, Person], list[Event]]:
        """Earlier results that still hold, and what the stage had to say of them."""
        path = self.folder.stage_path(FILE_OF_STAGE[stage])
        noted = self.record.earlier.get(stage, {}).get("fingerprint")
        try:
            arrays = storage.read_npz(path)
            digests = digests_in(arrays, own)
            if str(arrays.get("fingerprint")) != noted:  # killed before run.json had its events
                digests = None
            before = storage.people_from(arrays) if digests is not None else ()
        except OutputError:
            digests = None
        if digests is None or len(digests) != len(before):
            return {}, []
        holds = unchanged(given, before, digests)
        id_now = {
            old.id: holds[number].id
            for number, person in enumerate(given)
            if number in holds
            for old, digest in zip(before, digests, strict=True)
            if digest == person_digest(person)
        }
        earlier = (Event(**e) for e in self.record.earlier.get(stage, {}).get("events", []))
        told = [
            replace(event, person_id=id_now[event.person_id])
            for event in earlier
            if event.person_id in id_now
        ]
        return holds, told

    @property
    def unfinished(self) -> Path:
        """Where the stage at work keeps what it has finished, for itself after an interruption.

        Chunks of the first pass, segments of the overlay, and the parts of `pipeline.parts`.
        """
        return self.folder.chunk_folder / self.fingerprints[-1]

    @contextmanager
    def _input_watched(self, still: Check) -> Iterator[None]:
        """What is made of an input that changes meanwhile counts for nothing."""
        try:
            still()
            yield
        except Exception:
            still()  # the reason behind whatever went wrong
            raise
        try:
            still()
        except UserError:
            self.tidy()
            raise

    def tidy(self) -> None:
        """Remove the parts of what is whole now."""
        shutil.rmtree(self.folder.chunk_folder, ignore_errors=True)

    def note_input(self, stage: str, value: Any) -> None:
        """Something from outside that all later stages depend on."""
        self._next(stage, value)

    def files(self, stage: str, make: Callable[[], list[Path]], still: Check = _nothing) -> None:
        """Files made from what came before: left alone where they are current, else made."""
        key = self._next(stage, self.settings_of(stage))
        if self.record.is_current(stage, key):
            self.record.note_reused(stage)
            return
        with self._input_watched(still):
            files, events, seconds = self._timed(make, stage)
        self.record.note(stage, key, files, seconds, events)

    def _next(self, stage: str, settings: Any, inputs: Any = None) -> str:
        key = stage_fingerprint(stage, settings, self.fingerprints, inputs)
        self.fingerprints.append(key)
        return key

    def _kept(
        self, stage: str, key: str, names: tuple[str, ...], build: Callable[..., Made]
    ) -> Made | None:
        """What an earlier run left of a stage, if it still holds; that it is used is noted."""
        paths = [self.folder.stage_path(name) for name in names]
        kept = [storage.read_if_made_by(path, key) for path in paths]
        if any(arrays is None for arrays in kept) or not self.record.is_current(stage, key):
            return None
        try:
            made = build(*kept)
        except OutputError as error:
            text = f"Kept results of {stage} were damaged ({error}); they are made again"
            self.context.events.record(stage, "info", text)
            return None
        LOGGER.info("%s is kept", stage, extra={"stage": stage})
        self.record.note_reused(stage)
        return made

    def _timed(
        self, make: Callable[[], Made], stage: str, given: Any = None
    ) -> tuple[Made, list[Event], float]:
        """What a stage makes of what is `given` beyond its fingerprint; its parts are kept."""
        LOGGER.info("%s begins", stage, extra={"stage": stage})
        start_s, recorded = time.perf_counter(), len(self.context.events.events)
        made_of = value_digest([self.fingerprints[-1], given])
        give_back()
        with self.context.parts.kept_in(self.unfinished, made_of, self.context.events):
            made = make()
        give_back()  # what the stage needed itself; its result is copied to be written
        seconds = round(time.perf_counter() - start_s, 3)
        LOGGER.info("%s is done", stage, extra={"fields": {"seconds": seconds}})
        return made, self.context.events.events[recorded:], seconds

    def _write(
        self,
        stage: str,
        key: str,
        contents: dict[str, dict[str, Any]],
        events: list[Event],
        seconds: float,
    ) -> None:
        paths = [self.folder.stage_path(name) for name in contents]
        for path, arrays in zip(paths, contents.values(), strict=True):
            storage.write_noun(path, arrays, key)
        self.record.note(stage, key, paths, seconds, events)
        self.tidy()


def _perceived(
    path: Path, video: storage.Arrays, detections: storage.Arrays, bodies: storage.Arrays
) -> Perceived:
    """The first pass from its files."""
    seen = Perceived(
        storage.video_from(video, path),
        storage.noun_from(Detections, detections),
        storage.noun_from(Bodies, bodies),
    )
    check_detections(seen.video, seen.detections, seen.bodies)
    return seen

"""Corrections of who is who, applied to the people that tracking found."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.files import value_digest
from pipeline.identities import FILE, Edit, Identities
from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from pipeline.types import SIGHTED, Person, Status, Video

Sighting = tuple[int, int]
"""Number of a person as tracked, and the row in it."""


@dataclass(frozen=True)
class Corrected:
    """People after the corrections; those that no line touches are the very same objects."""

    people: tuple[Person, ...]
    names: dict[int, str]


def tracks_digest(people: tuple[Person, ...]) -> str:
    """Tells one tracking's people from another's: ids and frames."""
    facts = [[p.id, int(p.frame_index[0]), np.flatnonzero(p.observed).tolist()] for p in people]
    return value_digest(facts)[:16]


def corrected(
    people: tuple[Person, ...], identities: Identities, video: Video, events: EventLog
) -> Corrected:
    """Apply the lines in order.

    Raises:
        InputError: the ids belong to another tracking, or a line does not fit the people.
    """
    if not identities.edits:
        return Corrected(people, {})
    if identities.tracks and identities.tracks != tracks_digest(people):
        raise InputError(
            f"{FILE}: was written for another tracking of this video, so its ids may be other "
            "people's. Check its lines and remove 'tracks: ...' from it, or remove the file"
        )
    work = _Work.of(people)
    for edit in identities.edits:
        did = work.apply(edit)
        events.record("tracking", "info", f"Corrected by hand: {edit}{did and f' ({did})'}.")
    return Corrected(work.people(video), work.names)


@dataclass
class _Work:
    """Sightings of everybody while the lines are applied."""

    tracked: tuple[Person, ...]
    who: dict[int, dict[int, Sighting]]
    """By id, then by frame."""
    touched: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    gone: dict[int, Edit] = field(default_factory=dict)
    """The line that took a person away."""

    @classmethod
    def of(cls, people: tuple[Person, ...]) -> "_Work":
        who = {
            person.id: {
                int(person.frame_index[row]): (number, int(row))
                for row in np.flatnonzero(person.observed)
            }
            for number, person in enumerate(people)
        }
        return cls(people, who)

    def apply(self, edit: Edit) -> str:
        """One line; what it did beyond what it says, in words."""
        verbs: dict[str, Callable[[Edit], str | None]] = {
            "merge": self._merge,
            "split": self._split,
            "swap": self._swap,
            "drop": self._drop,
            "keep": self._keep,
            "name": self._name,
        }
        before = set(self.who)
        did = verbs[edit.verb](edit)
        self.gone |= dict.fromkeys(before - set(self.who), edit)
        return did or ""

    def _of(self, edit: Edit, person_id: int) -> dict[int, Sighting]:
        if person_id not in self.who:
            known = ", ".join(map(str, sorted(self.who))) or "none"
            line = self.gone.get(person_id)
            why = f" ('{line}' took that one away; take the line out, or undo)" if line else ""
            raise InputError(
                f"{FILE}: '{edit}': there is no person {person_id} here{why}. There are: {known}"
            )
        return self.who[person_id]

    def _merge(self, edit: Edit) -> str:
        first, *others = edit.numbers
        own = self._of(edit, first)
        both: set[int] = set()
        for other in others:
            both |= own.keys() & self._of(edit, other).keys()
            for frame, sighting in self._of(edit, other).items():
                if frame not in own or self._sureness(sighting) > self._sureness(own[frame]):
                    own[frame] = sighting
            del self.who[other]
            self.names.pop(other, None)
        self.touched.add(first)
        if not both:
            return ""
        return (
            f"seen at once in {len(both)} frames, the first is {min(both)}: of each the surer "
            "sighting is kept"
        )

    def _split(self, edit: Edit) -> None:
        person_id, frame = edit.numbers
        own = self._of(edit, person_id)
        later = {f: s for f, s in own.items() if f >= frame}
        if not later or len(later) == len(own):
            raise InputError(
                f"{FILE}: '{edit}': person {person_id} is seen from frame {min(own)} to "
                f"{max(own)}; choose a frame between"
            )
        self.who[person_id] = {f: s for f, s in own.items() if f < frame}
        new = max(self.who) + 1
        self.who[new] = later
        self.touched |= {person_id, new}

    def _swap(self, edit: Edit) -> None:
        a, b, start, *rest = edit.numbers
        end = rest[0] if rest else 2**31 - 1
        first, second = self._of(edit, a), self._of(edit, b)

        def parts(of: dict[int, Sighting]) -> tuple[dict[int, Sighting], dict[int, Sighting]]:
            inside = {f: s for f, s in of.items() if start <= f <= end}
            return inside, {f: s for f, s in of.items() if f not in inside}

        first_in, first_out = parts(first)
        second_in, second_out = parts(second)
        if not first_in and not second_in:
            raise InputError(f"{FILE}: '{edit}': neither is seen in these frames")
        self.who[a], self.who[b] = first_out | second_in, second_out | first_in
        if not self.who[a] or not self.who[b]:
            raise InputError(f"{FILE}: '{edit}' leaves a person without a frame; use merge or drop")
        self.touched |= {a, b}

    def _drop(self, edit: Edit) -> None:
        for person_id in edit.numbers:
            self._of(edit, person_id)
            del self.who[person_id]
            self.names.pop(person_id, None)

    def _keep(self, edit: Edit) -> str:
        left = sorted(self.who.keys() - set(edit.numbers))
        self.who = {person_id: self._of(edit, person_id) for person_id in edit.numbers}
        self.names = {i: name for i, name in self.names.items() if i in self.who}
        return f"left out: {', '.join(map(str, left))}" if left else ""

    def _name(self, edit: Edit) -> None:
        self._of(edit, edit.numbers[0])
        self.names[edit.numbers[0]] = edit.text

    def _sureness(self, sighting: Sighting) -> float:
        number, row = sighting
        return float(self.tracked[number].confidence[row])

    def people(self, video: Video) -> tuple[Person, ...]:
        """Everybody, by id; who was not touched is the object that tracking gave."""
        same = {person.id: person for person in self.tracked}
        return tuple(
            _rebuilt(person_id, self.who[person_id], self.tracked, video)
            if person_id in self.touched
            else same[person_id]
            for person_id in sorted(self.who)
        )


def _rebuilt(
    person_id: int, sightings: dict[int, Sighting], tracked: tuple[Person, ...], video: Video
) -> Person:
    """A person from its sightings; between them pose and place are interpolated, MISSING."""
    seen = np.array(sorted(sightings), np.int32)
    sources = [sightings[int(frame)] for frame in seen]

    def gathered(name: str) -> np.ndarray | None:
        values = [getattr(tracked[number], name) for number, _ in sources]
        if any(value is None for value in values):
            return None
        rows = (row for _, row in sources)
        return np.stack([value[row] for value, row in zip(values, rows, strict=True)])

    frames = np.arange(seen[0], seen[-1] + 1, dtype=np.int32)
    rows, time_s = seen - seen[0], video.times_of(frames)
    gap = np.ones(len(frames), dtype=bool)
    gap[rows] = False
    full = {}
    for name in SIGHTED:
        values = gathered(name)
        full[name] = None if values is None else _spread(values, rows, len(frames))
    pose, place = full.pop("pose_rotvec"), full.pop("t_camera_m")
    assert pose is not None and place is not None
    known_s = time_s[rows]
    pose[gap] = interpolate_rotvec(known_s, pose[rows], time_s[gap])
    place[gap] = interpolate_linear(known_s, place[rows], time_s[gap])
    confidence = np.zeros(len(frames), np.float32)
    confidence[rows] = [tracked[number].confidence[row] for number, row in sources]
    betas = np.median([tracked[number].betas for number, _ in sources], axis=0)
    return replace(
        tracked[sources[0][0]],
        id=person_id,
        frame_index=frames,
        time_s=time_s,
        status=np.where(gap, Status.MISSING, Status.OBSERVED).astype(np.uint8),
        confidence=confidence,
        pose_rotvec=pose,
        betas=betas.astype(np.float32),
        t_camera_m=place,
        **full,  # type: ignore[arg-type]
    )


def _spread(values: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    out = np.full((count, *values.shape[1:]), np.nan, dtype=np.float32)
    out[rows] = values
    return out


def identities_digest(folder: Path) -> str:
    """Of the corrections' text; empty where there are none."""
    path = folder / FILE
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

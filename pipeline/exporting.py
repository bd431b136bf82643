"""From a result folder to files of other tools: which people and frames, in which axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import backends, storage
from pipeline.context import Context
from pipeline.errors import InputError, OutputError, SettingsError
from pipeline.events import EventLog
from pipeline.judging.floor import Floor
from pipeline.levelling import on_floor, tell_floor
from pipeline.person_file import read_person
from pipeline.result import ResultFolder
from pipeline.schema import person_problems
from pipeline.take import Take, Up, without_gaps
from pipeline.types import Camera, Person

STAGE = "export"


@dataclass(frozen=True)
class Part:
    """Which part of a result to export."""

    people: tuple[int, ...] | None = None
    """Ids; None: everybody."""
    start_s: float | None = None
    """Leave out frames before this time on the video's clock."""
    end_s: float | None = None
    """Leave out frames from this time on."""


def read_take(folder: ResultFolder, part: Part, context: Context, *, verb: str = "export") -> Take:
    """The chosen people and frames of a result, with missing frames as they are.

    `verb` is what is to be done with them, for errors.

    Raises:
        OutputError: no result, not a complete one, or a file in it that breaks the schema.
        SettingsError: a person or a stretch that is not there, or another body than the result's.
        InputError: there is nobody in the result, or in this part of it.
    """
    report = folder.read_report()
    if report.get("status") != "complete":
        text = f"{folder.path}: this run is not complete. Run the same command again to finish it"
        raise OutputError(text)
    read = [
        _checked_person(folder.path / entry["file"])
        for entry in _chosen(report, part, folder, verb)
    ]
    people = tuple(person for person, _ in read)
    _check_body(read[0][1], context, folder)
    frame_index, time_s = _clock(folder, people)
    inside = _inside(time_s, part)
    facts, camera = report["video"], report["camera"]
    take = Take(
        name=folder.path.resolve().name,
        people=people,
        body=context.body,
        camera=Camera(np.array(camera["K_px"], dtype=np.float64), camera["origin"]),
        width_px=facts["width_px"],
        height_px=facts["height_px"],
        frame_index=frame_index[inside],
        time_s=time_s[inside],
        source_video=facts["path"],
    )
    return replace(take, people=_cut(people, take, context.events, verb))


def _chosen(
    report: Mapping[str, Any], part: Part, folder: ResultFolder, verb: str
) -> list[dict[str, Any]]:
    listed = report.get("people", [])
    if not listed:
        raise InputError(
            f"{folder.path}: there is nobody in this result, so nothing to {verb}. "
            f"What the run saw and dropped: humans4d inspect {folder.path}"
        )
    if part.people is None:
        return listed
    known = [entry["id"] for entry in listed]
    if unknown := sorted(set(part.people) - set(known)):
        raise SettingsError(
            f"--people {','.join(map(str, unknown))}: not in {folder.path}. "
            f"It has: {','.join(map(str, known))}"
        )
    return [entry for entry in listed if entry["id"] in part.people]


def _checked_person(path: Path) -> tuple[Person, Mapping[str, np.ndarray]]:
    problems = person_problems(storage.read_npz(path))
    if problems:
        raise OutputError(
            f"{path}: {problems[0]}. See all with: humans4d validate {path.parent.parent}"
        )
    return read_person(path)


def _check_body(arrays: Mapping[str, np.ndarray], context: Context, folder: ResultFolder) -> None:
    made_with = str(arrays["body_model"])
    if made_with != context.body.name:
        raise SettingsError(
            f"{folder.path}: was made with the body '{made_with}', not with '{context.body.name}'. "
            "Give the SMPL file it was made with: --body SMPL_NEUTRAL.pkl"
        )


def _clock(folder: ResultFolder, people: tuple[Person, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Frames and times of the whole video; of the people alone where it was not kept."""
    path = folder.stage_path("video")
    if path.exists():
        video = storage.video_from(storage.read_npz(path), Path())
        return video.frame_index, video.time_s
    frame_index, first = np.unique(
        np.concatenate([person.frame_index for person in people]), return_index=True
    )
    return frame_index, np.concatenate([person.time_s for person in people])[first]


def _inside(time_s: np.ndarray, part: Part) -> np.ndarray:
    start_s = -np.inf if part.start_s is None else part.start_s
    end_s = np.inf if part.end_s is None else part.end_s
    inside = (time_s >= start_s) & (time_s < end_s)
    if not inside.any():
        given = (("--start", part.start_s), ("--end", part.end_s))
        asked = " ".join(f"{name} {value:g}" for name, value in given if value is not None)
        raise SettingsError(
            f"{asked}: no frame there; the video's go from {time_s[0]:.3f} s to {time_s[-1]:.3f} s"
        )
    return inside


def _cut(people: tuple[Person, ...], take: Take, events: EventLog, verb: str) -> tuple[Person, ...]:
    """Everybody in the stretch's frames only; gaps that are cut open stay gaps."""
    cut = []
    for person in people:
        rows = np.isin(person.frame_index, take.frame_index)
        if (rows & person.drawn).any():
            cut.append(_rows_of(person, rows))
        else:
            events.record(STAGE, "drop", "not seen in this stretch: left out", person_id=person.id)
    if not cut:
        raise InputError(f"nobody was seen in this stretch, so there is nothing to {verb}")
    return tuple(cut)


def _rows_of(person: Person, rows: np.ndarray) -> Person:
    """Some rows of a person; those where a gap is all there is at either end are left out."""
    full, drawn = without_gaps(person), np.flatnonzero(rows & person.drawn)
    return full.cut(slice(drawn[0], drawn[-1] + 1))


def export(
    take: Take,
    formats: Sequence[str],
    folder: Path,
    context: Context,
    *,
    up: Up | None = None,
    floor: Floor | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, list[Path]]:
    """Write a take in several formats; all settings are checked before the first is written.

    Args:
        take: From `read_take`.
        formats: Names of export backends.
        folder: Where to; made if need be.
        context: For the backends' use.
        up: Axis that points up; each format's own habit where None.
        floor: Level by this floor and stand on it (`pipeline.levelling.on_floor`); None: the
            camera is the origin, and level.
        options: Settings by format.

    Returns:
        The files written, by format.
    """
    if floor:
        tell_floor(floor, context.events)
    makers = {name: _maker(name, (options or {}).get(name, {}), context) for name in formats}
    written = {}
    for name, backend in makers.items():
        module = backends.load(STAGE, name)
        turned = take.with_up(_up_for(name, module.UPS, up, context.events))
        if floor and module.UPS:
            turned = on_floor(turned, floor)
        if module.FILLS_GAPS:
            _tell_gaps(take, name, context.events)
        written[name] = backend(turned, folder)
    return written


def _maker(name: str, options: Mapping[str, Any], context: Context) -> Any:
    return backends.make(STAGE, name, backends.make_config(STAGE, name, dict(options)), context)


def _up_for(name: str, ups: tuple[Up, ...], wanted: Up | None, events: EventLog) -> Up:
    if not ups or wanted is None:
        return ups[0] if ups else "y"
    if wanted not in ups:
        text = f"{name}: is {ups[0]} up by its standard, which programs expect; --up does not apply"
        events.record(STAGE, "info", text)
        return ups[0]
    return wanted


def _tell_gaps(take: Take, name: str, events: EventLog) -> None:
    for person in take.people:
        if missing := int((~person.drawn).sum()):
            text = f"{missing} frames without a body are filled between their neighbours in {name}"
            events.record(STAGE, "assumption", text, person_id=person.id)

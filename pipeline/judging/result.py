"""A whole result judged: read from its folder, so that imported results can be judged as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline import storage
from pipeline.context import Context
from pipeline.errors import OutputError, SettingsError
from pipeline.judging.crossings import (
    Continuation,
    Crossing,
    find_continuations,
    find_crossings,
)
from pipeline.judging.feet import Stance, find_stance
from pipeline.judging.floor import Floor, find_floor
from pipeline.judging.person import PersonQuality, judge_person
from pipeline.judging.posed import Posed, pose_person, statures_m
from pipeline.judging.verdict import Risk, Verdict, judge
from pipeline.person_file import read_person
from pipeline.result import ResultFolder
from pipeline.schema import person_problems
from pipeline.types import Bodies, Camera, Detections, Person

SAME_BOX_PX = 1e-3


@dataclass(frozen=True)
class Judgement:
    """What can be said of a result without ground truth."""

    people: tuple[PersonQuality, ...]
    posed: tuple[Posed, ...]
    verdicts: tuple[Verdict, ...]
    floor: Floor
    stances: tuple[Stance, ...]
    crossings: tuple[Crossing, ...]
    continuations: tuple[Continuation, ...]


@dataclass(frozen=True)
class _Shapes:
    """The shapes that single frames gave, to be matched to people by their boxes."""

    frame_index: np.ndarray
    boxes_xyxy_px: np.ndarray
    betas: np.ndarray

    def of(self, person: Person) -> np.ndarray:
        """(n, 10) betas of the person's own detections."""
        rows = np.flatnonzero(np.isin(self.frame_index, person.frame_index[person.observed]))
        own = person.boxes_xyxy_px[self.frame_index[rows] - person.frame_index[0]]
        return self.betas[rows[(np.abs(own - self.boxes_xyxy_px[rows]) < SAME_BOX_PX).all(axis=1)]]


def judge_result(folder: ResultFolder, report: Mapping[str, Any], context: Context) -> Judgement:
    """Read and judge everybody.

    Args:
        folder: the result's.
        report: content of its run.json.
        context: gives the body.

    Raises:
        OutputError: a person's file is missing or breaks the schema.
        SettingsError: the result was made with another body.
    """
    camera = Camera(np.array(report["camera"]["K_px"], np.float64), report["camera"]["origin"])
    files = [_read(folder, entry, context) for entry in report.get("people", [])]
    posed = tuple(pose_person(person, context.body) for person, _ in files)
    stances = tuple(find_stance(one, camera) for one in posed)
    floor = find_floor(posed, stances)
    shapes = _read_shapes(folder)
    people = tuple(
        judge_person(
            one,
            stance,
            floor,
            camera,
            file_joints_m=arrays["joints_camera_m"],
            statures_m=_statures(shapes, one.person, context),
        )
        for one, stance, (_, arrays) in zip(posed, stances, files, strict=True)
    )
    crossings, continuations = find_crossings(posed), find_continuations(posed)
    fps = float(report["video"]["fps"])
    verdicts = tuple(
        judge(one.summary, fps, _risk(one.person.id, crossings, continuations)) for one in people
    )
    return Judgement(people, posed, verdicts, floor, stances, crossings, continuations)


def _read(
    folder: ResultFolder, entry: Mapping[str, Any], context: Context
) -> tuple[Person, Mapping[str, np.ndarray]]:
    path = folder.path / entry["file"]
    if problems := person_problems(storage.read_npz(path)):
        raise OutputError(f"{path}: {problems[0]}. See all with: humans4d validate {folder.path}")
    person, arrays = read_person(path)
    if (made_with := str(arrays["body_model"])) != context.body.name:
        raise SettingsError(
            f"{path}: was made with the body '{made_with}', not with '{context.body.name}'. "
            "Give the SMPL file it was made with: body.model=SMPL_NEUTRAL.pkl"
        )
    return person, arrays


def _read_shapes(folder: ResultFolder) -> _Shapes | None:
    """None where the stage results were removed, or the result comes from elsewhere."""
    paths = [folder.stage_path(name) for name in ("detections", "bodies")]
    if not all(path.exists() for path in paths):
        return None
    detections = storage.noun_from(Detections, storage.read_npz(paths[0]))
    bodies = storage.noun_from(Bodies, storage.read_npz(paths[1]))
    if len(detections) != len(bodies):
        raise OutputError(f"{folder.path}: {len(bodies)} bodies for {len(detections)} detections")
    return _Shapes(detections.frame_index, detections.boxes_xyxy_px, bodies.betas)


def _statures(shapes: _Shapes | None, person: Person, context: Context) -> np.ndarray:
    return np.zeros(0) if shapes is None else statures_m(shapes.of(person), context.body)


def _risk(
    person_id: int, crossings: Sequence[Crossing], continuations: Sequence[Continuation]
) -> Risk:
    own = [crossing for crossing in crossings if person_id in crossing.people]
    found = next((c.found for c in continuations if c.lost == person_id), None)
    if not own:
        return Risk(goes_on_as=found)
    worst = max(own, key=lambda crossing: crossing.exchange_risk)
    other = next(one for one in worst.people if one != person_id)
    return Risk(worst.exchange_risk, other, worst.start_s, found)

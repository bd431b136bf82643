"""What a view draws: the chosen people, the floor they stand on, the camera, moment by moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8

from pipeline.body import BodyModel
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.exporting import Part, read_take
from pipeline.judging.feet import find_stance
from pipeline.judging.floor import Floor, find_floor
from pipeline.judging.posed import Posed, pose_person
from pipeline.posing import Poser
from pipeline.result import ResultFolder
from pipeline.take import Take
from pipeline.types import Camera, Person, PosedMesh, Status


@dataclass(frozen=True)
class Moment:
    """One frame."""

    frame_index: int
    time_s: float
    rgb: UInt8[np.ndarray, "h w 3"] | None
    """The source's picture, where there is one."""
    meshes: list[PosedMesh]


@dataclass(frozen=True)
class Scene:
    """Everything but the pictures."""

    people: tuple[Posed, ...]
    """Those to draw."""
    everybody: tuple[Posed, ...]
    floor: Floor
    camera: Camera
    size_px: tuple[int, int]
    body: BodyModel
    renderer: Any
    """A rendering backend; see `stages.rendering`."""
    fps: float

    @cached_property
    def poser(self) -> Poser:
        """Poses the chosen people."""
        return Poser(tuple(posed.person for posed in self.people), self.body)

    def meshes(self, start: int, end: int) -> list[list[PosedMesh]]:
        """Bodies of source frames start..end-1; those between sightings say so."""
        frames = self.poser.meshes(start, end)
        return [[_labelled(mesh) for mesh in meshes] for meshes in frames]

    def at(self, posed: Posed, frame_index: int) -> int | None:
        """The person's row of a frame; None before the first and after the last sighting."""
        row = frame_index - int(posed.person.frame_index[0])
        return row if 0 <= row < len(posed.person) else None


def _labelled(mesh: PosedMesh) -> PosedMesh:
    return mesh if mesh.alpha == 1.0 else replace(mesh, label=f"{mesh.label} filled in")


def read_scene(
    folder: ResultFolder, part: Part, context: Context, renderer: Any
) -> tuple[Scene, Take]:
    """A result as a scene, and what was read.

    Raises:
        SettingsError: an id that is not there, a stretch without frames, another body.
        OutputError, InputError: as of `read_take`.
    """
    take = read_take(folder, replace(part, people=None), context, verb="draw")
    everybody = tuple(pose_person(person, context.body) for person in take.people)
    stances = [find_stance(posed, take.camera) for posed in everybody]
    chosen = _chosen(everybody, part, folder)
    scene = Scene(
        people=chosen,
        everybody=everybody,
        floor=find_floor(everybody, stances),
        camera=take.camera,
        size_px=(take.width_px, take.height_px),
        body=context.body,
        renderer=renderer,
        fps=take.fps,
    )
    return scene, take


def _chosen(everybody: Sequence[Posed], part: Part, folder: ResultFolder) -> tuple[Posed, ...]:
    ids = part.people
    known = [posed.person.id for posed in everybody]
    unknown = sorted(set(ids or ()) - set(known))
    if unknown:
        raise SettingsError(
            f"--people {','.join(map(str, unknown))}: not in {folder.path}. "
            f"It has{_there(part)}: {','.join(map(str, known))}"
        )
    return tuple(posed for posed in everybody if ids is None or posed.person.id in ids)


def _there(part: Part) -> str:
    whole = part.start_s is None and part.end_s is None
    return "" if whole else " in this stretch"


def is_filled(person: Person, row: int) -> bool:
    """Drawn, but not seen."""
    return person.status[row] in (Status.INTERPOLATED, Status.PREDICTED)


def floor_points_m(
    floor: Floor, points_m: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "n 3"]:
    """Points brought straight down onto the floor, camera axes."""
    return points_m - floor.height_m(points_m)[:, None] * floor.up

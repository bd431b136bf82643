"""OpenSim: a motion (.mot) of a person's joints, and the model (.osim) that it moves.

OpenSim's own models have other joints than SMPL; for those, give them the markers of `trc` and let
OpenSim solve for their angles. Here the model is SMPL's skeleton itself, in the person's size, so
that nothing is lost: y up, metres, degrees, times of the source.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.take import SkeletonMotion, Take
from pipeline.types import Person
from stages.export.opensim.model import TURNS, coordinates, model_xml

UPS = ("y",)
FILLS_GAPS = True
FULL_TURN_DEG = 360.0


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Writes `<take>_person_NNN.osim` and `.mot`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """Two files per person."""
        return [path for person in take.people for path in _write(take, person, folder / "opensim")]


def _write(take: Take, person: Person, folder: Path) -> list[Path]:
    motion, stem = take.skeleton(person), take.file_stem(person)
    contents = {
        folder / f"{stem}.osim": model_xml(stem, motion.rest_m),
        folder / f"{stem}.mot": "\n".join(_motion_lines(stem, motion, person)) + "\n",
    }
    for path, text in contents.items():
        with written_aside(path) as aside:
            aside.write_text(text, encoding="ascii")
    return list(contents)


def _motion_lines(stem: str, motion: SkeletonMotion, person: Person) -> Iterator[str]:
    names, values = coordinates(), _values(motion)
    yield from (stem, "version=1", f"nRows={len(person)}", f"nColumns={len(names) + 1}")
    yield from ("inDegrees=yes", "endheader", "\t".join(("time", *names)))
    for time_s, row in zip(person.time_s, values, strict=True):
        yield "\t".join((repr(float(time_s)), *(f"{value:.6f}" for value in row)))


def _values(motion: SkeletonMotion) -> np.ndarray:
    """(t, 75): place of the pelvis in metres, then every joint's angles in degrees."""
    count = len(motion.root_m)
    order = "".join(TURNS).upper()
    turns = Rotation.from_matrix(motion.local_rotmat.reshape(-1, 3, 3)).as_euler(
        order, degrees=True
    )
    steady = np.unwrap(turns.reshape(count, -1), period=FULL_TURN_DEG, axis=0)
    return np.concatenate([motion.root_m, steady], axis=1)

"""BVH: a skeleton with a channel per number and a row per frame; one file per person.

At rest the body stands upright with its joints where the person's shape puts them, every joint's
axes along the file's axes; so a joint's channels are SMPL's own rotation of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.skeletons import SMPL24_PARENTS
from pipeline.take import SkeletonMotion, Take, mean_fps
from pipeline.types import Person
from stages.export._even import tell_uneven
from stages.export._names import Naming, joint_names

UPS = ("y", "z")
FILLS_GAPS = True
UNITS_PER_M = {"cm": 100.0, "m": 1.0}
FULL_TURN_DEG = 360.0
_ROTATIONS = "Zrotation Xrotation Yrotation"
_END_SITE_M = 0.1
"""Length of the last bones, which SMPL does not have and BVH wants."""


class Config(BackendConfig):
    """What the receiving program likes."""

    unit: Literal["cm", "m"] = "cm"
    names: Naming = "smpl"


class Backend:
    """Writes `<take>_person_NNN.bvh`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file per person."""
        return [self._write(take, person, folder / "bvh") for person in take.people]

    def _write(self, take: Take, person: Person, folder: Path) -> Path:
        motion, path = take.skeleton(person), folder / f"{take.file_stem(person)}.bvh"
        tell_uneven("bvh", person, self.context)
        with written_aside(path) as aside:
            aside.write_text("\n".join(self._lines(motion, person)) + "\n", encoding="ascii")
        return path

    def _lines(self, motion: SkeletonMotion, person: Person) -> Iterator[str]:
        scale = UNITS_PER_M[self.config.unit]
        yield "HIERARCHY"
        yield from _hierarchy(motion.rest_m * scale, scale, joint_names(self.config.names))
        yield "MOTION"
        yield f"Frames: {len(person)}"
        yield f"Frame Time: {1 / mean_fps(person.time_s):.12f}"
        order = list(_depth_first(0))
        turns = motion.local_rotmat[:, order].reshape(-1, 3, 3)
        degrees = Rotation.from_matrix(turns).as_euler("ZXY", degrees=True)
        degrees = np.unwrap(degrees.reshape(len(person), -1), period=FULL_TURN_DEG, axis=0)
        rows = np.concatenate([motion.root_m * scale, degrees], axis=1)
        yield from (" ".join(f"{value:.6f}" for value in row) for row in rows)


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(SMPL24_PARENTS) if parent == joint]


def _depth_first(joint: int) -> Iterator[int]:
    yield joint
    for child in _children(joint):
        yield from _depth_first(child)


def _hierarchy(
    rest: np.ndarray, scale: float, names: tuple[str, ...], joint: int = 0, depth: int = 0
) -> Iterator[str]:
    """The joints from one of them outwards; the root's offset is zero, as most readers assume."""
    pad, parent = "\t" * depth, SMPL24_PARENTS[joint]
    offset = rest[joint] - rest[parent] if depth else np.zeros(3)
    yield f"{pad}{'JOINT' if depth else 'ROOT'} {names[joint]}"
    yield f"{pad}{{"
    yield f"{pad}\tOFFSET {_numbers(offset)}"
    if depth:
        yield f"{pad}\tCHANNELS 3 {_ROTATIONS}"
    else:
        yield f"{pad}\tCHANNELS 6 Xposition Yposition Zposition {_ROTATIONS}"
    for child in _children(joint):
        yield from _hierarchy(rest, scale, names, child, depth + 1)
    if not _children(joint):
        end = offset / np.linalg.norm(offset) * _END_SITE_M * scale
        yield from (f"{pad}\tEnd Site", f"{pad}\t{{", f"{pad}\t\tOFFSET {_numbers(end)}")
        yield f"{pad}\t}}"
    yield f"{pad}}}"


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)

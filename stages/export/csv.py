"""CSV of joints: one table with everybody, a row per person and frame, metres.

A frame without a body keeps its row; the places in it are empty.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.skeletons import SMPL24
from pipeline.take import Take
from pipeline.types import Person, Status

UPS = ("y", "z")
FILLS_GAPS = False


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Writes `<take>_joints.csv`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One table."""
        path = folder / "csv" / f"{take.name}_joints.csv"
        with written_aside(path) as aside, aside.open("w", encoding="ascii", newline="") as file:
            table = csv.writer(file)
            table.writerow(_head())
            for person in take.people:
                table.writerows(_rows(take, person))
        return [path]


def _head() -> list[str]:
    places = [f"{point}_{axis}_m" for point in SMPL24.points for axis in "xyz"]
    return ["person", "frame", "time_s", "status", "confidence", *places]


def _rows(take: Take, person: Person) -> Iterator[list[str]]:
    joints_m = take.posed(person).joints_m.reshape(len(person), -1).numpy()
    for row, places in enumerate(joints_m):
        status = Status(person.status[row])
        shown = person.drawn[row]
        yield [
            str(person.id),
            str(person.frame_index[row]),
            repr(float(person.time_s[row])),
            status.name.lower(),
            f"{person.confidence[row]:.4f}",
            *(f"{value:.6f}" if shown else "" for value in places),
        ]

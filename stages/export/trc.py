"""TRC: markers for OpenSim, Pose2Sim and the like; one text file per person, metres.

Times are the source's own. Frames without a body hold `nan`, since OpenSim refuses rows that end in
an empty cell.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.take import Take, mean_fps
from pipeline.types import Person
from stages.export._markers import MarkerConfig, Markers, markers

UPS = ("y", "z")
FILLS_GAPS = False


class Config(MarkerConfig):
    """Which points."""


class Backend:
    """Writes `<take>_person_NNN.trc`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file per person."""
        return [self._write(take, person, folder / "trc") for person in take.people]

    def _write(self, take: Take, person: Person, folder: Path) -> Path:
        path = folder / f"{take.file_stem(person)}.trc"
        shown = markers(take, person, self.config.points)
        with written_aside(path) as aside:
            lines = (*_head(path.name, shown, person), *_rows(shown, person))
            aside.write_text("\n".join(lines) + "\n", encoding="ascii")
        return path


def _head(file_name: str, shown: Markers, person: Person) -> tuple[str, ...]:
    rate, count = f"{mean_fps(person.time_s):.9g}", len(person)
    facts = (rate, rate, count, len(shown.names), "m", rate, 1, count)
    numbers = range(1, len(shown.names) + 1)
    return (
        f"PathFileType\t4\t(X/Y/Z)\t{file_name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
        "OrigNumFrames",
        "\t".join(map(str, facts)),
        "Frame#\tTime\t" + "\t\t\t".join(shown.names) + "\t\t",
        "\t\t" + "\t".join(f"X{n}\tY{n}\tZ{n}" for n in numbers),
        "",
    )


def _rows(shown: Markers, person: Person) -> Iterator[str]:
    for row, places in enumerate(shown.places_m.reshape(len(person), -1)):
        cells = ("nan" if np.isnan(value) else f"{value:.6f}" for value in places)
        yield "\t".join((str(row + 1), repr(float(person.time_s[row])), *cells))

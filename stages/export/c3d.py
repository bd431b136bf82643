"""C3D: markers in the binary form of motion-capture laboratories; one file per person, millimetres.

z up by habit. The file knows one frame rate; it counts a person's frames from 1.
Frames without a body have points with a residual of -1, the format's sign for "not seen".
"""

from pathlib import Path
from typing import Any

import ezc3d
import numpy as np

from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.take import Take, mean_fps
from pipeline.types import Person
from stages.export._even import tell_uneven
from stages.export._markers import MarkerConfig, markers

UPS = ("z", "y")
FILLS_GAPS = False
MM = 1000.0


class Config(MarkerConfig):
    """Which points."""


class Backend:
    """Writes `<take>_person_NNN.c3d`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file per person."""
        return [self._write(take, person, folder / "c3d") for person in take.people]

    def _write(self, take: Take, person: Person, folder: Path) -> Path:
        tell_uneven("c3d", person, self.context)
        shown, path = (
            markers(take, person, self.config.points),
            folder / f"{take.file_stem(person)}.c3d",
        )
        places_mm = np.ones((4, len(shown.names), len(person)))
        places_mm[:3] = shown.places_m.transpose(2, 1, 0) * MM
        file: Any = ezc3d.c3d()
        point = file["parameters"]["POINT"]
        point["RATE"]["value"] = [mean_fps(person.time_s)]
        point["UNITS"]["value"] = ["mm"]
        point["LABELS"]["value"] = list(shown.names)
        file.add_parameter("POINT", "X_SCREEN", "+X")
        file.add_parameter("POINT", "Y_SCREEN", f"+{take.up.upper()}")
        file["data"]["points"] = places_mm
        with written_aside(path) as aside:
            file.write(str(aside))
        return path

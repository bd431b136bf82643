"""A file of finished parts (`pipeline.parts`): arrays, and what was told while they were made.

Nothing in it is trusted that does not hold: another maker's file, a damaged one or one with a part
that is not what was written counts as not there.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import OutputError
from pipeline.events import Event, events_from
from pipeline.files import add_array, write_npz
from pipeline.npz_file import NpzError, read_npz_file

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """Something a stage has finished."""

    arrays: dict[str, np.ndarray]
    events: tuple[Event, ...]
    """Told while it was made."""

    @property
    def events_text(self) -> str:
        """The events as JSON."""
        return json.dumps([asdict(event) for event in self.events])

    def digest(self) -> str:
        """Of everything in it."""
        whole = hashlib.sha256(self.events_text.encode())
        for key, array in self.arrays.items():
            add_array(whole, key, array)
        return whole.hexdigest()


@dataclass(frozen=True)
class PartsFile:
    """A file that is there, and the parts in it; arrays are read when they are asked for."""

    path: Path
    names: tuple[str, ...]

    def read(self, name: str) -> Part | None:
        """One part; None if it is damaged, which is logged."""
        own, arrays = f"{self.names.index(name)}.", f"{self.names.index(name)}.of."
        try:
            found = read_npz_file(self.path, lambda key: key.startswith(own))
            part = Part(
                {k.removeprefix(arrays): v for k, v in found.items() if k.startswith(arrays)},
                tuple(events_from(found[f"{own}events"])),
            )
            if part.digest() == str(found[f"{own}digest"]):
                return part
            fault = "it is not what was written"
        except (OSError, NpzError, OutputError, LookupError) as error:
            fault = str(error)
        LOGGER.warning("%s: %s: %s; it is made again", self.path.name, name, fault)
        return None


def open_parts_file(path: Path, made_of: str) -> PartsFile | None:
    """What a file holds; None (and the file is removed) if it is damaged or made of other things.

    Args:
        path: of the file.
        made_of: what the parts depend on, as given to `write_parts_file`.
    """
    try:
        facts = read_npz_file(path, lambda key: key in ("made_of", "names"))
        if str(facts["made_of"]) == made_of and facts["names"].ndim == 1:
            return PartsFile(path, tuple(map(str, facts["names"])))
        fault = "was made of something else"
    except (OSError, NpzError, LookupError) as error:
        fault = str(error)
    LOGGER.warning("%s: %s; its parts are made again", path.name, fault)
    with suppress(OSError):
        path.unlink()
    return None


def write_parts_file(path: Path, made_of: str, parts: Mapping[str, Part]) -> PartsFile:
    """Write parts, all or none.

    Raises:
        OutputError: they cannot be written.
    """
    names = tuple(parts)
    arrays = {"made_of": np.array(made_of), "names": np.array(names, dtype=np.str_)}
    for number, part in enumerate(parts.values()):
        arrays[f"{number}.events"] = np.array(part.events_text)
        arrays[f"{number}.digest"] = np.array(part.digest())
        arrays |= {f"{number}.of.{key}": array for key, array in part.arrays.items()}
    write_npz(path, arrays, compressed=False)
    return PartsFile(path, names)

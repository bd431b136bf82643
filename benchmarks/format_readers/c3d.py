"""C3D files, written by ezc3d and read with the unrelated library `c3d`."""

from pathlib import Path

import c3d
import numpy as np

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import made_up_people


def read(paths: list[Path]) -> list[Reading]:
    """One file per person; frames whose points have a residual of -1 are left out."""
    return [_person(path) for path in paths]


def _person(path: Path) -> Reading:
    with path.open("rb") as file:
        reader = c3d.Reader(file)
        frames = [points for _, points, _ in reader.read_frames()]
        labels = [label.strip() for label in reader.point_labels]
        rate, units = reader.point_rate, reader.get("POINT:UNITS").string_value.strip()
    assert units == "mm" and labels[:2] == ["pelvis", "left_hip"]
    points, person_id = np.stack(frames).astype(np.float64), int(path.stem[-3:])
    rows = np.flatnonzero((points[:, :, 3] >= 0).all(axis=1))
    first_s = next(p.time_s[0] for p in made_up_people() if p.id == person_id)
    return Reading(
        person_id=person_id,
        rows=rows,
        time_s=first_s + rows / rate,
        up="z",
        joints_m=points[rows, :24, :3] / 1000,
    )

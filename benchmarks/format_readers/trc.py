"""TRC files: a small reader of the text."""

from pathlib import Path

import numpy as np

from benchmarks.format_readers.reading import Reading


def read(paths: list[Path]) -> list[Reading]:
    """One file per person; rows of `nan` are left out."""
    return [_person(path) for path in paths]


def _person(path: Path) -> Reading:
    lines = path.read_text().split("\n")
    facts = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    names = [name for name in lines[3].split("\t")[2:] if name]
    rows = [line.split("\t") for line in lines[6:] if line]
    assert (len(names), len(rows)) == (int(facts["NumMarkers"]), int(facts["NumFrames"]))
    assert facts["Units"] == "m" and names[:2] == ["pelvis", "left_hip"]
    assert all(len(row) == 2 + 3 * len(names) for row in rows)
    shown = [row for row in rows if row[2] != "nan"]
    places = np.array([[float(cell) for cell in row[2:]] for row in shown])
    return Reading(
        person_id=int(path.stem[-3:]),
        rows=np.array([int(row[0]) - 1 for row in shown]),
        time_s=np.array([float(row[1]) for row in shown]),
        up="y",
        joints_m=places.reshape(len(shown), -1, 3)[:, :24],
    )

"""The table of joints, read with Python's own `csv`."""

import csv
from pathlib import Path

import numpy as np

from benchmarks.format_readers.bvh import SMPL_NAMES
from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import first_frame_of

LONG = {"L": "left", "R": "right"}


def read(paths: list[Path]) -> list[Reading]:
    """Everybody in one table; rows without places are left out."""
    with paths[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [_person(rows, person_id) for person_id in sorted({row["person"] for row in rows})]


def _person(rows: list[dict[str, str]], person_id: str) -> Reading:
    mine = [row for row in rows if row["person"] == person_id]
    shown = [row for row in mine if row["pelvis_x_m"]]
    assert all(row["status"] == "missing" for row in mine if row not in shown)
    return Reading(
        person_id=int(person_id),
        rows=np.array([int(row["frame"]) for row in shown]) - first_frame_of(int(person_id)),
        time_s=np.array([float(row["time_s"]) for row in shown]),
        up="y",
        joints_m=np.array([[_place(row, name) for name in SMPL_NAMES] for row in shown]),
    )


def _place(row: dict[str, str], name: str) -> list[float]:
    side, _, part = name.rpartition("_")
    point = f"{LONG[side]}_{part}".lower() if side else part.lower()
    return [float(row[f"{point}_{axis}_m"]) for axis in "xyz"]

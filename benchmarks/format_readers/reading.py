"""What a reader gives back, and how far that is from the truth."""

from dataclasses import dataclass

import numpy as np

from benchmarks.format_readers.truth import Truth, in_axes, rotmats_in_axes


@dataclass(frozen=True)
class Reading:
    """One person as a file tells it, in metres, in the file's axes; `r` frames."""

    person_id: int
    rows: np.ndarray
    """(r,) which of the person's frames (0 is its first)."""
    time_s: np.ndarray | None
    """(r,) on the source's clock; None where the format has no times."""
    up: str
    """'y', 'z', or 'camera' (OpenCV's axes)."""
    joints_m: np.ndarray | None = None
    rotmat: np.ndarray | None = None
    vertices_m: np.ndarray | None = None
    upright_rest: bool = True


@dataclass(frozen=True)
class Off:
    """Largest distances from the truth."""

    frames: int
    time_s: float
    position_mm: float
    rotation_deg: float


def off(reading: Reading, truth: Truth) -> Off:
    """Compare one person; NaN where the format does not hold such numbers."""
    person, rows = truth.person, reading.rows
    time_s = np.nan if reading.time_s is None else _largest(reading.time_s - person.time_s[rows])
    places = [
        _largest_distance(read, _turned(true[rows], reading.up))
        for read, true in (
            (reading.joints_m, truth.joints_m),
            (reading.vertices_m, truth.vertices_m),
        )
        if read is not None
    ]
    rotation = np.nan
    if reading.rotmat is not None:
        true = truth.rotmat[rows]
        if reading.up != "camera":
            true = rotmats_in_axes(true, reading.up, reading.upright_rest)
        rotation = np.degrees(_angles(reading.rotmat, true).max())
    return Off(len(rows), time_s, 1000 * max(places, default=np.nan), rotation)


def _turned(points: np.ndarray, up: str) -> np.ndarray:
    return points if up == "camera" else in_axes(points, up)


def _largest(difference: np.ndarray) -> float:
    return float(np.abs(difference).max())


def _largest_distance(read: np.ndarray, true: np.ndarray) -> float:
    assert read.shape == true.shape, f"read {read.shape}, expected {true.shape}"
    return float(np.linalg.norm(read - true, axis=-1).max())


def _angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles between rotations; exact for small ones, unlike the arc cosine of the trace."""
    chord = np.linalg.norm(a - b, axis=(-2, -1)) / (2 * np.sqrt(2))
    return 2 * np.arcsin(np.clip(chord, 0, 1))

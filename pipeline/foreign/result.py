"""What another program's file holds, in the form that all readers give."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from pipeline.errors import InputError

ForeignBody = Literal["smpl", "smplh", "smplx", "bvh"]
Axes = Literal["camera", "y", "z"]

MOST_FRAMES = 10_000_000
RATES_FPS = (0.01, 100_000.0)
LARGEST_SIDE_PX = 65536

SMPL_PELVIS_M = (-0.0018, -0.2233, 0.0282)
"""Pelvis of SMPL's neutral mean body at rest."""
SMPLX_PELVIS_M = (0.0031, -0.3514, 0.0120)
"""Pelvis of SMPL-X's, whose origin lies elsewhere in the body."""


@dataclass(frozen=True)
class ForeignPerson:
    """One person; n frames, increasing, not always without gaps."""

    label: str
    """Its name or number there."""
    frame_index: Int64[np.ndarray, " n"]
    pose_rotvec: Float64[np.ndarray, "n 24 3"]
    betas: Float64[np.ndarray, " 10"]
    """Median over the frames where the program gives one shape per frame."""
    t_m: Float64[np.ndarray, "n 3"]
    status: UInt8[np.ndarray, " n"]
    confidence: Float32[np.ndarray, " n"]
    boxes_xyxy_px: Float32[np.ndarray, "n 4"] | None = None


@dataclass(frozen=True)
class ForeignResult:
    """Everybody in a file, and what is known of how it was made."""

    program: str
    """`phalp`, `wham`, `gvhmr`, `amass` or `bvh`."""
    people: tuple[ForeignPerson, ...]
    body: ForeignBody
    axes: Axes
    """`camera` as here; `y` or `z`: a world with that axis up and no camera."""
    fps: float | None = None
    """The file's own frame rate; None: its frames are the video's."""
    size_px: tuple[int, int] | None = None
    """Width and height of the picture, where the file says it."""
    focal_per_longer_side: float | None = None
    """Focal length over the picture's longer side that places are for; None: its diagonal."""
    K_px: Float64[np.ndarray, "3 3"] | None = None
    """The camera that places are for, where the file holds it."""
    body_name: str | None = None
    """`body_model` of a file that this project wrote."""
    ghosts: int = 0
    """Frames left out in which the program only repeated what it last saw."""

    @property
    def has_camera(self) -> bool:
        """Whether places are those in a camera."""
        return self.axes == "camera"


def numbers(
    values: Mapping[str, Any], key: str, columns: int, path: Path, where: str = ""
) -> Float64[np.ndarray, "n columns"]:
    """An array of a file as rows of `columns` numbers.

    Raises:
        InputError: it is missing, no array of numbers, or of another shape.
    """
    place = f"{path}: {where}'{key}'"
    if key not in values:
        raise InputError(f"{place} is missing; this is not a whole result")
    try:
        array = np.asarray(values[key], dtype=np.float64)
        return array.reshape(-1, columns)
    except (TypeError, ValueError) as error:
        shape = getattr(values[key], "shape", type(values[key]).__name__)
        text = f"{place} has the form {shape}, expected rows of {columns} numbers"
        raise InputError(text) from error


def check_bounds(result: ForeignResult, path: Path) -> None:
    """Raise unless frames, rate and size are those of a video.

    Raises:
        InputError: they are not; nothing that large may be allocated.
    """
    if not result.people:
        raise InputError(f"{path}: there is nobody in this result")
    for person in result.people:
        if len(person.frame_index) and int(np.abs(person.frame_index).max()) >= MOST_FRAMES:
            raise InputError(f"{path}: person {person.label[:40]}: frames beyond {MOST_FRAMES}")
    if result.fps is not None and not RATES_FPS[0] <= result.fps <= RATES_FPS[1]:
        raise InputError(f"{path}: {result.fps:g} frames a second are no rate of a video")
    if not all(1 <= side <= LARGEST_SIDE_PX for side in result.size_px or ()):
        size = "x".join(map(str, result.size_px or ()))
        raise InputError(f"{path}: {size} pixels are no size of a video")


def same_length(path: Path, where: str, *arrays: np.ndarray) -> None:
    """Raise an `InputError` unless all arrays have as many rows, at least one."""
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1 or 0 in lengths:
        found = ", ".join(str(len(array)) for array in arrays)
        raise InputError(f"{path}: {where}arrays of different lengths ({found} frames)")


def seen_throughout(count: int) -> dict[str, np.ndarray]:
    """Status and confidence of somebody whom the file has in every frame and says no more."""
    return {"status": np.ones(count, np.uint8), "confidence": np.ones(count, np.float32)}

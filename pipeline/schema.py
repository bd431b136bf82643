"""The written schema of `people/person_NNN.npz`, as a table that `humans4d validate` checks.

`docs/schema.md` says the same in words; a test holds the two together.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.storage import SCHEMA_VERSION
from pipeline.types import Status

ROTATION_LIMIT_RAD = 2 * np.pi + 1e-3
TIMES_TOLERANCE_S = 1e-9
FARTHEST_M = 1e6
PELVIS_REACH_M = 1.0
"""A pelvis at rest lies nearer than this to the origin of any body model."""
JOINTS_TOLERANCE = (2e-3, 1e-5)
"""Metres, and a share of the distance: what 32-bit numbers leave of a sum."""


@dataclass(frozen=True)
class Entry:
    """One array of a person's file."""

    kinds: str
    """Allowed `dtype.kind`s: f float, i and u integer, U text."""
    shape: tuple[int | str, ...]
    """Sizes; 't' is the number of frames, 'k' the number of landmarks."""
    nan_where_unseen: bool = False
    """NaN is allowed in frames that were not observed."""
    optional: bool = False


PERSON_ENTRIES: dict[str, Entry] = {
    "schema_version": Entry("iu", ()),
    "person_id": Entry("iu", ()),
    "poses": Entry("f", ("t", 72)),
    "trans": Entry("f", ("t", 3)),
    "betas": Entry("f", (10,)),
    "gender": Entry("U", ()),
    "mocap_framerate": Entry("f", ()),
    "mocap_frame_rate": Entry("f", ()),
    "frame_index": Entry("iu", ("t",)),
    "time_s": Entry("f", ("t",)),
    "status": Entry("iu", ("t",)),
    "confidence": Entry("f", ("t",)),
    "joints_camera_m": Entry("f", ("t", 24, 3)),
    "boxes_xyxy_px": Entry("f", ("t", 4), nan_where_unseen=True),
    "camera_K_px": Entry("f", (3, 3)),
    "camera_origin": Entry("U", ()),
    "body_model": Entry("U", ()),
    "source_video": Entry("U", ()),
    "expected_error_deg": Entry("f", ("t", 24), nan_where_unseen=True, optional=True),
    "keypoints_px": Entry("f", ("t", "k", 3), nan_where_unseen=True, optional=True),
    "skeleton": Entry("U", (), optional=True),
}

Arrays = Mapping[str, np.ndarray]


def person_problems(arrays: Arrays) -> list[str]:
    """What is wrong with a person's arrays, a sentence each; empty if nothing is."""
    problems = list(_form_problems(arrays))
    return problems or [text for check in _CHECKS for text in check(arrays)]


def _form_problems(arrays: Arrays) -> Iterator[str]:
    """Missing keys, wrong kinds and shapes."""
    sizes: dict[str, int] = {}
    for key, entry in PERSON_ENTRIES.items():
        if key not in arrays:
            if not entry.optional:
                yield f"{key} is missing"
            continue
        value = arrays[key]
        if value.dtype.kind not in entry.kinds:
            yield f"{key} holds {value.dtype}, expected {_kinds_in_words(entry.kinds)}"
        if not _fits(value.shape, entry.shape, sizes):
            expected = tuple(sizes.get(str(size), size) for size in entry.shape)
            yield f"{key} has shape {value.shape}, expected {expected}"


def _fits(shape: tuple[int, ...], expected: tuple[int | str, ...], sizes: dict[str, int]) -> bool:
    if len(shape) != len(expected):
        return False
    return all(
        size == (want if isinstance(want, int) else sizes.setdefault(want, size))
        for size, want in zip(shape, expected, strict=True)
    )


def _kinds_in_words(kinds: str) -> str:
    return {"f": "floating point numbers", "iu": "integers", "U": "text"}[kinds]


def _values(arrays: Arrays) -> Iterator[str]:
    observed = arrays["status"] == Status.OBSERVED
    for key, entry in PERSON_ENTRIES.items():
        if key not in arrays or arrays[key].dtype.kind != "f":
            continue
        value = arrays[key][observed] if entry.nan_where_unseen else arrays[key]
        if not np.isfinite(value).all():
            yield f"{key} holds values that are not finite{_first_bad_row(value)}"


def _first_bad_row(value: np.ndarray) -> str:
    if value.ndim == 0:
        return ""
    rows = np.nonzero(~np.isfinite(value.reshape(len(value), -1)).all(axis=1))[0]
    return f" (first in row {rows[0]})"


def _version(arrays: Arrays) -> Iterator[str]:
    if arrays["schema_version"] != SCHEMA_VERSION:
        yield f"schema_version is {arrays['schema_version']}, this humans4d knows {SCHEMA_VERSION}"


def _frames(arrays: Arrays) -> Iterator[str]:
    if not len(arrays["frame_index"]):
        yield "frame_index is empty"
        return
    if (np.diff(arrays["frame_index"]) != 1).any() or arrays["frame_index"][0] < 0:
        yield "frame_index does not count up by one from a frame of the video"
    if (np.diff(arrays["time_s"]) <= TIMES_TOLERANCE_S).any():
        yield "time_s does not increase"


def _statuses(arrays: Arrays) -> Iterator[str]:
    unknown = set(np.unique(arrays["status"]).tolist()) - {int(status) for status in Status}
    if unknown:
        yield f"status holds {sorted(unknown)}; known are {[int(s) for s in Status]}"
    missing = arrays["status"] == Status.MISSING
    if missing[[0, -1]].any():
        yield "status is missing in the first or last frame"
    if (arrays["confidence"][missing] != 0).any():
        yield "confidence is not 0 in every missing frame"


def _ranges(arrays: Arrays) -> Iterator[str]:
    if ((arrays["confidence"] < 0) | (arrays["confidence"] > 1)).any():
        yield "confidence leaves 0..1"
    angles = np.linalg.norm(arrays["poses"].reshape(-1, 24, 3), axis=-1)
    if (angles > ROTATION_LIMIT_RAD).any():
        yield f"poses turns a joint by {angles.max():.1f} rad, more than a full turn"
    boxes = arrays["boxes_xyxy_px"][arrays["status"] == Status.OBSERVED]
    if (boxes[:, 2:] < boxes[:, :2]).any():
        yield "boxes_xyxy_px has a box whose right or bottom lies before its left or top"
    K_px = arrays["camera_K_px"]
    if K_px[0, 0] <= 0 or K_px[1, 1] <= 0 or (K_px[2] != (0, 0, 1)).any():
        yield "camera_K_px is not a pinhole matrix [[f 0 cx] [0 f cy] [0 0 1]]"


def _places(arrays: Arrays) -> Iterator[str]:
    """SMPL's translation moves the whole body, so the pelvis keeps its way from it."""
    rows = np.flatnonzero(arrays["status"] != Status.MISSING)
    trans_m = arrays["trans"][rows].astype(np.float64)
    pelvis_m = arrays["joints_camera_m"][rows, 0].astype(np.float64)
    if not len(rows) or not (np.isfinite(trans_m).all() and np.isfinite(pelvis_m).all()):
        return
    away_m = np.abs(trans_m).max(axis=1)
    if away_m.max() > FARTHEST_M:
        row = rows[np.argmax(away_m > FARTHEST_M)]
        yield f"trans puts the body {away_m.max():.3g} m away (first in row {row})"
        return
    arm_m = pelvis_m - trans_m
    off_m = np.linalg.norm(arm_m - np.median(arm_m, axis=0), axis=1)
    wrong = off_m > JOINTS_TOLERANCE[0] + JOINTS_TOLERANCE[1] * away_m
    wrong |= np.linalg.norm(arm_m, axis=1) > PELVIS_REACH_M
    if wrong.any():
        row = rows[np.argmax(wrong)]
        yield f"joints_camera_m do not lie where trans puts the body (first in row {row})"


_CHECKS: tuple[Callable[[Arrays], Iterator[str]], ...] = (
    _version,
    _values,
    _frames,
    _statuses,
    _ranges,
    _places,
)

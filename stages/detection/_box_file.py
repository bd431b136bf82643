"""Read boxes from CSV, JSON or MOT files; every malformed line is named."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32

from pipeline.errors import InputError
from pipeline.text_files import TextError, parse_json

COLUMNS = ("frame", "left", "top", "right", "bottom")
MOT_COLUMNS = ("frame", "id", "left", "top", "width", "height", "score")
MOT_FIRST_FRAME = 1
SHORTEST_MOT_LINE = 6
LARGEST = 1e9


@dataclass(frozen=True)
class BoxTable:
    """The boxes of a file, ordered by frame."""

    frame_index: Int32[np.ndarray, " n"]
    """Frame of the source video, 0 first."""
    boxes_xyxy_px: Float32[np.ndarray, "n 4"]
    score: Float32[np.ndarray, " n"]

    def chosen(self, rows: np.ndarray) -> "BoxTable":
        """Some of the boxes."""
        return BoxTable(self.frame_index[rows], self.boxes_xyxy_px[rows], self.score[rows])


def read_boxes(path: Path, first_frame: int | None = None) -> BoxTable:
    """Read a file of boxes.

    Args:
        path: a .csv, .json or .txt (MOT) file.
        first_frame: number of the video's first frame in the file; by default 1 for MOT, else 0.

    Raises:
        InputError: the file or one of its lines cannot be used; the text names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise InputError(f"{path}: the boxes cannot be read: {reason}") from error
    if path.suffix.lower() == ".json":
        records, base = _json_records(path, text), 0
    elif _has_heading(text):
        records, base = _csv_records(path, text), 0
    else:
        records, base = _mot_records(path, text), MOT_FIRST_FRAME
    rows = [_checked(where, record) for where, record in records]
    return _table(rows, base if first_frame is None else first_frame, path)


def _has_heading(text: str) -> bool:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return any(character.isalpha() for character in first.partition(",")[0])


def _csv_records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in COLUMNS if name not in reader.fieldnames]
    if missing:
        raise InputError(
            f"{path}: the heading lacks {', '.join(missing)}. Needed: {', '.join(COLUMNS)}; "
            f"optional: score"
        )
    for record in reader:
        yield f"{path}: line {reader.line_num}", record


def _json_records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        content = parse_json(text)
    except TextError as error:
        raise InputError(f"{path}: is not valid JSON: {error}") from error
    if not isinstance(content, list):
        raise InputError(f"{path}: must be a list of objects with {', '.join(COLUMNS)}")
    for number, record in enumerate(content):
        if not isinstance(record, dict):
            raise InputError(f"{path}: item {number}: is not an object with {', '.join(COLUMNS)}")
        yield f"{path}: item {number}", record


def _mot_records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        where, values = f"{path}: line {number}", [part.strip() for part in line.split(",")]
        if len(values) < SHORTEST_MOT_LINE:
            raise InputError(
                f"{where}: a MOT line has at least 'frame, id, left, top, width, height'"
            )
        record: dict[str, Any] = dict(zip(MOT_COLUMNS, values, strict=False))
        left, top = _number(where, record, "left"), _number(where, record, "top")
        record["right"] = left + _number(where, record, "width")
        record["bottom"] = top + _number(where, record, "height")
        if _number(where, record, "score", 1.0) == -1:
            record["score"] = 1.0
        yield where, record


def _checked(where: str, record: Mapping[str, Any]) -> list[float]:
    """Frame, left, top, right, bottom, score of one record."""
    values = [_number(where, record, name) for name in COLUMNS]
    if any(abs(value) > LARGEST for value in values):
        raise InputError(f"{where}: a number is beyond {LARGEST:g}")
    if values[0] != int(values[0]):
        raise InputError(f"{where}: frame must be a whole number (got {values[0]:g})")
    if values[3] <= values[1] or values[4] <= values[2]:
        raise InputError(f"{where}: the box is empty: right or bottom is not beyond left or top")
    return [*values, _number(where, record, "score", 1.0)]


def _number(
    where: str, record: Mapping[str, Any], name: str, default: float | None = None
) -> float:
    value = record.get(name)
    if value in (None, "") and default is not None:
        return default
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise InputError(f"{where}: {name} must be a number (got {value!r})")
    return number


def _table(rows: list[list[float]], first_frame: int, path: Path) -> BoxTable:
    if not rows:
        raise InputError(f"{path}: holds no boxes")
    values = np.array(rows, dtype=np.float64)
    frame_index = values[:, 0].astype(np.int64) - first_frame
    if frame_index.min() < 0:
        raise InputError(
            f"{path}: frame {frame_index.min() + first_frame} comes before the first, which is "
            f"{first_frame}. Set detection.given.first_frame to the number of the first frame"
        )
    order = np.argsort(frame_index, kind="stable")
    return BoxTable(
        frame_index[order].astype(np.int32),
        values[order, 1:5].astype(np.float32),
        values[order, 5].astype(np.float32),
    )

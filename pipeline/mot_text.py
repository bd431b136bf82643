"""MOT Challenge text: one box a line, `frame,id,left,top,width,height,score,-1,-1,-1`.

Frames and pixels are counted from 1 there, from 0 here (a pixel's left edge is its number).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.errors import InputError
from pipeline.files import output_errors, written_aside
from pipeline.interpolate import interpolate_linear
from pipeline.types import Detections, Person

NOBODY = -1
LEAST_COLUMNS = 7
MOST_FRAMES = 10_000_000
LARGEST = 1e9


@dataclass(frozen=True)
class MotBoxes:
    """Boxes with ids, n over the whole video."""

    frame_index: Int64[np.ndarray, " n"]
    """From 0."""
    ids: Int64[np.ndarray, " n"]
    """-1 for detections."""
    boxes_xyxy_px: Float64[np.ndarray, "n 4"]
    score: Float64[np.ndarray, " n"]

    def scaled(self, x: float, y: float) -> "MotBoxes":
        """Boxes of a picture of another size."""
        boxes = self.boxes_xyxy_px * np.array([x, y, x, y])
        return MotBoxes(self.frame_index, self.ids, boxes, self.score)


def read_mot(path: Path) -> MotBoxes:
    """Read detections, results or truth, ordered by frame.

    Raises:
        InputError: the file is missing, or no such text; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    rows = [_numbers(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        nothing = np.zeros(0, np.int64)
        return MotBoxes(nothing, nothing, np.zeros((0, 4)), np.zeros(0))
    values = np.array(rows)
    values = values[np.argsort(values[:, 0], kind="stable")]
    corner = values[:, 2:4] - 1
    return MotBoxes(
        frame_index=values[:, 0].astype(np.int64) - 1,
        ids=values[:, 1].astype(np.int64),
        boxes_xyxy_px=np.concatenate([corner, corner + values[:, 4:6]], axis=1),
        score=values[:, 6],
    )


def _numbers(path: Path, number: int, line: str) -> list[float]:
    try:
        values = [float(text) for text in line.replace(";", ",").split(",") if text.strip()]
    except ValueError as error:
        raise InputError(f"{path}, line {number}: '{line[:60]}' is not numbers only") from error
    if len(values) < LEAST_COLUMNS:
        raise InputError(
            f"{path}, line {number}: has {len(values)} numbers; expected are frame, id, left, top, "
            "width, height, score"
        )
    if not all(abs(value) <= LARGEST for value in values[:LEAST_COLUMNS]):
        raise InputError(f"{path}, line {number}: a number is not finite, or beyond {LARGEST:g}")
    if not 1 <= values[0] <= MOST_FRAMES or not values[0].is_integer():
        raise InputError(
            f"{path}, line {number}: frames are counted from 1 (to {MOST_FRAMES}), "
            f"not {values[0]:g}"
        )
    return values[:LEAST_COLUMNS]


def as_detections(boxes: MotBoxes) -> Detections:
    """Boxes as detections; scores above 1 (some files count so) are taken as sure."""
    return Detections(
        boxes.frame_index.astype(np.int32),
        boxes.boxes_xyxy_px.astype(np.float32),
        np.clip(boxes.score, 0, 1).astype(np.float32),
    )


def mot_of(people: tuple[Person, ...], fill_gap_s: float = 0.0) -> MotBoxes:
    """People as boxes with ids; through absences up to `fill_gap_s` the box goes straight on."""
    frames, ids, boxes, scores = [], [], [], []
    for person in people:
        box = filled_boxes(person, fill_gap_s)
        known = np.isfinite(box).all(axis=1)
        frames.append(person.frame_index[known].astype(np.int64))
        ids.append(np.full(known.sum(), person.id, np.int64))
        boxes.append(box[known])
        seen = person.observed[known]
        scores.append(np.where(seen, person.confidence[known].astype(np.float64), 0.0))
    if not frames:
        nothing = np.zeros(0, np.int64)
        return MotBoxes(nothing, nothing, np.zeros((0, 4)), np.zeros(0))
    order = np.argsort(np.concatenate(frames), kind="stable")
    return MotBoxes(
        np.concatenate(frames)[order],
        np.concatenate(ids)[order],
        np.concatenate(boxes)[order],
        np.concatenate(scores)[order],
    )


def filled_boxes(person: Person, fill_gap_s: float) -> Float64[np.ndarray, "t 4"]:
    """A person's boxes, absences up to `fill_gap_s` filled by straight lines."""
    boxes = person.boxes_xyxy_px.astype(np.float64)
    seen = np.isfinite(boxes).all(axis=1)
    known = np.flatnonzero(seen)
    if not len(known) or fill_gap_s <= 0:
        return boxes
    before = known[np.clip(np.searchsorted(known, np.arange(len(boxes)), "right") - 1, 0, None)]
    after = known[np.clip(np.searchsorted(known, np.arange(len(boxes))), None, len(known) - 1)]
    short = person.time_s[after] - person.time_s[before] <= fill_gap_s + 1e-9
    fill = ~seen & short
    if fill.any():
        boxes[fill] = interpolate_linear(person.time_s[seen], boxes[seen], person.time_s[fill])
    return boxes


def write_mot(path: Path, boxes: MotBoxes) -> None:
    """Write as text.

    Raises:
        OutputError: the file cannot be written.
    """
    lines = [
        f"{frame + 1},{who},{left + 1:.3f},{top + 1:.3f},{right - left:.3f},{bottom - top:.3f},"
        f"{score:.4f},-1,-1,-1\n"
        for frame, who, (left, top, right, bottom), score in zip(
            boxes.frame_index.tolist(),
            boxes.ids.tolist(),
            boxes.boxes_xyxy_px.tolist(),
            boxes.score.tolist(),
            strict=True,
        )
    ]
    with output_errors(path), written_aside(path) as aside:
        aside.write_text("".join(lines), encoding="utf-8")

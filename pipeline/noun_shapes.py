"""Whether arrays read from a file make up a noun: kinds, shapes and numbers as its fields say."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

import numpy as np
from jaxtyping import jaxtyped

from pipeline.errors import OutputError
from pipeline.types import Bodies, Detections, Person, Status, Video

MAY_BE_NAN = (
    *("boxes_xyxy_px", "keypoints_px", "landmarks_m", "landmarks_px", "appearance"),
    "pose_spread_rad",
)
LARGEST_FRAME = 2**31 - 2


def check_noun(kind: type, values: Mapping[str, Any]) -> None:
    """Raise unless every field is there, of the annotated kind and shape, and finite.

    Raises:
        OutputError: the first thing wrong.
    """
    hints = _hints(kind)
    with jaxtyped("context"):
        for field in fields(kind):
            value = values.get(field.name)
            choices = get_args(hints[field.name]) or (hints[field.name],)
            if value is None and NoneType in choices:
                continue
            arrays = [choice for choice in choices if hasattr(choice, "dim_str")]
            if not arrays:
                _check_single(field.name, value, choices)
                continue
            if not (isinstance(value, np.ndarray) and isinstance(value, arrays[0])):
                raise OutputError(f"{field.name} is {_described(value)}, not {_wanted(arrays[0])}")
            may_be_nan = field.name in MAY_BE_NAN
            if not (np.isfinite(value) | (may_be_nan & np.isnan(value))).all():
                raise OutputError(f"{field.name} holds numbers that are not finite")


SINGLE = (int, str, bool)


def _check_single(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise unless a number or text is one."""
    wanted = [choice for choice in choices if choice in SINGLE]
    if wanted and type(value) not in wanted:
        raise OutputError(f"{name} is {_described(value)}, not {wanted[0].__name__}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _wanted(annotation: Any) -> str:
    return f"{annotation.dtypes[0]} ({annotation.dim_str.strip()})"


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return "missing" if value is None else type(value).__name__


def check_video(video: Video) -> None:
    """Raise unless times increase and sizes are those of a picture.

    Raises:
        OutputError: the first thing wrong.
    """
    whole = (video.width_px, video.height_px, video.first_frame, video.rotation_deg)
    if not all(isinstance(number, int) and number >= 0 for number in whole):
        raise OutputError("the video's sizes are no whole numbers")
    if not (video.width_px and video.height_px and video.frame_count):
        raise OutputError("the video has no pictures")
    if (np.diff(video.time_s) <= 0).any():
        raise OutputError("time_s does not increase")
    if video.first_frame + video.frame_count > LARGEST_FRAME:
        raise OutputError("first_frame is too large")


def check_detections(video: Video, detections: Detections, bodies: Bodies) -> None:
    """Raise unless they are of this video's frames, in order, with a body each.

    Raises:
        OutputError: the first thing wrong.
    """
    frames = detections.frame_index
    if len(detections) != len(bodies):
        raise OutputError(f"{len(bodies)} bodies for {len(detections)} detections")
    if not len(frames):
        return
    last = video.first_frame + video.frame_count - 1
    if (np.diff(frames) < 0).any() or frames[0] < video.first_frame or frames[-1] > last:
        raise OutputError("frame_index is not in the order or the range of the video's frames")
    if not np.isfinite(detections.boxes_xyxy_px).all():
        raise OutputError("boxes_xyxy_px holds numbers that are not finite")
    if (detections.landmarks_px is None) != (detections.skeleton is None):
        raise OutputError("landmarks and the name of their skeleton do not go together")


def check_people(people: tuple[Person, ...]) -> None:
    """Raise unless ids differ and everybody's frames follow each other.

    Raises:
        OutputError: the first thing wrong.
    """
    if len({person.id for person in people}) < len(people) or any(p.id < 1 for p in people):
        raise OutputError("ids are not 1, 2, 3, ... each once")
    for person in people:
        if not len(person) or (np.diff(person.frame_index) != 1).any():
            raise OutputError(f"frame_index of person {person.id} does not count up by one")
        if person.frame_index[0] < 0 or (np.diff(person.time_s) <= 0).any():
            raise OutputError(f"frames or times of person {person.id} do not increase from 0")
        if not np.isin(person.status, [int(status) for status in Status]).all():
            raise OutputError(f"status of person {person.id} holds unknown numbers")
        if not (person.drawn[0] and person.drawn[-1]):
            raise OutputError(f"person {person.id} is missing in the first or last frame")
        if not np.isfinite(person.boxes_xyxy_px[person.observed]).all():
            raise OutputError(f"a box of person {person.id} is not finite")

"""WHAM's pickle: per person its frames, SMPL poses and places in the camera (and in the world)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.foreign.result import (
    ForeignPerson,
    ForeignResult,
    numbers,
    same_length,
    seen_throughout,
)

_FRAMES = ("frame_ids", "frame_id")


def is_wham(content: Any) -> bool:
    """Whether a pickle's content looks like WHAM's."""
    if not isinstance(content, dict) or not content:
        return False
    person = next(iter(content.values()))
    return isinstance(person, dict) and {"pose", "trans", "betas"} <= set(person)


def from_wham(content: Mapping[Any, Any], path: Path) -> ForeignResult:
    """Everybody, in the camera; its world is left aside.

    Raises:
        InputError: arrays are missing or do not fit together.
    """
    people = tuple(_person(str(key), values, path) for key, values in content.items())
    return ForeignResult("wham", people, "smpl", "camera")


def _person(label: str, values: Any, path: Path) -> ForeignPerson:
    where = f"person {label}: "
    key = next((name for name in _FRAMES if name in values), None)
    if key is None:
        raise InputError(f"{path}: {where}'frame_ids' is missing; this is not a whole result")
    frame_index = np.asarray(values[key]).reshape(-1).astype(np.int64)
    pose = numbers(values, "pose", 72, path, where)
    t_m = numbers(values, "trans", 3, path, where)
    same_length(path, where, frame_index, pose, t_m)
    order = np.argsort(frame_index, kind="stable")
    return ForeignPerson(
        label=label,
        frame_index=frame_index[order],
        pose_rotvec=pose[order].reshape(-1, 24, 3),
        betas=np.median(numbers(values, "betas", 10, path, where), axis=0),
        t_m=t_m[order],
        **seen_throughout(len(pose)),
    )

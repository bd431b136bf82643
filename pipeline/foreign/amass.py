"""AMASS's .npz: SMPL-H, SMPL-X or SMPL poses in a world, z up, at a rate of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.foreign.result import (
    SMPL_PELVIS_M,
    SMPLX_PELVIS_M,
    ForeignBody,
    ForeignPerson,
    ForeignResult,
    numbers,
    same_length,
    seen_throughout,
)

_RATES = ("mocap_framerate", "mocap_frame_rate", "fps")
_BODY_OF_WIDTH: dict[int, ForeignBody] = {72: "smpl", 156: "smplh", 165: "smplx"}
BETA_COUNT = 10


def is_amass(content: Any) -> bool:
    """Whether arrays look like AMASS's."""
    return isinstance(content, Mapping) and {"poses", "trans"} <= set(content)


def from_amass(content: Mapping[str, Any], path: Path) -> ForeignResult:
    """The one person of the file. Hands are left at rest where SMPL does not have their joints.

    Raises:
        InputError: arrays are missing or do not fit together.
    """
    if "camera_K_px" in content:
        raise InputError(
            f"{path}: is a person of this project's own; export or validate its result"
        )
    width = np.shape(content["poses"])[-1] if np.ndim(content["poses"]) > 1 else 0
    if width not in _BODY_OF_WIDTH:
        known = ", ".join(map(str, _BODY_OF_WIDTH))
        raise InputError(f"{path}: 'poses' has {width} columns; known are {known}")
    body, poses = _BODY_OF_WIDTH[width], numbers(content, "poses", width, path)
    t_m = numbers(content, "trans", 3, path)
    same_length(path, "", poses, t_m)
    if body == "smplx":
        t_m = t_m + np.subtract(SMPLX_PELVIS_M, SMPL_PELVIS_M)
    if body != "smpl":
        poses = np.concatenate([poses[:, :66], np.zeros((len(poses), 6))], axis=1)
    person = ForeignPerson(
        label="1",
        frame_index=np.arange(len(poses)),
        pose_rotvec=poses.reshape(-1, 24, 3),
        betas=_betas(content, path),
        t_m=t_m,
        **seen_throughout(len(poses)),
    )
    return ForeignResult(
        program="amass",
        people=(person,),
        body=body,
        axes="y" if str(content.get("up_axis", "z")) == "y" else "z",
        fps=_fps(content, path),
        body_name=str(content["body_model"]) if "body_model" in content else None,
    )


def _betas(content: Mapping[str, Any], path: Path) -> np.ndarray:
    flat = numbers(content, "betas", 1, path)[:, 0] if "betas" in content else np.zeros(0)
    return np.pad(flat[:BETA_COUNT], (0, max(0, BETA_COUNT - len(flat))))


def _fps(content: Mapping[str, Any], path: Path) -> float:
    for key in _RATES:
        if key in content:
            fps = float(numbers(content, key, 1, path)[0, 0])
            if np.isfinite(fps) and fps > 0:
                return fps
            raise InputError(f"{path}: '{key}' is {fps}, which is no frame rate")
    raise InputError(f"{path}: no frame rate ({' or '.join(_RATES)}) is in it")

"""GVHMR's results (`hmr4d_results.pt`, or its parameters as .npz): SMPL-X of one person.

SMPL-X turns the same 22 joints as SMPL, and its hands are left at rest here. Its body has another
origin: places are moved so that the pelvis stays where it is.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.foreign.result import (
    SMPL_PELVIS_M,
    SMPLX_PELVIS_M,
    ForeignPerson,
    ForeignResult,
    numbers,
    same_length,
    seen_throughout,
)

_IN_CAMERA = ("global_orient_incam", "transl_incam")
_HAND_NUMBERS = 6


def is_gvhmr(content: Any) -> bool:
    """Whether arrays or a checkpoint's content look like GVHMR's."""
    if not isinstance(content, Mapping):
        return False
    return "smpl_params_incam" in content or {"body_pose", *_IN_CAMERA} <= set(content)


def from_gvhmr(content: Mapping[str, Any], path: Path) -> ForeignResult:
    """The person, in the camera; its world is left aside.

    Raises:
        InputError: arrays are missing or do not fit together.
    """
    nested = content.get("smpl_params_incam")
    values: Mapping[str, Any] = nested if isinstance(nested, Mapping) else content
    orient, transl = ("global_orient", "transl") if nested is not None else _IN_CAMERA
    root, body = numbers(values, orient, 3, path), numbers(values, "body_pose", 63, path)
    t_m = numbers(values, transl, 3, path)
    same_length(path, "", root, body, t_m)
    pose = np.concatenate([root, body, np.zeros((len(root), _HAND_NUMBERS))], axis=1)
    person = ForeignPerson(
        label="1",
        frame_index=np.arange(len(root)),
        pose_rotvec=pose.reshape(-1, 24, 3),
        betas=np.median(numbers(values, "betas", 10, path), axis=0),
        t_m=t_m + np.subtract(SMPLX_PELVIS_M, SMPL_PELVIS_M),
        **seen_throughout(len(root)),
    )
    K_px = (
        numbers(content, "K_fullimg", 9, path)[0].reshape(3, 3) if "K_fullimg" in content else None
    )
    return ForeignResult("gvhmr", (person,), "smplx", "camera", K_px=K_px)

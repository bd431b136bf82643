"""Shape and pose from a file or from numbers on the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError, SettingsError
from pipeline.storage import read_npz
from pipeline.text_files import TextError, read_json
from pipeline.views.one_body import OneBody

BETAS, JOINTS, BODY_JOINTS = 10, 24, 22
POSE_KEYS, BETAS_KEYS = ("poses", "pose"), ("betas", "shape")


def read_one_body(path: Path, frame: int) -> OneBody:
    """One frame of a person's file, of an AMASS file, or of JSON with `pose` and `betas`.

    A person's file is shown as its camera saw it. JSON may say which `axes` its first joint turns
    the body into: "camera" or "y up". Of other files the first joint is left out: their axes are
    not known.

    Raises:
        InputError: no such file, or it holds no pose.
        SettingsError: a frame that is not there.
    """
    values = _read(path)
    pose = next((values[key] for key in POSE_KEYS if key in values), None)
    betas = next((values[key] for key in BETAS_KEYS if key in values), np.zeros(BETAS))
    if pose is None:
        raise InputError(f"{path}: holds neither 'poses' nor 'pose'")
    pose = _numbers(pose, path, "pose")
    pose = pose.reshape(1, -1) if pose.ndim == 1 else pose.reshape(len(pose), -1)
    if not 0 <= frame < len(pose):
        raise SettingsError(f"--frame {frame}: {path} has frames 0 to {len(pose) - 1}")
    axes = values["axes"] if "axes" in values else ""
    in_camera = "camera_K_px" in values or axes == "camera"
    one = one_body(_numbers(betas, path, "betas").reshape(-1), pose[frame], str(path))
    if in_camera or axes == "y up":
        return OneBody(one.betas, one.pose_rotvec, in_camera)
    free = one.pose_rotvec.copy()
    free[0] = 0.0
    return OneBody(one.betas, free, in_camera=False)


def one_body(betas: np.ndarray, pose: np.ndarray, where: str) -> OneBody:
    """Checked: up to 10 betas (the rest 0); 24 joints' rotations, or the first 22 of a longer pose.

    Raises:
        InputError: the pose is no whole number of joints, or too short, or not finite.
    """
    if len(pose) < 3 * BODY_JOINTS or len(pose) % 3:
        raise InputError(
            f"{where}: a pose of {len(pose)} numbers; 72 are needed (24 joints, axis-angle), or "
            "66 and more, of which the body's 22 joints are taken"
        )
    if not (np.isfinite(pose).all() and np.isfinite(betas).all()):
        raise InputError(f"{where}: pose and betas must be finite numbers")
    joints = JOINTS if len(pose) == 3 * JOINTS else BODY_JOINTS
    pose_rotvec = np.zeros((JOINTS, 3), np.float32)
    pose_rotvec[:joints] = pose[: 3 * joints].reshape(-1, 3)
    shape = np.zeros(BETAS, np.float32)
    shape[: min(len(betas), BETAS)] = betas[:BETAS]
    return OneBody(shape, pose_rotvec, in_camera=False)


def parse_numbers(text: str, option: str) -> np.ndarray:
    """Numbers with commas or spaces between them.

    Raises:
        SettingsError: something else.
    """
    try:
        return np.array([float(part) for part in text.replace(",", " ").split()])
    except ValueError as error:
        raise SettingsError(f"{option} '{text}': write numbers, such as 1.5,0,-2") from error


def _read(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".json":
        try:
            values = read_json(path)
        except (OSError, TextError) as error:
            raise InputError(f"{path}: is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise InputError(f"{path}: must hold 'pose' and 'betas'")
        return values
    return read_npz(path)


def _numbers(value: Any, path: Path, name: str) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: '{name}' does not hold numbers") from error

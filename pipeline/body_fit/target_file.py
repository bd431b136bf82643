"""`target.npz` of `humans4d body fit`, read strictly; and the fit as a superset of AMASS."""

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.body import BodyModel
from pipeline.body_fit.fit import BodyFit
from pipeline.body_fit.losses import FitTarget, FitWeights
from pipeline.errors import InputError, MissingError
from pipeline.npz_file import NpzError, read_npz_file

KEYS = ("vertices_m", "joints_m", "joints_px", "visibility", "K_px", "weights", "mocap_framerate")
SEEN = KEYS[:3]
TERMS = ("vertices", "joints", "px", "betas", "pose")
"""Order of the numbers in `weights`."""
DEFAULT_FPS = 30.0
LARGEST_M = 10.0
"""No body is larger: millimetres were given, or several people."""
FEWEST_POINTS = 3
"""In a frame."""
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class TargetFile:
    """Content of a target file."""

    target: FitTarget
    weights: FitWeights
    fps: float


def read_target(path: Path, vertex_count: int) -> TargetFile:
    """Read and check a target file.

    Raises:
        MissingError: there is no such file.
        InputError: it is no .npz file, or a key is unknown, missing or wrong.
    """
    arrays = _numbers(path, _read(path))
    frames = _frames(path, arrays)
    shapes: dict[str, list[tuple[int, ...]]] = {
        "vertices_m": [(frames, vertex_count, 3)],
        "joints_m": [(frames, 24, 3)],
        "joints_px": [(frames, 24, 2)],
        "visibility": [(frames, 24)],
        "K_px": [(3, 3), (frames, 3, 3)],
        "weights": [(len(TERMS),)],
        "mocap_framerate": [()],
    }
    for key, array in arrays.items():
        if array.shape not in shapes[key]:
            want = " or ".join(str(shape) for shape in shapes[key])
            raise InputError(f"{path}: '{key}' has the shape {array.shape}; expected {want}")
    _check_camera(path, arrays)
    _check_not_negative(path, arrays)
    _check_seen(path, arrays)
    tensors = {key: torch.from_numpy(arrays[key]) for key in KEYS[:5] if key in arrays}
    weights = FitWeights(*map(float, arrays["weights"])) if "weights" in arrays else FitWeights()
    return TargetFile(
        FitTarget(**tensors), weights, float(arrays.get("mocap_framerate", DEFAULT_FPS))
    )


def fit_arrays(
    fit: BodyFit, body: BodyModel, given: TargetFile, *, one_shape: bool
) -> dict[str, Any]:
    """The fit under AMASS's names, with what AMASS does not hold."""
    float32 = {
        "poses": fit.pose_rotvec.flatten(1),
        "trans": fit.t_m,
        "betas": fit.betas[0] if one_shape else fit.betas,
        "joints_m": fit.joints_m,
        "residual_vertices_mm": fit.vertices_mm,
        "residual_joints_mm": fit.joints_mm,
        "residual_joints_px": fit.joints_px,
    }
    return {
        **{
            key: part.numpy().astype(np.float32)
            for key, part in float32.items()
            if part is not None
        },
        "gender": "neutral",
        "mocap_framerate": given.fps,
        "mocap_frame_rate": given.fps,
        "body_model": body.name,
        "weights": np.array(astuple(given.weights)),
    }


def _read(path: Path) -> Arrays:
    try:
        return read_npz_file(path)
    except FileNotFoundError as error:
        raise MissingError(f"{path}: no such file") from error
    except (OSError, NpzError) as error:
        raise InputError(
            f"{path}: is not a whole .npz file of plain arrays ({error}); save them by name with "
            "np.savez"
        ) from error


def _numbers(path: Path, arrays: Arrays) -> Arrays:
    for key, array in arrays.items():
        if key not in KEYS:
            raise InputError(f"{path}: '{key}' is not known; known are {', '.join(KEYS)}")
        if array.dtype.kind not in "fiub":
            raise InputError(f"{path}: '{key}' is {array.dtype}; expected numbers")
        if np.isinf(array).any():
            raise InputError(f"{path}: '{key}' holds infinite numbers; NaN means not seen")
    return {key: array.astype(np.float64) for key, array in arrays.items()}


def _frames(path: Path, arrays: Arrays) -> int:
    given = [key for key in SEEN if key in arrays]
    if not given:
        raise InputError(f"{path}: holds nothing to fit to; give {', '.join(SEEN)} or some of them")
    first = arrays[given[0]]
    if first.ndim != 3 or not len(first):  # noqa: PLR2004
        raise InputError(f"{path}: '{given[0]}' has the shape {first.shape}; expected frames first")
    return len(first)


def _check_camera(path: Path, arrays: Arrays) -> None:
    if "joints_px" not in arrays:
        alone = [key for key in ("visibility", "K_px") if key in arrays]
        if alone:
            raise InputError(f"{path}: '{alone[0]}' belongs to 'joints_px', which is missing")
        return
    if "K_px" not in arrays:
        raise InputError(f"{path}: 'K_px' is missing; 'joints_px' needs the camera's intrinsics")
    K_px = arrays["K_px"]
    focal_px = K_px[..., (0, 1), (0, 1)]
    if not (
        np.isfinite(K_px).all() and (focal_px > 0).all() and (K_px[..., 2, :] == (0, 0, 1)).all()
    ):
        raise InputError(
            f"{path}: 'K_px' is no camera; expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
        )


def _check_not_negative(path: Path, arrays: Arrays) -> None:
    for key in ("visibility", "weights"):
        if key in arrays and not (arrays[key] >= 0).all():
            raise InputError(f"{path}: '{key}' must hold numbers of 0 or more")
    if not arrays.get("mocap_framerate", np.array(DEFAULT_FPS)) > 0:
        raise InputError(f"{path}: 'mocap_framerate' must be above 0")


def _check_seen(path: Path, arrays: Arrays) -> None:
    """Every frame must say where its body is, and in metres."""
    seen = np.zeros(len(arrays[next(key for key in SEEN if key in arrays)]), dtype=int)
    for key in SEEN:
        if key not in arrays:
            continue
        known: Any = np.isfinite(arrays[key]).all(-1)
        if key == "joints_px":
            known &= arrays.get("visibility", np.ones(known.shape)) > 0
        else:
            _check_metres(path, key, arrays[key], known)
        seen += known.sum(-1)
    if (seen < FEWEST_POINTS).any():
        frame = int(np.argmax(seen < FEWEST_POINTS))
        raise InputError(
            f"{path}: frame {frame} sees {seen[frame]} points in {', '.join(SEEN)}; "
            f"at least {FEWEST_POINTS} are needed. Leave the frame out"
        )


def _check_metres(path: Path, key: str, points: np.ndarray, known: Any) -> None:
    low = np.where(known[..., None], points, np.inf).min(axis=1)
    high = np.where(known[..., None], points, -np.inf).max(axis=1)
    extent = np.where(known.any(axis=1)[:, None], high - low, 0.0).max()
    if extent > LARGEST_M:
        raise InputError(f"{path}: '{key}' extends over {extent:.0f} m; give one body, in metres")

"""Measured joints of one person in a clip: the truth file of `humans4d bench --clip`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy.signal import butter, filtfilt

from pipeline.errors import InputError
from pipeline.npz_file import NpzError, read_npz_file
from pipeline.skeletons import BLAZEPOSE33, SMPL24

Points = Literal["landmarks", "smpl24"]
SKELETONS = {"landmarks": BLAZEPOSE33, "smpl24": SMPL24}
NEEDED = ("joint_names", "joints_m", "K_px")
OPTIONAL = (
    "fps",
    "time_s",
    "rotmat_camera_world",
    "t_camera_world_m",
    "points",
    "filter_hz",
)
FILTER_ORDER = 2
"""Of the Butterworth filter, which runs forwards and backwards."""
SHORTEST_FILTERED = 13
"""Fewer frames on end than this are left as they are."""


@dataclass(frozen=True)
class JointTruth:
    """Joints of one person over t moments, in the camera's axes."""

    joints: tuple[str, ...]
    """Names in the skeleton of `points`."""
    joints_camera_m: Float64[np.ndarray, "t k 3"]
    """NaN where not known."""
    K_px: Float64[np.ndarray, "3 3"]
    time_s: Float64[np.ndarray, " t"] | None
    """From the clip's first frame; None: one moment for each frame."""
    points: Points = "landmarks"
    """What the joints are: marks that a detector sees (landmarks), or SMPL's joint centres."""
    filter_hz: float | None = None
    """Noise above this is taken out before accelerations are reckoned."""

    def at(self, time_s: Float64[np.ndarray, " f"]) -> "JointTruth":
        """The truth at a clip's frames: the moment nearest in time, NaN if none is near."""
        joints_m = np.full((len(time_s), *self.joints_camera_m.shape[1:]), np.nan)
        if self.time_s is None:
            count = min(len(time_s), len(self.joints_camera_m))
            joints_m[:count] = self.joints_camera_m[:count]
        else:
            nearest = np.abs(time_s[:, None] - self.time_s[None]).argmin(axis=1)
            step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else np.inf
            near = np.abs(self.time_s[nearest] - time_s) <= step_s / 2
            joints_m[near] = self.joints_camera_m[nearest[near]]
        return JointTruth(self.joints, joints_m, self.K_px, time_s, self.points, self.filter_hz)

    def filtered_m(self) -> Float64[np.ndarray, "t k 3"]:
        """The joints without what is faster than `filter_hz` (Butterworth, zero phase)."""
        if self.filter_hz is None or self.time_s is None:
            return self.joints_camera_m
        fps = 1.0 / float(np.median(np.diff(self.time_s)))
        if self.filter_hz >= fps / 2:
            return self.joints_camera_m
        b, a = butter(FILTER_ORDER, self.filter_hz / (fps / 2))
        smooth_m = self.joints_camera_m.copy()
        known = np.isfinite(smooth_m).all(axis=(1, 2)).astype(np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], known, [0]])))
        for start, stop in edges.reshape(-1, 2):
            if stop - start >= SHORTEST_FILTERED:
                smooth_m[start:stop] = filtfilt(b, a, smooth_m[start:stop], axis=0)
        return smooth_m


def read_joint_truth(path: Path) -> JointTruth:
    """Read a truth file (`docs/bench.md` describes it) strictly.

    Raises:
        InputError: it is not there, no .npz, or a key is unknown, missing or wrong.
    """
    arrays = _read(path)
    for key in arrays:
        if key not in NEEDED + OPTIONAL:
            known = ", ".join(NEEDED + OPTIONAL)
            raise InputError(f"{path}: '{key}' is not known; known are {known}")
    for key in NEEDED:
        if key not in arrays:
            raise InputError(f"{path}: '{key}' is missing; needed are {', '.join(NEEDED)}")
    points = str(arrays.get("points", "landmarks"))
    if points not in SKELETONS:
        raise InputError(f"{path}: points = '{points}'; it is one of {', '.join(SKELETONS)}")
    joints = tuple(str(name) for name in np.atleast_1d(arrays["joint_names"]))
    unknown = [name for name in joints if name not in SKELETONS[points].points]
    if unknown:
        known = ", ".join(SKELETONS[points].points)
        raise InputError(f"{path}: joint '{unknown[0]}' is not one of {points}: {known}")
    joints_m, K_px = _numbers(path, arrays, "joints_m"), _numbers(path, arrays, "K_px")
    if joints_m.ndim != 3 or joints_m.shape[1:] != (len(joints), 3):  # noqa: PLR2004
        raise InputError(
            f"{path}: 'joints_m' has the shape {joints_m.shape}; expected (t, {len(joints)}, 3)"
        )
    if K_px.shape != (3, 3) or not K_px[0, 0] > 0:
        raise InputError(
            f"{path}: 'K_px' is no camera; expected [[f, 0, cx], [0, f, cy], [0, 0, 1]]"
        )
    return JointTruth(
        joints,
        _in_camera(path, arrays, joints_m),
        K_px,
        _times(path, arrays, len(joints_m)),
        points,  # type: ignore[arg-type]
        float(arrays["filter_hz"]) if "filter_hz" in arrays else None,
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_npz_file(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, NpzError) as error:
        raise InputError(f"{path}: is not a whole .npz file of plain arrays") from error


def _numbers(path: Path, arrays: dict[str, np.ndarray], key: str) -> np.ndarray:
    if arrays[key].dtype.kind not in "fiu":
        raise InputError(f"{path}: '{key}' is {arrays[key].dtype}; expected numbers")
    return arrays[key].astype(np.float64)


def _in_camera(path: Path, arrays: dict[str, np.ndarray], joints_m: np.ndarray) -> np.ndarray:
    """World joints brought into the camera's axes where the file gives the camera's place."""
    keys = ("rotmat_camera_world", "t_camera_world_m")
    given = [key for key in keys if key in arrays]
    if not given:
        return joints_m
    if len(given) == 1:
        raise InputError(f"{path}: '{given[0]}' alone is no camera; give {' and '.join(keys)}")
    rotmat, t_m = (_numbers(path, arrays, key) for key in keys)
    count = len(joints_m)
    if rotmat.shape not in ((3, 3), (count, 3, 3)) or t_m.shape not in ((3,), (count, 3)):
        raise InputError(
            f"{path}: the camera's place has the shapes {rotmat.shape}, {t_m.shape}; "
            f"expected (3, 3) and (3,), or these for each of {count} moments"
        )
    rotmat, t_m = np.broadcast_to(rotmat, (count, 3, 3)), np.broadcast_to(t_m, (count, 3))
    return np.einsum("tij,tkj->tki", rotmat, joints_m) + t_m[:, None]


def _times(path: Path, arrays: dict[str, np.ndarray], count: int) -> np.ndarray | None:
    if "fps" in arrays and "time_s" in arrays:
        raise InputError(f"{path}: give 'fps' or 'time_s', not both")
    if "fps" in arrays:
        fps = float(_numbers(path, arrays, "fps"))
        if not fps > 0:
            raise InputError(f"{path}: 'fps' must be above 0")
        return np.arange(count) / fps
    if "time_s" in arrays:
        time_s = _numbers(path, arrays, "time_s")
        if time_s.shape != (count,) or not (np.diff(time_s) > 0).all():
            raise InputError(f"{path}: 'time_s' must be {count} increasing times in seconds")
        return time_s
    return None

"""PHALP's pickle, which 4DHumans and TokenHMR write, too: a dict of frames with lists of people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.errors import InputError
from pipeline.foreign.result import ForeignPerson, ForeignResult, numbers
from pipeline.rotations import rotmat_to_rotvec
from pipeline.types import Status

FOCAL_PX, PICTURE_PX = 5000.0, 256.0
FILLED = -1
ORTHONORMAL_TOLERANCE = 1e-2


def is_phalp(content: Any) -> bool:
    """Whether a pickle's content looks like PHALP's."""
    if not isinstance(content, dict) or not content:
        return False
    frame = next(iter(content.values()))
    return isinstance(frame, dict) and {"tid", "smpl", "camera"} <= set(frame)


def from_phalp(content: Mapping[Any, Any], path: Path) -> ForeignResult:
    """Everybody in it; ghosts (a track that is lost repeats its last body) are left out.

    Raises:
        InputError: the lists of a frame do not fit together, or nobody is in it.
    """
    rows: dict[int, list[dict[str, Any]]] = {}
    ghosts = 0
    sizes: set[tuple[int, int]] = set()
    for number, frame in enumerate(content.values()):
        for entry in _entries(frame, number, path):
            height_px, width_px = entry["size"]
            sizes.add((int(width_px), int(height_px)))
            if entry["tracked_time"] > 0:
                ghosts += 1
            else:
                rows.setdefault(int(entry["tid"]), []).append(entry)
    if not rows:
        raise InputError(f"{path}: there is nobody in this result")
    if len(sizes) > 1:
        raise InputError(f"{path}: frames of different sizes ({sorted(sizes)}); not one video")
    return ForeignResult(
        program="phalp",
        people=tuple(_person(tid, entries, path) for tid, entries in sorted(rows.items())),
        body="smpl",
        axes="camera",
        size_px=sizes.pop(),
        focal_per_longer_side=FOCAL_PX / PICTURE_PX,
        ghosts=ghosts,
    )


_KEYS = ("tid", "smpl", "camera", "size", "tracked_time")
_OPTIONAL = ("bbox", "conf")


def _entries(frame: Any, number: int, path: Path) -> list[dict[str, Any]]:
    """A frame's people, each with what its lists say of it."""
    where = f"{path}: frame {number}"
    if not isinstance(frame, dict) or any(key not in frame for key in _KEYS):
        missing = [key for key in _KEYS if not isinstance(frame, dict) or key not in frame]
        raise InputError(f"{where} lacks {', '.join(missing)}; this is not a whole PHALP result")
    count = len(frame["tid"])
    keys = [*_KEYS, *(key for key in _OPTIONAL if len(frame.get(key, ())) == count)]
    if any(len(frame[key]) != count for key in keys):
        raise InputError(f"{where}: its lists have different lengths")
    index = int(frame.get("time", number))
    return [{"frame": index, **{key: frame[key][i] for key in keys}} for i in range(count)]


def _person(tid: int, entries: list[dict[str, Any]], path: Path) -> ForeignPerson:
    where = f"person {tid}: "
    rotmat = np.stack([_rotmat(entry["smpl"], path, where) for entry in entries])
    boxes = np.stack([_box(entry) for entry in entries])
    filled = np.array([entry["tracked_time"] == FILLED for entry in entries])
    return ForeignPerson(
        label=str(tid),
        frame_index=np.array([entry["frame"] for entry in entries], np.int64),
        pose_rotvec=rotmat_to_rotvec(torch.from_numpy(rotmat)).numpy(),
        betas=np.median([numbers(e["smpl"], "betas", 10, path, where)[0] for e in entries], axis=0),
        t_m=np.concatenate([numbers(entry, "camera", 3, path, where) for entry in entries]),
        status=np.where(filled, Status.INTERPOLATED, Status.OBSERVED).astype(np.uint8),
        confidence=np.clip([entry.get("conf", 1.0) for entry in entries], 0, 1).astype(np.float32),
        boxes_xyxy_px=np.where(filled[:, None], np.nan, boxes).astype(np.float32),
    )


def _rotmat(smpl: Any, path: Path, where: str) -> np.ndarray:
    if not isinstance(smpl, dict):
        raise InputError(f"{path}: {where}'smpl' holds no SMPL parameters")
    parts = [numbers(smpl, key, 9, path, where) for key in ("global_orient", "body_pose")]
    rotmat = np.concatenate(parts).reshape(-1, 3, 3)
    off = np.abs(rotmat @ rotmat.swapaxes(1, 2) - np.eye(3)).max()
    if len(rotmat) != 24 or off > ORTHONORMAL_TOLERANCE:  # noqa: PLR2004
        raise InputError(f"{path}: {where}'smpl' does not hold 24 rotation matrices")
    return rotmat


def _box(entry: Mapping[str, Any]) -> np.ndarray:
    """Left, top, right, bottom from PHALP's left, top, width, height."""
    if "bbox" not in entry:
        return np.full(4, np.nan)
    box = np.asarray(entry["bbox"], dtype=np.float64).reshape(4)
    return np.concatenate([box[:2], box[:2] + box[2:]])

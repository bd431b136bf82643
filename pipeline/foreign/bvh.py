"""BVH as SMPL poses: joints found by name, turned as the file turns them.

A joint of SMPL takes the turn of its namesake since the file's rest pose (in which the skeleton
stands upright, arms apart). Where the file's bone points elsewhere at rest than SMPL's by more than
`SHAPE_ANGLE_DEG`, the difference of the two is taken off, so that limbs point as in the file.
"""

import re
from pathlib import Path

import numpy as np
import torch

from pipeline.errors import InputError
from pipeline.foreign.bvh_file import BvhClip, read_bvh
from pipeline.foreign.result import ForeignPerson, ForeignResult, seen_throughout
from pipeline.rotations import rotmat_between_vectors, rotmat_to_rotvec
from pipeline.skeletons import SMPL24, SMPL24_PARENTS

LEG_M = 0.82
"""Hip to knee to ankle of a mean adult; tells the file's unit."""
UNITS_M = (1.0, 0.01, 0.0254, 0.001)
SHAPE_ANGLE_DEG = 20.0

# Other programs' names, in small letters without separators: Mixamo, CMU and LaFAN1, SMPL's files.
_NAMES: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip", "root"),
    "neck": ("neck", "neck1"),
    "head": ("head",),
}
_SIDED: dict[str, tuple[str, ...]] = {
    "hip": ("hip", "upleg", "thigh", "upperleg"),
    "knee": ("knee", "leg", "shin", "calf", "lowerleg"),
    "ankle": ("ankle", "foot"),
    "foot": ("foot", "toebase", "toe", "ball"),
    "collar": ("collar", "shoulder", "clavicle"),
    "shoulder": ("shoulder", "arm", "upperarm", "shldr"),
    "elbow": ("elbow", "forearm", "lowerarm"),
    "wrist": ("wrist", "hand"),
    "hand": ("hand", "handend", "handindex1", "handmiddle1", "index1"),
}
_NEEDED = ("pelvis", *(f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle")))
_LIMBS = ("hip", "knee", "collar", "shoulder", "elbow")
"""Joints whose bone is long enough to say where it points."""


def from_bvh(path: Path, rest_m: np.ndarray) -> ForeignResult:
    """The one skeleton of a file.

    Args:
        path: The file.
        rest_m: (24, 3) joints at rest of the body that will move.

    Raises:
        InputError: not BVH, or a skeleton whose legs cannot be found by name.
    """
    clip = read_bvh(path)
    found = _found(clip, path)
    unit_m = _unit_m(clip, found)
    upright = _upright(clip, found)
    turns = _smpl_turns(clip, found, upright, rest_m)
    pelvis_m = clip.places[:, found["pelvis"]] * unit_m @ _world(upright).T
    person = ForeignPerson(
        label="1",
        frame_index=np.arange(len(turns)),
        pose_rotvec=rotmat_to_rotvec(torch.from_numpy(_local(turns))).numpy(),
        betas=np.zeros(10),
        t_m=pelvis_m - rest_m[0],
        **seen_throughout(len(turns)),
    )
    return ForeignResult("bvh", (person,), "bvh", "y", fps=1 / clip.frame_time_s)


def _found(clip: BvhClip, path: Path) -> dict[str, int]:
    """SMPL's joints in the file; each of the file's joints is taken once."""
    plain = [re.sub(r"[^a-z0-9]", "", _bare(joint.name)) for joint in clip.joints]
    found: dict[str, int] = {}
    for point in SMPL24.points:
        wanted = [name for name in _candidates(point) if name in plain]
        free = [plain.index(name) for name in wanted if plain.index(name) not in found.values()]
        if free:
            found[point] = free[0]
    found |= _spine(clip, found)
    if missing := [point for point in _NEEDED if point not in found]:
        names = ", ".join(joint.name for joint in clip.joints)
        raise InputError(
            f"{path}: no joint is known by the name of {missing[0]}. The file has: {names}. "
            "Rename them as SMPL's, Mixamo's or CMU's"
        )
    return found


def _spine(clip: BvhClip, found: dict[str, int]) -> dict[str, int]:
    """SMPL's three joints between pelvis and neck, whatever the file calls those it has there."""
    top = found.get("neck", found.get("head"))
    between: list[int] = []
    while top is not None and top >= 0 and (top := clip.joints[top].parent) >= 0:
        if top == found.get("pelvis"):
            break
        between.insert(0, top)
    if not between:
        return {}
    if len(between) == 1:
        return {"spine1": between[0]}
    spread = {"spine1": between[0], "spine3": between[-1]}
    return spread if len(between) == 2 else {**spread, "spine2": between[len(between) // 2]}  # noqa: PLR2004


def _bare(name: str) -> str:
    """Without the prefix of a character ('mixamorig:Hips')."""
    return re.split(r"[:|]", name)[-1].lower()


def _candidates(point: str) -> list[str]:
    side, _, part = point.partition("_")
    if side not in ("left", "right"):
        return list(_NAMES.get(point, ()))
    marks = (side, side[0])
    return [
        text
        for name in _SIDED[part]
        for mark in marks
        for text in (f"{mark}{name}", f"{name}{mark}")
    ]


def _unit_m(clip: BvhClip, found: dict[str, int]) -> float:
    """The unit in which the legs have a human's length."""
    rest = clip.rest
    hip, knee, ankle = (rest[found[f"left_{part}"]] for part in ("hip", "knee", "ankle"))
    leg = float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
    legs_m = np.maximum(leg, 1e-9) * np.array(UNITS_M)
    return UNITS_M[int(np.abs(np.log(legs_m / LEG_M)).argmin())]


def _upright(clip: BvhClip, found: dict[str, int]) -> np.ndarray:
    """Turns SMPL's axes at rest (left x, up y) into those of the file's resting skeleton."""
    rest = clip.rest
    up = _nearest_axis(rest[found["pelvis"]] - rest[found["left_ankle"]], forbidden=None)
    left = _nearest_axis(rest[found["left_hip"]] - rest[found["right_hip"]], forbidden=up)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _nearest_axis(direction: np.ndarray, forbidden: np.ndarray | None) -> np.ndarray:
    allowed = direction if forbidden is None else direction * (1 - np.abs(forbidden))
    axis = np.zeros(3)
    chosen = int(np.abs(allowed).argmax())
    axis[chosen] = np.sign(allowed[chosen]) or 1.0
    return axis


def _world(upright: np.ndarray) -> np.ndarray:
    """Turns the file's axes into a world with y up, which stays as it is where y is up already."""
    up = upright[:, 1]
    return rotmat_between_vectors(torch.from_numpy(up), torch.tensor([0.0, 1, 0]).double()).numpy()


def _smpl_turns(
    clip: BvhClip, found: dict[str, int], upright: np.ndarray, rest_m: np.ndarray
) -> np.ndarray:
    """(t, 24, 3, 3) SMPL's joints against a world with y up."""
    world, rest = _world(upright), clip.rest
    turns: list[np.ndarray] = []
    for joint, point in enumerate(SMPL24.points):
        if point not in found:
            turns.append(turns[SMPL24_PARENTS[joint]])
            continue
        turn = world @ clip.global_rotmat[:, found[point]] @ upright
        child = _child(joint, point)
        if child is not None and SMPL24.points[child] in found:
            bone = rest[found[SMPL24.points[child]]] - rest[found[point]]
            turn = turn @ _other_rest(rest_m[child] - rest_m[joint], upright.T @ bone)
        turns.append(turn)
    return np.stack(turns, 1)


def _child(joint: int, point: str) -> int | None:
    if point.partition("_")[2] not in _LIMBS:
        return None
    return SMPL24_PARENTS.index(joint)


def _other_rest(own: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Turn from SMPL's resting bone to the file's; none where only the build differs."""
    turn = rotmat_between_vectors(torch.from_numpy(own), torch.from_numpy(theirs))
    angle = float(torch.linalg.vector_norm(rotmat_to_rotvec(turn)))
    return turn.numpy() if np.degrees(angle) > SHAPE_ANGLE_DEG else np.eye(3)


def _local(turns: np.ndarray) -> np.ndarray:
    parents = np.array(SMPL24_PARENTS)
    local = turns.copy()
    local[:, 1:] = turns[:, parents[1:]].swapaxes(-1, -2) @ turns[:, 1:]
    return local

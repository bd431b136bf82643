"""BVH files: the hierarchy and its motion, as they are written."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from pipeline.errors import InputError

_AXES = ("Xrotation", "Yrotation", "Zrotation", "Xposition", "Yposition", "Zposition")


@dataclass(frozen=True)
class BvhJoint:
    """One joint of the hierarchy."""

    name: str
    parent: int
    offset: Float64[np.ndarray, " 3"]
    channels: tuple[str, ...]


@dataclass(frozen=True)
class BvhClip:
    """A file's content in its own unit and axes."""

    joints: tuple[BvhJoint, ...]
    frame_time_s: float
    global_rotmat: Float64[np.ndarray, "t j 3 3"]
    places: Float64[np.ndarray, "t j 3"]

    @property
    def rest(self) -> Float64[np.ndarray, "j 3"]:
        """Joints when no channel moves, the root at its offset."""
        rest: list[np.ndarray] = []
        for joint in self.joints:
            above = rest[joint.parent] if joint.parent >= 0 else np.zeros(3)
            rest.append(above + joint.offset)
        return np.array(rest)


def read_bvh(path: Path) -> BvhClip:
    """Read a file and place its joints in every frame.

    Raises:
        InputError: it is not BVH, or its parts do not fit together.
    """
    try:
        text = path.read_text(encoding="ascii", errors="replace")
        head, found, motion = text.partition("MOTION")
        joints = _hierarchy(head)
        count = re.search(r"Frames:\s*(\d+)", motion)
        step = re.search(r"Frame Time:\s*([-+.\deE]+)", motion)
        if not (found and joints and count and step):
            raise ValueError("HIERARCHY, MOTION, Frames or Frame Time is missing")
        values = np.array(motion[step.end() :].split(), dtype=np.float64)
        width = sum(len(joint.channels) for joint in joints)
        table = values.reshape(int(count[1]), width)
        if not (np.isfinite(table).all() and len(table) and float(step[1]) > 0):
            raise ValueError("frames, frame time or numbers that no motion has")
    except (ValueError, IndexError, StopIteration, RuntimeError) as error:
        raise InputError(f"{path}: is cut short or not BVH ({error})") from error
    return BvhClip(tuple(joints), float(step[1]), *_placed(joints, table))


def _hierarchy(head: str) -> list[BvhJoint]:
    words = iter(head.split())
    joints: list[BvhJoint] = []
    above: list[int] = []
    in_end_site = False
    for word in words:
        if word in ("ROOT", "JOINT"):
            joints.append(BvhJoint(next(words), above[-1] if above else -1, np.zeros(3), ()))
        elif word == "End":
            next(words)
            in_end_site = True
        elif word == "{":
            above.append(len(joints) - 1)
        elif word == "}":
            above.pop()
            in_end_site = False
        elif word == "OFFSET":
            offset = np.array([float(next(words)) for _ in range(3)])
            if not in_end_site:
                last = joints[-1]
                joints[-1] = BvhJoint(last.name, last.parent, offset, last.channels)
        elif word == "CHANNELS":
            channels = tuple(next(words) for _ in range(int(next(words))))
            if unknown := set(channels) - set(_AXES):
                raise ValueError(f"unknown channels {sorted(unknown)}")
            last = joints[-1]
            joints[-1] = BvhJoint(last.name, last.parent, last.offset, channels)
    return joints


def _placed(joints: list[BvhJoint], table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations against the file's axes and places of all joints, frame by frame."""
    turns: list[np.ndarray] = []
    places: list[np.ndarray] = []
    column = 0
    for joint in joints:
        own = table[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        turn, place = _local(joint, own)
        if joint.parent >= 0:
            place = places[joint.parent] + (turns[joint.parent] @ place[..., None])[..., 0]
            turn = turns[joint.parent] @ turn
        turns.append(turn)
        places.append(place)
    return np.stack(turns, 1), np.stack(places, 1)


def _local(joint: BvhJoint, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A joint's rotation, and its place under its parent: position channels replace nothing."""
    place = np.tile(joint.offset, (len(own), 1))
    order = ""
    angles = []
    for name, values in zip(joint.channels, own.T, strict=True):
        if name.endswith("position"):
            place[:, "XYZ".index(name[0])] += values
        else:
            order += name[0]
            angles.append(values)
    if not order:
        return np.tile(np.eye(3), (len(own), 1, 1)), place
    stacked = np.stack(angles, axis=1)
    return Rotation.from_euler(order, stacked, degrees=True).as_matrix(), place

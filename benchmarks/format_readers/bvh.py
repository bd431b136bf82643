"""BVH files: a small reader with forward kinematics of its own."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import made_up_people

SMPL_NAMES = (
    "Pelvis L_Hip R_Hip Spine1 L_Knee R_Knee Spine2 L_Ankle R_Ankle Spine3 L_Foot R_Foot Neck "
    "L_Collar R_Collar Head L_Shoulder R_Shoulder L_Elbow R_Elbow L_Wrist R_Wrist L_Hand R_Hand"
).split()


@dataclass
class Joint:
    """One joint of the hierarchy."""

    name: str
    parent: int
    offset: np.ndarray
    channels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Clip:
    """A file's content: places in its unit, rotations against the world, by joint name."""

    frame_time_s: float
    places: dict[str, np.ndarray]
    turns: dict[str, np.ndarray]


def read(paths: list[Path], unit_m: float = 0.01, up: str = "y") -> list[Reading]:
    """One file per person; BVH's clock starts at the person's first frame."""
    return [_reading(path, unit_m, up) for path in paths]


def _reading(path: Path, unit_m: float, up: str) -> Reading:
    clip, person_id = read_clip(path), int(path.stem[-3:])
    rows = np.arange(len(clip.places["Pelvis"]))
    first_s = next(p.time_s[0] for p in made_up_people() if p.id == person_id)
    return Reading(
        person_id=person_id,
        rows=rows,
        time_s=first_s + rows * clip.frame_time_s,
        up=up,
        joints_m=np.stack([clip.places[name] for name in SMPL_NAMES], 1) * unit_m,
        rotmat=np.stack([clip.turns[name] for name in SMPL_NAMES], 1),
    )


def read_clip(path: Path) -> Clip:
    """Parse the hierarchy and walk it for every frame."""
    head, _, motion = path.read_text().partition("MOTION")
    joints = _hierarchy(head.split())
    lines = motion.strip().splitlines()
    count, step_s = int(lines[0].split()[-1]), float(lines[1].split()[-1])
    values = np.array([[float(v) for v in line.split()] for line in lines[2:]])
    assert values.shape == (count, sum(len(joint.channels) for joint in joints))
    places, turns, column = {}, {}, 0
    order: list[tuple[np.ndarray, np.ndarray]] = []
    for joint in joints:
        own = values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        shift, turn = _local(joint, own)
        if joint.parent >= 0:
            above_turn, above_place = order[joint.parent]
            shift = above_place + (above_turn @ shift[..., None])[..., 0]
            turn = above_turn @ turn
        order.append((turn, shift))
        places[joint.name], turns[joint.name] = shift, turn
    return Clip(step_s, places, turns)


def _hierarchy(words: list[str]) -> list[Joint]:
    joints: list[Joint] = []
    open_joints: list[int] = []
    i = 0
    while i < len(words):
        word = words[i]
        if word in ("ROOT", "JOINT"):
            parent = open_joints[-1] if open_joints else -1
            joints.append(Joint(words[i + 1], parent, np.zeros(3)))
            open_joints.append(len(joints) - 1)
            i += 3
        elif word == "End":
            i = words.index("}", i) + 1
        elif word == "OFFSET":
            joints[open_joints[-1]].offset = np.array([float(v) for v in words[i + 1 : i + 4]])
            i += 4
        elif word == "CHANNELS":
            count = int(words[i + 1])
            joints[open_joints[-1]].channels = words[i + 2 : i + 2 + count]
            i += 2 + count
        else:
            if word == "}":
                open_joints.pop()
            i += 1
    return joints


def _local(joint: Joint, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shift = np.tile(joint.offset, (len(values), 1))
    turn = np.tile(np.eye(3), (len(values), 1, 1))
    for name, value in zip(joint.channels, values.T, strict=True):
        axis = "XYZ".index(name[0])
        if name.endswith("position"):
            shift[:, axis] += value
        else:
            turn = turn @ about(axis, np.radians(value))
    return shift, turn


def about(axis: int, angle: np.ndarray) -> np.ndarray:
    """Rotations about x, y or z (axis 0, 1, 2)."""
    out = np.tile(np.eye(3), (len(angle), 1, 1))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    out[:, a, a] = out[:, b, b] = np.cos(angle)
    out[:, b, a] = np.sin(angle)
    out[:, a, b] = -np.sin(angle)
    return out

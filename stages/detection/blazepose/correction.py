"""What a better network says differently of somebody now and then, spread over all frames.

Networks of one family err alike from frame to frame; the difference between two of them changes
slowly, and so a few frames a second tell it. In between it goes steadily from one to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64

from stages.detection.blazepose.landmarks import BODY_POINTS, Pose
from stages.detection.blazepose.likeness import same_person, torso_px

LEAST_PRESENCE = 0.5
FARTHEST_TORSO = 0.4
"""A landmark that the two see farther apart, in torso lengths, is left where the first saw it."""
FARTHEST_M = 0.2
NUMBERS = 6
"""Of a landmark: x and y in pixels, visibility, and its place in metres."""


@dataclass(frozen=True)
class Correction:
    """What is to be added to the landmarks of a moment."""

    time_s: float
    off: Float32[np.ndarray, "33 6"]


def correction(first: Pose, second: Pose | None, time_s: float) -> Correction:
    """From one network's pose to another's; none where the other saw nobody, or somebody else."""
    if second is None or second.presence < LEAST_PRESENCE or not same_person(first, second):
        return Correction(time_s, np.zeros((BODY_POINTS, NUMBERS), np.float32))
    off = _numbers(second) - _numbers(first)
    torso = max(torso_px(first.points_px), torso_px(second.points_px))
    off[np.linalg.norm(off[:, :2], axis=1) > FARTHEST_TORSO * torso, :3] = 0
    off[np.linalg.norm(off[:, 3:], axis=1) > FARTHEST_M, 3:] = 0
    return Correction(time_s, off)


def corrected(
    poses: Mapping[int, Pose],
    time_s: Float64[np.ndarray, " t"],
    corrections: Sequence[Correction],
) -> dict[int, Pose]:
    """The poses with the corrections between which they lie; before and after all, the nearest.

    Args:
        poses: by position in the batch.
        time_s: of every position.
        corrections: in the order of their times, at least one.
    """
    known_s = np.array([known.time_s for known in corrections])
    return {
        position: _moved(pose, _between(corrections, known_s, time_s[position]))
        for position, pose in poses.items()
    }


def _between(
    corrections: Sequence[Correction], known_s: np.ndarray, time_s: float
) -> Float32[np.ndarray, "33 6"]:
    after = int(np.searchsorted(known_s, time_s))
    if after == 0 or after == len(known_s):
        return corrections[min(after, len(known_s) - 1)].off
    share = (time_s - known_s[after - 1]) / (known_s[after] - known_s[after - 1])
    earlier, later = corrections[after - 1].off, corrections[after].off
    return earlier + np.float32(share) * (later - earlier)


def _numbers(pose: Pose) -> Float32[np.ndarray, "33 6"]:
    return np.column_stack([pose.points_px, pose.visibility, pose.points_m])


def _moved(pose: Pose, off: Float32[np.ndarray, "33 6"]) -> Pose:
    numbers = _numbers(pose) + off
    return replace(
        pose,
        points_px=numbers[:, :2],
        visibility=np.clip(numbers[:, 2], 0, 1),
        points_m=numbers[:, 3:],
    )

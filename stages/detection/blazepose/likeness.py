"""Whether two findings are the same person: their torsos and heads nearly coincide."""

import numpy as np
from jaxtyping import Bool, Float

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.detector import HIP_CENTER, SHOULDER_CENTER, Candidates
from stages.detection.blazepose.landmarks import Pose

SAME_PERSON = 0.35
"""Two findings closer than this, in torso lengths, are one person."""

MIN_REGION_PX = 16.0

CORE = BLAZEPOSE33.indices("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
MIRRORED_CORE = BLAZEPOSE33.mirror[CORE]


def torso_px(points_px: Float[np.ndarray, "33 2"]) -> float:
    """Length of the torso in the picture, or half the longest side of it where foreshortened."""
    shoulders, hips = axis_px(points_px)
    width = np.linalg.norm(points_px[CORE[1]] - points_px[CORE[2]])
    return max(float(np.linalg.norm(shoulders - hips)), float(width), 1e-6)


def axis_px(points_px: Float[np.ndarray, "33 2"]) -> Float[np.ndarray, "2 2"]:
    """Middle of the shoulders and middle of the hips."""
    return np.stack([points_px[CORE[1:3]].mean(axis=0), points_px[CORE[3:5]].mean(axis=0)])


def pose_distance(a: Pose, b: Pose) -> float:
    """Mean distance of head, shoulders and hips in torso lengths; sides may be swapped."""
    scale = min(torso_px(a.points_px), torso_px(b.points_px))
    gaps = [
        np.linalg.norm(a.points_px[CORE] - b.points_px[core], axis=1).mean()
        for core in (CORE, MIRRORED_CORE)
    ]
    return float(min(gaps)) / scale


def explained(candidates: Candidates, poses: list[Pose]) -> Bool[np.ndarray, " n"]:
    """Which candidates are people that already have a pose in this frame."""
    result = np.zeros(len(candidates), bool)
    axes = candidates.points_px[:, [SHOULDER_CENTER, HIP_CENTER]]
    for pose in poses:
        gap = np.linalg.norm(axes - axis_px(pose.points_px), axis=-1).mean(axis=-1)
        result |= gap < SAME_PERSON * torso_px(pose.points_px)
    return result


def distinct(candidates: Candidates) -> Candidates:
    """Non-maximum suppression across tiles: the best candidate of every person."""
    axes = candidates.points_px[:, [SHOULDER_CENTER, HIP_CENTER]]
    length = np.linalg.norm(axes[:, 0] - axes[:, 1], axis=-1)
    kept: list[int] = []
    for row in range(len(candidates)):
        gaps = np.linalg.norm(axes[kept] - axes[row], axis=-1).mean(axis=-1)
        if not (gaps < SAME_PERSON * np.minimum(length[kept], length[row])).any():
            kept.append(row)
    return candidates.taken(np.array(kept, dtype=int))


def jump(pose: Pose) -> float:
    """How far a person seems to have moved since the frame before, over the region's side."""
    before, after = pose.region, pose.next_region
    moved = np.hypot(after.x_px - before.x_px, after.y_px - before.y_px) / before.size_px
    return float(moved + abs(np.log(max(after.size_px, 1e-6) / before.size_px)))


def is_usable(region: Region, width_px: int, height_px: int) -> bool:
    """Whether a region is finite, not tiny, and has its centre near the picture."""
    reach = 0.5 * region.size_px
    values = (region.x_px, region.y_px, region.size_px, region.angle_rad)
    return bool(
        np.isfinite(values).all()
        and region.size_px >= MIN_REGION_PX
        and -reach < region.x_px < width_px + reach
        and -reach < region.y_px < height_px + reach
    )

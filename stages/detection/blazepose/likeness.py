"""Whether two findings are one person, and which of the two to believe.

They are one where head and torso nearly coincide, or where one lies along the limbs of the other:
the landmark network readily sees a small person in somebody's legs.
"""

import numpy as np
from jaxtyping import Bool, Float

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.detector import HIP_CENTER, SHOULDER_CENTER, Candidates
from stages.detection.blazepose.landmarks import Pose

SAME_PERSON = 0.35
"""Two findings closer than this, in torso lengths, are one person."""

ON_LIMBS = 0.15
"""Somebody whose joints are this near to another's bones, in torso lengths, is part of the other.
Real people in front of each other were measured at 0.22 and more."""

OUTGROWN = 1.25
AS_VISIBLE = 0.1
OPPOSITE_COS = -0.5
"""Trunks that point further apart than this (a cosine) are each other's upside-down."""
ON_LEGS = 1.5
"""Someone's legs lie nearer than this many torso lengths to the trunk that they belong to."""
MIN_REGION_PX = 16.0

CORE = BLAZEPOSE33.indices("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
MIRRORED_CORE = BLAZEPOSE33.mirror[CORE]
JOINTS = BLAZEPOSE33.indices(
    *(
        f"{side}_{joint}"
        for side in ("left", "right")
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    )
)
LIMBS = BLAZEPOSE33.edges[(BLAZEPOSE33.edges > BLAZEPOSE33.index("mouth_right")).all(axis=1)]


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


def limb_distance(small: Pose, large: Pose) -> float:
    """Mean distance of one person's joints from the other's bones, in the other's torso lengths."""
    joints = small.points_px[JOINTS][:, None]
    start, end = large.points_px[LIMBS[:, 0]], large.points_px[LIMBS[:, 1]]
    along = end - start
    share = ((joints - start) * along).sum(axis=-1) / np.maximum((along**2).sum(axis=-1), 1e-9)
    nearest = start + np.clip(share, 0, 1)[..., None] * along
    return float(np.linalg.norm(joints - nearest, axis=-1).min(axis=1).mean()) / torso_px(
        large.points_px
    )


def same_person(a: Pose, b: Pose) -> bool:
    """Whether two poses of one frame show one person."""
    if pose_distance(a, b) < SAME_PERSON:
        return True
    small, large = sorted((a, b), key=lambda pose: torso_px(pose.points_px))
    return limb_distance(small, large) < ON_LIMBS


def outgrows(a: Pose, b: Pose) -> bool:
    """Whether `a` is the whole body of which `b` is a misread part."""
    larger = torso_px(a.points_px) > OUTGROWN * torso_px(b.points_px)
    return bool(larger and a.visibility.mean() > b.visibility.mean() - AS_VISIBLE)


def upside_down_on(new: Pose, known: Pose) -> bool:
    """Whether somebody new is a known person's legs, taken for a trunk with arms.

    So the network reads people of whom others hide a part: there, and the other way up.
    """
    up_new, up_known = (np.subtract(*axis_px(pose.points_px)) for pose in (new, known))
    lengths = max(float(np.linalg.norm(up_new) * np.linalg.norm(up_known)), 1e-6)
    turned = float(up_new @ up_known) / lengths < OPPOSITE_COS
    return turned and pose_distance(new, known) < ON_LEGS


def is_better(a: Pose, b: Pose) -> bool:
    """Which of two poses of one person to believe: the whole body, else the one that moved less."""
    if outgrows(a, b) or outgrows(b, a):
        return outgrows(a, b)
    return jump(a) < jump(b)


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

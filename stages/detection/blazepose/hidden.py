"""People who stand behind others: seen once those in front are painted out."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.crops import Region, crop
from stages.detection.blazepose.landmarks import SIDE_PX, LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import (
    jump,
    pose_distance,
    same_person,
    torso_px,
    upside_down_on,
)
from stages.detection.blazepose.painting import hidden_share, paint_out

MOST_HIDDEN = 0.6
"""Of whom more lies on others, too little is seen: the grey shape itself may look like somebody."""
LEAST_VISIBLE = 0.68
"""Mean visibility, as the network tells it, of somebody of whom enough is seen."""
FARTHEST = 1.5
"""Who stands farther from all of those in front, in torso lengths, needs nobody painted out."""
NEARER = 0.1
"""Whose feet are lower by this, in torso lengths, stands nearer."""
STRAYED = 0.6
"""Farther from where somebody hidden is expected, in torso lengths, it is somebody else."""
STEADY = 0.5
"""A larger `jump` from where somebody was looked for is not the one who was looked for."""


_FEET = BLAZEPOSE33.indices("left_heel", "right_heel", "left_foot_index", "right_foot_index")


def beside(region: Region, poses: Sequence[Pose]) -> list[Pose]:
    """Those of the people who may stand before or behind somebody in the region."""
    return [pose for pose in poses if _apart_px(region, pose) < _reach_px(region, pose)]


def _apart_px(region: Region, pose: Pose) -> float:
    other = pose.next_region
    return float(np.hypot(other.x_px - region.x_px, other.y_px - region.y_px))


def _reach_px(region: Region, pose: Pose) -> float:
    return 0.5 * (region.size_px + pose.next_region.size_px)


def looked_apart(
    network: LandmarkNetwork,
    rgb: UInt8[np.ndarray, "h w 3"],
    regions: Sequence[Region],
    expected: Sequence[Pose | None],
) -> list[Pose]:
    """The pose in every region, without those who are expected beside it.

    Where they are expected and the one looked for is not, they are painted out: else the network
    may give one person made of two.

    Args:
        network: finds the pose.
        rgb: the frame.
        regions: where to look.
        expected: who is expected there.
    """
    pictures = [crop(rgb, region, SIDE_PX) for region in regions]
    for own, region, picture in zip(expected, regions, pictures, strict=True):
        near = near_to(own, expected)
        if own is not None and near:
            _paint(picture, region, near, keep=[own])
    return network.in_pictures(pictures, regions)


def near_to(own: Pose | None, expected: Sequence[Pose | None]) -> list[Pose]:
    """The others of those expected who stand near enough to be mixed up with one of them."""
    if own is None:
        return []
    others = [pose for pose in expected if pose is not None and pose is not own]
    return [pose for pose in others if pose_distance(own, pose) < FARTHEST]


def stands_before(one: Pose, other: Pose) -> bool:
    """Whether one of two surely stands nearer: by the feet, which are lower in the picture."""
    lead_px = one.points_px[_FEET, 1].max() - other.points_px[_FEET, 1].max()
    return bool(lead_px > NEARER * torso_px(other.points_px))


def is_seen_where_hidden(pose: Pose, expected: Pose, others: Sequence[Pose]) -> bool:
    """Whether somebody who was hidden is to be seen again, where the others are expected."""
    if pose_distance(pose, expected) >= STRAYED or pose.visibility.mean() < LEAST_VISIBLE:
        return False
    if any(upside_down_on(pose, other) for other in others):
        return False
    front = [other for other in others if not stands_before(expected, other)]
    return not front or hidden_share(pose, front) <= MOST_HIDDEN


def _paint(
    picture: np.ndarray, region: Region, poses: Sequence[Pose], keep: Sequence[Pose] = ()
) -> None:
    paint_out(picture, poses, lambda points: region.to_region(points) * SIDE_PX, keep)


def looked_behind(
    network: LandmarkNetwork,
    rgb: UInt8[np.ndarray, "h w 3"],
    region: Region,
    front: Sequence[Pose],
) -> Pose | None:
    """Somebody in the region who is none of those in front; None where nobody is to be seen.

    Whether the pose's presence suffices is left to the caller.
    """
    picture = crop(rgb, region, SIDE_PX)
    _paint(picture, region, front)
    pose = network.in_pictures([picture], [region])[0]
    return pose if _is_somebody_else(pose, front) else None


def _is_somebody_else(pose: Pose, front: Sequence[Pose]) -> bool:
    if not np.isfinite(pose.points_px).all() or jump(pose) >= STEADY:
        return False
    if pose.visibility.mean() < LEAST_VISIBLE or any(same_person(pose, p) for p in front):
        return False
    if min(pose_distance(pose, other) for other in front) > FARTHEST:
        return False
    if any(upside_down_on(pose, other) for other in front):
        return False
    return hidden_share(pose, front) <= MOST_HIDDEN

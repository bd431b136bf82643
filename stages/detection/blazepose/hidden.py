"""People who stand behind others: seen once those in front are painted out."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from stages.detection.blazepose.crops import Region, crop
from stages.detection.blazepose.landmarks import SIDE_PX, LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import jump, pose_distance, same_person, upside_down_on
from stages.detection.blazepose.painting import hidden_share, paint_out

MOST_HIDDEN = 0.6
"""Of whom more lies on others, too little is seen: the grey shape itself may look like somebody."""
LEAST_VISIBLE = 0.68
"""Mean visibility, as the network tells it, of somebody of whom enough is seen."""
FARTHEST = 1.5
"""Who stands farther from all of those in front, in torso lengths, needs nobody painted out."""
STEADY = 0.5
"""A larger `jump` from where somebody was looked for is not the one who was looked for."""


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
    before: Sequence[Pose | None],
) -> list[Pose]:
    """The pose in every region, without those who were beside it in the frame before.

    Where they were and the one looked for was not, they are painted out: else the network may give
    one person made of two.

    Args:
        network: finds the pose.
        rgb: the frame.
        regions: where to look.
        before: who was seen there in the frame before.
    """
    pictures = [crop(rgb, region, SIDE_PX) for region in regions]
    for own, region, picture in zip(before, regions, pictures, strict=True):
        if own is None:
            continue
        others = [p for p in before if p is not None and p is not own]
        near = [pose for pose in others if pose_distance(own, pose) < FARTHEST]
        if near:
            _paint(picture, region, near, keep=[own])
    return network.in_pictures(pictures, regions)


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

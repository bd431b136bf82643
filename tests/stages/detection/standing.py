"""Made-up people who stand, as poses."""

from dataclasses import replace

import numpy as np

from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.landmarks import Pose

STANDING = {"nose": (0, -160), "shoulder": (25, -120), "elbow": (32, -80), "wrist": (34, -40)} | {
    "hip": (15, -20),
    "knee": (15, 40),
    "ankle": (15, 100),
    "heel": (15, 110),
    "foot": (15, 110),
}


def pose(at=(300.0, 300.0), scale=1.0, visibility=1.0, moved_px=0.0) -> Pose:
    """A standing person whose torso is 100 px long at scale 1."""
    points = np.zeros((33, 2), np.float32)
    points[:] = STANDING["nose"]
    for index, name in enumerate(BLAZEPOSE33.points):
        side, _, part = name.partition("_")
        part = part.removesuffix("_index") if part == "foot_index" else part
        if part in STANDING:
            x, y = STANDING[part]
            points[index] = (x if side == "left" else -x), y
    points = points * np.float32(scale) + np.array(at, np.float32)
    region = Region(at[0], at[1], 400 * scale, 0.0)
    return Pose(
        points,
        np.full(33, visibility, np.float32),
        np.zeros((33, 3), np.float32),
        0.9,
        region,
        replace(region, x_px=at[0] + moved_px),
    )


def legs() -> Pose:
    """A small person seen in the legs of the one who stands at `pose`'s usual place."""
    small = pose((315.0, 365.0), scale=0.35, visibility=0.7)
    small.points_px[:, 0] = 315 + (small.points_px[:, 0] - 315) * 0.3
    return small

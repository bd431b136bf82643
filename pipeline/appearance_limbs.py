"""Places on fitted bodies held to the detector's landmarks, where there are any.

A forearm is some pixels wide, and a body's is often beside the picture's: places on limbs move with
the landmarks at both their ends. And a body's depth is less sure than whose feet are lower: what
lies on limbs or trunk of somebody who may stand nearer is left out, whatever the bodies say.
"""

import numpy as np
from jaxtyping import Float, Float64

from pipeline.appearance_hidden import Crowd, not_hidden
from pipeline.appearance_points import LEAST_VISIBILITY, SKELETONS, PartPoints
from pipeline.appearance_surface import SurfaceSamples
from pipeline.skeletons import Skeleton

NAMES = {
    **{1: "left_hip", 2: "right_hip", 4: "left_knee", 5: "right_knee"},
    **{7: "left_ankle", 8: "right_ankle", 16: "left_shoulder", 17: "right_shoulder"},
    **{18: "left_elbow", 19: "right_elbow", 20: "left_wrist", 21: "right_wrist"},
}
"""Landmarks of the body's joints."""


def held_to_landmarks(
    points: PartPoints,
    joints_px: Float64[np.ndarray, "n 24 2"],
    people: Crowd,
    samples: SurfaceSamples,
) -> PartPoints:
    """Places on n people's meshes, moved and left out; as they are where there are no landmarks."""
    if people.landmarks_px is None or people.skeleton not in SKELETONS:
        return points
    skeleton = SKELETONS[people.skeleton]
    moved = limbs_on_landmarks(points, joints_px, people.landmarks_px, skeleton, samples)
    return PartPoints(moved.points_px, not_hidden(moved, people))


def limbs_on_landmarks(
    points: PartPoints,
    joints_px: Float64[np.ndarray, "n 24 2"],
    landmarks_px: Float[np.ndarray, "n k 3"],
    skeleton: Skeleton,
    samples: SurfaceSamples,
) -> PartPoints:
    """The same places, on limbs whose ends are both visible moved with these.

    Args:
        points: on n people's meshes.
        joints_px: where their joints are in the picture.
        landmarks_px: where the detector saw them, with visibility.
        skeleton: the landmarks' names.
        samples: tell which place is on which limb.
    """
    shift = np.full((len(joints_px), joints_px.shape[1] + 1, 2), np.nan)
    for joint, name in NAMES.items():
        seen = landmarks_px[:, skeleton.index(name)].astype(np.float64)
        visible = seen[:, 2] >= LEAST_VISIBILITY
        shift[visible, joint] = seen[visible, :2] - joints_px[visible, joint]
    along = samples.along[None, ..., None]
    start, end = shift[:, samples.bone[..., 0]], shift[:, samples.bone[..., 1]]
    moved = (1 - along) * start + along * end  # NaN on trunk and head: their bone is -1
    return PartPoints(points.points_px + np.nan_to_num(moved), points.seen)

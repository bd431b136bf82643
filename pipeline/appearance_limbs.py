"""Limbs of a fitted body moved to where the detector saw them: bodies are less exact there.

A forearm is some pixels wide, and a body's is often beside the picture's. What is hidden is still
told by the body; only the places to look at move, with the landmarks at both ends of the limb.
"""

import numpy as np
from jaxtyping import Float, Float64

from pipeline.appearance_points import LEAST_VISIBILITY, PartPoints
from pipeline.appearance_surface import SurfaceSamples
from pipeline.skeletons import Skeleton

NAMES = {
    **{1: "left_hip", 2: "right_hip", 4: "left_knee", 5: "right_knee"},
    **{7: "left_ankle", 8: "right_ankle", 16: "left_shoulder", 17: "right_shoulder"},
    **{18: "left_elbow", 19: "right_elbow", 20: "left_wrist", 21: "right_wrist"},
}
"""Landmarks of the body's joints."""


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

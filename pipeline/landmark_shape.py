"""Shape coefficients of bodies from the lengths between BlazePose's landmarks."""

import numpy as np
from jaxtyping import Float, Float64

from pipeline.landmark_sites import LandmarkSites
from pipeline.skeletons import BLAZEPOSE33

LARGEST_BETA = 3.0
# Lengths between landmarks and how well the detector tells them, in metres. It draws the trunk to
# scale and the far parts of the limbs too short, the more the further out.
_LENGTHS = (
    ("left_shoulder", "right_shoulder", 0.03),
    ("left_shoulder", "left_hip", 0.03),
    ("right_shoulder", "right_hip", 0.03),
    ("left_hip", "left_knee", 0.05),
    ("right_hip", "right_knee", 0.05),
    ("left_knee", "left_ankle", 0.08),
    ("right_knee", "right_ankle", 0.08),
    ("left_shoulder", "left_elbow", 0.05),
    ("right_shoulder", "right_elbow", 0.05),
    ("left_elbow", "left_wrist", 0.08),
    ("right_elbow", "right_wrist", 0.08),
)


def betas_from_landmarks(
    landmarks_m: Float[np.ndarray, "n 33 3"], sites: LandmarkSites
) -> Float64[np.ndarray, "n 10"]:
    """Ridge regression: lengths grow in proportion to betas, average people are likeliest.

    Args:
        landmarks_m: Metres, any axes.
        sites: Where the landmarks sit on the body.

    Returns:
        Betas within -3 to 3.
    """
    start = BLAZEPOSE33.indices(*(a for a, _, _ in _LENGTHS))
    end = BLAZEPOSE33.indices(*(b for _, b, _ in _LENGTHS))
    spread_m = np.array([s for _, _, s in _LENGTHS])
    seen_m = np.linalg.norm(
        np.asarray(landmarks_m, np.float64)[:, end] - landmarks_m[:, start], axis=-1
    )
    bones_m = sites.rest_m[end] - sites.rest_m[start]
    rest_m = np.linalg.norm(bones_m, axis=-1)
    along = bones_m / rest_m[:, None]
    per_beta = sites.rest_per_beta_m[end] - sites.rest_per_beta_m[start]
    per_beta = np.einsum("lc,lcb->lb", along, per_beta) / spread_m[:, None]
    normal = per_beta.T @ per_beta + np.eye(per_beta.shape[1])
    betas = np.linalg.solve(normal, per_beta.T @ ((seen_m - rest_m) / spread_m).T).T
    return np.clip(betas, -LARGEST_BETA, LARGEST_BETA)

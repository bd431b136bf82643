"""Which way bodies face: the rotation of the root."""

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from pipeline.types import Bodies


def facing_of(bodies: Bodies) -> Float64[np.ndarray, "n 3 3"]:
    """Root rotations; those that are not finite count as none."""
    if not len(bodies):
        return np.zeros((0, 3, 3))
    root = np.nan_to_num(bodies.pose_rotvec[:, 0].astype(np.float64), posinf=0.0, neginf=0.0)
    return Rotation.from_rotvec(root).as_matrix()

"""Rotations as points of the unit sphere in four dimensions, where curves have no poles."""

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation

MEMORY = 0.7
"""Share of the reference that is kept from frame to frame while signs are chosen."""


def continuous_quats(
    rotvec: Float[np.ndarray, "t joints 3"],
) -> Float64[np.ndarray, "t joints 4"]:
    """Unit quaternions (xyzw) that follow one sheet of the double cover.

    q and -q are one rotation. Each frame takes the sign nearer to a fading sum of the frames
    before it, not to the last frame alone: one wild frame cannot turn all that follow.
    """
    count, joints = rotvec.shape[:2]
    flat = Rotation.from_rotvec(rotvec.reshape(-1, 3).astype(np.float64)).as_quat()
    quats = flat.reshape(count, joints, 4)
    reference = quats[0].copy()
    for frame in range(count):
        opposite = (quats[frame] * reference).sum(-1) < 0
        quats[frame, opposite] *= -1
        reference = MEMORY * reference + quats[frame]
    return quats


def rotvec_of(quats: Float64[np.ndarray, "t joints 4"]) -> Float64[np.ndarray, "t joints 3"]:
    """Axis-angle, angle at most pi, of quaternions (xyzw) of any positive length."""
    return Rotation.from_quat(quats.reshape(-1, 4)).as_rotvec().reshape(*quats.shape[:2], 3)

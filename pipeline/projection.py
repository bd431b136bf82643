"""The pinhole projection of `pipeline/camera.py` for tensors, with gradients."""

from jaxtyping import Float
from torch import Tensor


def project_points(
    points_m: Float[Tensor, "*n k 3"],
    K_px: Float[Tensor, "*#n 3 3"],
    nearest_m: float | None = None,
) -> Float[Tensor, "*n k 2"]:
    """Pixels of points in camera coordinates, OpenCV's axes.

    Args:
        points_m: In front of the camera.
        K_px: Intrinsics, one for all or one for each body.
        nearest_m: Points nearer than this are put at this depth; None leaves them, so that a
            point at depth 0 has no pixel.
    """
    depth_m = points_m[..., 2:]
    if nearest_m is not None:
        depth_m = depth_m.clamp_min(nearest_m)
    return points_m[..., :2] / depth_m @ K_px[..., :2, :2].mT + K_px[..., None, :2, 2]

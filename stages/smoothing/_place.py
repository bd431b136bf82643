"""The place of the pelvis along the ray through the picture and along log depth, apart.

What a single camera gets wrong is depth, and it does so along the ray; smoothing x and z apart
would let the body slide in the picture.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

LEAST_Z_M = 0.01
Smooth = Callable[[Float64[np.ndarray, "t d"]], Float64[np.ndarray, "t d"]]


def smooth_along_ray(
    place_m: Float64[np.ndarray, "t 3"], *, ray: Smooth, log_depth: Smooth, xyz: Smooth
) -> Float64[np.ndarray, "t 3"]:
    """Place in camera axes in, the same smoothed out.

    Args:
        place_m: metres.
        ray: what to do with x/z, y/z.
        log_depth: what to do with log z.
        xyz: what to do where a place is not in front of the camera: then there is no ray.
    """
    depth_m = place_m[:, 2:]
    if depth_m.min() < LEAST_Z_M:
        return xyz(place_m)
    smooth_ray, smooth_depth = ray(place_m[:, :2] / depth_m), log_depth(np.log(depth_m))
    return np.exp(smooth_depth) * np.concatenate([smooth_ray, np.ones_like(smooth_depth)], axis=1)

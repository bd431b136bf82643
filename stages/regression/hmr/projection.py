"""Where HMR's own programs put points of a body, in its crop."""

from jaxtyping import Float
from torch import Tensor


def points_in_crop(
    points_m: Float[Tensor, "*n k 3"], crop_camera: Float[Tensor, "*n 3"]
) -> Float[Tensor, "*n k 2"]:
    """Orthographic places s (x + tx, y + ty); the crop reaches from -1 to 1."""
    return crop_camera[..., None, :1] * (points_m[..., :2] + crop_camera[..., None, 1:])


def crop_px(points: Float[Tensor, "*n 2"], size_px: int = 224) -> Float[Tensor, "*n 2"]:
    """Places of -1 to 1 as pixels of the crop."""
    return (points + 1) / 2 * size_px

"""A body's surface unrolled: sampled from the picture, prepared, averaged over time, compared.

A texture is (4, y, x): normalised RGB over 5, and +1 where the surface was seen, -1 elsewhere.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from pipeline.camera import project
from stages.tracking.phalp.features import K_SQUARE_PX, SQUARE_PX

COLOUR_UNIT = 5.0
DEPTH_SLACK = 1e-4
"""Surface this little behind the depth drawn still counts as seen, body units."""


def prepared(sampled: Float[Tensor, "b 4 y x"]) -> Float[Tensor, "b 4 y x"]:
    """Sampled colours and mask as a texture: RGB over 5, nothing and -1 where unseen."""
    unseen = sampled[:, 3:] == 0
    colours = torch.where(unseen, 0.0, sampled[:, :3] / COLOUR_UNIT)
    return torch.cat([colours, torch.where(unseen, -1.0, 1.0)], dim=1)


def updated(
    texture: Float[np.ndarray, "4 y x"],
    seen_now: Float[np.ndarray, "4 y x"],
    confidence: float,
    alpha: float = 0.1,
) -> Float[np.ndarray, "4 y x"]:
    """A track's texture after one more sighting, which counts alpha times squared confidence."""
    share = alpha * confidence**2
    had, has = texture[3] == 1, seen_now[3] == 1
    mixed = (1 - share) * texture[:3] + share * seen_now[:3]
    colours = np.where(had & has, mixed, np.where(has, seen_now[:3], texture[:3]))
    return np.concatenate([colours, np.where(had | has, 1.0, -1.0)[None]])


def jointly_masked(
    a: Float[Tensor, "b 4 y x"], b: Float[Tensor, "b 4 y x"]
) -> tuple[Float[Tensor, "b 4 y x"], Float[Tensor, "b 4 y x"]]:
    """Both, with all four channels 0 where not both were seen."""
    both = ((a[:, 3:] > 0.5) & (b[:, 3:] > 0.5)).to(a.dtype)  # noqa: PLR2004
    return a * both, b * both


def sampled_texture(
    vertices: Float[Tensor, "b v 3"],
    camera: Float[Tensor, "b 3"],
    faces: Int64[Tensor, "f 3"],
    barycentric: Float[Tensor, "y x 3"],
    face_of_texel: Int64[Tensor, "y x"],
    crops: Float[Tensor, "b 3 s s"],
    masks: Float[Tensor, "b s s"],
    depth: Float[Tensor, "b s s"],
) -> Float[Tensor, "b 4 y x"]:
    """Colours of normalised crops at every point of the surface map, and whether it was seen.

    Args:
        vertices: bodies around their origin.
        camera: shift in the crop's camera (focal length 5000, middle 128, 256 px).
        faces: triangles.
        barycentric: where in its triangle each texel lies.
        face_of_texel: its triangle, below 0 for none.
        crops: normalised pictures.
        masks: 0 to 1, the person's silhouette.
        depth: drawn depth of the body in the crop.
    """
    valid = face_of_texel >= 0
    triangles = faces[face_of_texel[valid]]
    corners = (vertices + camera[:, None])[:, triangles]
    points = (corners * barycentric[valid][None, :, :, None]).sum(dim=2)
    place = _in_unit_square(points)[:, :, None]
    channels = torch.cat([crops, masks[:, None]], dim=1)
    colours = functional.grid_sample(channels, place, align_corners=False)[..., 0]
    drawn = functional.grid_sample(depth[:, None], place, align_corners=False)[:, 0, :, 0]
    seen = points[..., 2] <= drawn + DEPTH_SLACK
    texels = torch.cat([colours[:, :3], (colours[:, 3] * seen)[:, None]], dim=1)
    out = torch.zeros((len(vertices), 4, *face_of_texel.shape), dtype=texels.dtype)
    out[:, :, valid] = texels
    return out


def _in_unit_square(points: Tensor) -> Tensor:
    """Projected into the crop, from -1 to 1."""
    pixels = project(points.numpy(), K_SQUARE_PX)
    return torch.from_numpy(pixels / (SQUARE_PX / 2) - 1).to(points.dtype)


def seen_share(texture: Float[np.ndarray, "4 y x"]) -> float:
    """Share of texels that were seen."""
    seen: Bool[np.ndarray, "y x"] = texture[3] > 0
    return float(seen.mean())

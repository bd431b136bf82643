"""Keypoints as a camera turned straight at the person would see them.

Each frame is looked at along the ray through the person's middle, and lengths are measured in the
person's own size over the window. Place in the picture, size and focal length are so taken out;
what is left of them (the ray, the size) goes to the network as numbers.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.motion_clips import MIRROR
from pipeline.rotations import rotmat_between_vectors
from pipeline.skeletons import BLAZEPOSE33

_TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_LIMBS = (
    "nose",
    *(f"{s}_{p}" for s in ("left", "right") for p in ("elbow", "wrist", "knee", "ankle")),
)
TRUNK = torch.from_numpy(BLAZEPOSE33.indices(*_TRUNK)).long()
MEASURED = torch.from_numpy(BLAZEPOSE33.indices(*_TRUNK, *_LIMBS)).long()
"""Points that every detector marks: middle and size are taken from these."""
MIRRORED_POINTS = torch.from_numpy(BLAZEPOSE33.mirror).long()
LIMB_SHARE = 0.05
"""How much a limb's point counts for the middle beside the trunk's."""
LEAST_CONFIDENCE = 0.05
SMALLEST_SIZE = 1e-4
FARTHEST = 4.0
"""Points further out than this many sizes are drawn in."""


@dataclass(frozen=True)
class Keypoints:
    """What a detector saw of people in windows of frames."""

    rays: Float[Tensor, "*b 33 2"]
    """x / z and y / z of every keypoint; anything where confidence is 0."""
    confidence: Float[Tensor, "*b 33"]
    """0 (not seen) to 1."""
    landmarks_m: Float[Tensor, "*b 33 3"]
    """The detector's own guess in space, centred between the hips; 0 where it has none."""

    def mirrored(self) -> "Keypoints":
        """Of the mirror image: left and right exchanged."""
        flip = MIRROR.diagonal()
        return Keypoints(
            self.rays[..., MIRRORED_POINTS, :] * flip[:2],
            self.confidence[..., MIRRORED_POINTS],
            self.landmarks_m[..., MIRRORED_POINTS, :] * flip,
        )


@dataclass(frozen=True)
class View:
    """Windows of keypoints seen straight on."""

    rotmat_view_camera: Float[Tensor, "b t 3 3"]
    size: Float[Tensor, " b"]
    """Root mean square distance of the points from their middle, as the tangent of an angle."""
    middle: Float[Tensor, "b t 2"]
    """The ray through the person's middle (x / z, y / z in the camera)."""
    points: Float[Tensor, "b t 33 2"]
    """In sizes; 0 where nothing was seen."""
    confidence: Float[Tensor, "b t 33"]
    landmarks_m: Float[Tensor, "b t 33 3"]
    """The detector's own guess in space, centred between the hips; 0 where it has none."""

    def features(self) -> Float[Tensor, "b t f"]:
        """What the network reads of each frame."""
        size = self.size.log()[:, None, None].expand(*self.middle.shape[:2], 1)
        in_space = self.landmarks_m.flatten(2)
        known = (in_space != 0).any(-1, keepdim=True).to(size)
        flat = self.points.flatten(2)
        numbers = (flat, self.confidence, self.middle, size, size.exp(), in_space, known)
        return torch.cat(numbers, -1)


FEATURES = 33 * 6 + 5


def seen_straight(
    rays: Float[Tensor, "b t 33 2"],
    confidence: Float[Tensor, "b t 33"],
    landmarks_m: Float[Tensor, "b t 33 3"] | None = None,
) -> View:
    """Turn the camera at the person, frame by frame.

    Args:
        rays: x / z and y / z of every keypoint; anything where confidence is 0.
        confidence: 0 (not seen) to 1.
        landmarks_m: the detector's own guess in space. Detectors make it from a crop about the
            person, so its axes are those of the view already.
    """
    seen = confidence > 0
    rays = torch.where(seen[..., None], rays, 0.0)
    middle = _middle(rays, confidence)
    ahead = torch.nn.functional.pad(middle, (0, 1), value=1.0)
    rotmat = rotmat_between_vectors(ahead, torch.tensor([0.0, 0.0, 1.0]).to(rays))
    turned = torch.nn.functional.pad(rays, (0, 1), value=1.0) @ rotmat.mT
    points = turned[..., :2] / turned[..., 2:].clamp_min(SMALLEST_SIZE)
    weight = confidence[..., MEASURED]
    squared = (points[..., MEASURED, :].square().sum(-1) * weight).sum((1, 2))
    size = (squared / weight.sum((1, 2)).clamp_min(SMALLEST_SIZE)).sqrt().clamp_min(SMALLEST_SIZE)
    points = (points / size[:, None, None, None]).clamp(-FARTHEST, FARTHEST)
    points = torch.where(seen[..., None], points, 0.0)
    in_space = torch.zeros_like(rays[..., :1]).expand(*rays.shape[:-1], 3)
    if landmarks_m is not None:
        in_space = torch.where(seen.any(-1)[..., None, None], landmarks_m, 0.0)
    return View(rotmat, size, middle, points, confidence, in_space)


def _middle(rays: Tensor, confidence: Tensor) -> Tensor:
    """Of the trunk, held by the limbs where the trunk is hidden; by neighbours in blind frames."""
    share = torch.full_like(confidence[0, 0], 0.0)
    share[MEASURED] = LIMB_SHARE
    share[TRUNK] = 1.0
    weight = share * confidence.clamp_min(0) + share * LEAST_CONFIDENCE * (confidence > 0)
    total = weight.sum(-1, keepdim=True)
    middle = (rays * weight[..., None]).sum(-2) / total.clamp_min(SMALLEST_SIZE)
    whole = (middle * total).sum(1, keepdim=True) / total.sum(1, keepdim=True).clamp_min(
        SMALLEST_SIZE
    )
    return torch.where(total > 0, middle, whole)


def rays_of(points: Float[Tensor, "b t 33 2"], view: View) -> Float[Tensor, "b t 33 2"]:
    """Points of a view back as x / z and y / z in the camera."""
    ahead = torch.nn.functional.pad(points * view.size[:, None, None, None], (0, 1), value=1.0)
    turned = ahead @ view.rotmat_view_camera
    return turned[..., :2] / turned[..., 2:].clamp_min(SMALLEST_SIZE)

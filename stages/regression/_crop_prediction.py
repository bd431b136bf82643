"""What networks that look at one crop per person say."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class CropPrediction:
    """SMPL's parameters and the crop's camera for n crops."""

    pose_rotmat: Float[Tensor, "n 24 3 3"]
    betas: Float[Tensor, "n 10"]
    crop_camera: Float[Tensor, "n 3"]
    """Scale and x, y shift (s, tx, ty) in the square crop, weak perspective."""


def joined(parts: Sequence[CropPrediction], device: torch.device) -> CropPrediction:
    """All batches as one; no batch gives a prediction of no crops."""
    none = torch.empty((0, 24, 3, 3), device=device)
    empty = CropPrediction(none, none[:, :10, 0, 0], none[:, 0, 0])
    names = ("pose_rotmat", "betas", "crop_camera")
    return CropPrediction(**{n: torch.cat([getattr(p, n) for p in [empty, *parts]]) for n in names})

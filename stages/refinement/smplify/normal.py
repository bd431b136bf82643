"""Normal equations of the terms that touch one frame, and the robust cost of a residual."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Normal:
    """Normal equations H step = -g of the terms that touch one frame, and their cost.

    `b` marks what stays the same over the sequence (shape, marks); `Hb` couples it with a frame.
    """

    H: Tensor
    g: Tensor
    Hb: Tensor | None
    Hbb: Tensor
    gb: Tensor
    cost: Tensor
    """(t,)"""

    def add(self, r: Tensor, J: Tensor, Jb: Tensor | None, weight: Tensor, cost: Tensor) -> None:
        """Residuals r (t, m) with weights (t, m), derivatives J (t, d, m) and Jb (t, 28, m)."""
        root = weight.sqrt()
        r, J = r * root, J * root[:, None]
        self.H += J @ J.mT
        self.g += (J @ r[..., None])[..., 0]
        self.cost += cost
        if Jb is not None and self.Hb is not None:
            Jb = Jb * root[:, None]
            self.Hb += J @ Jb.mT
            self.Hbb += torch.einsum("tam,tbm->ab", Jb, Jb)
            self.gb += torch.einsum("tam,tm->a", Jb, r)


def geman_mcclure(squared: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Cost and weight of squared residuals: grows like them, then levels out at `scale` ** 2."""
    c2 = scale * scale
    return squared * c2 / (c2 + squared), (c2 / (c2 + squared)) ** 2

"""The regressed pose as evidence: every joint is drawn towards the rotation it was given.

SPIN's idea (Kolotouros et al. 2019): the regressor starts the fit, and knows of depth what the
landmarks do not tell. Robust for each joint, because a regressor is quite wrong at times.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.rotations import rotmat_to_rotvec, rotvec_by_turn
from pipeline.skeletons import SMPL24, TRUNK_AND_LIMBS
from stages.refinement.smplify.dofs import Dofs
from stages.refinement.smplify.normal import Normal, geman_mcclure

SPREAD_DEG: Mapping[str, float] = {
    "pelvis": 12.0,
    "spine": 8.0,
    "neck": 12.0,
    "head": 12.0,
    "collar": 8.0,
    "shoulder": 25.0,
    "elbow": 25.0,
    "wrist": 25.0,
    "hip": 12.0,
    "knee": 12.0,
    "ankle": 15.0,
}
"""Usual error of a regressed rotation, by the part of a joint's name."""
TOLD_DEG: Mapping[str, float] = {
    "pelvis": 7.5,
    "spine": 5.0,
    "neck": 8.5,
    "head": 10.0,
    "collar": 2.7,
    "shoulder": 13.7,
    "elbow": 10.5,
    "wrist": 16.0,
    "hip": 10.2,
    "knee": 5.1,
    "ankle": 10.8,
}
"""Error that a regressor which tells says it makes of usual poses: what the lifter says of filmed
people of the validation split (means of the logarithm)."""
LEAST_RATIO, MOST_RATIO = 0.3, 3.0
TURNING = torch.from_numpy(SMPL24.indices(*TRUNK_AND_LIMBS)).long()
"""Joints that turn the bones whose directions the fit looks at."""


def spreads_rad(spread_deg: Mapping[str, float]) -> Tensor:
    """(24,) of SMPL's joints; infinite where nothing is said (toes, hands)."""
    return _by_joint({**SPREAD_DEG, **spread_deg}, float("inf"))


def _by_joint(table: Mapping[str, float], otherwise: float) -> Tensor:
    degrees = [
        next((value for part, value in table.items() if part in joint), otherwise)
        for joint in SMPL24.points
    ]
    return torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))


def told_ratio(told_rad: Tensor) -> Tensor:
    """(t, 24) errors that the regressor expects, over what it usually expects; 1 where unknown."""
    ratio = told_rad / _by_joint(TOLD_DEG, TOLD_DEG["wrist"])
    return torch.nan_to_num(ratio, nan=1.0).clamp(LEAST_RATIO, MOST_RATIO)


def directions_share(ratio: Tensor, trust: float) -> Tensor:
    """(t,) how much the directions of the regressed bones count, by what it says of its errors."""
    return (-2 * trust * ratio[:, TURNING].log().mean(1)).exp()


class RegressedTerm:
    """The pull on every frame of a motion."""

    def __init__(
        self, rotmat: Tensor, weight: Tensor, dofs: Dofs, spread_rad: Tensor, outlier: float
    ) -> None:
        """As evidence.

        Args:
            rotmat: (t, 24, 3, 3) regressed local rotations.
            weight: (t,) how much each frame counts.
            dofs: ways to move.
            spread_rad: (24,) usual errors, or (t, 24) by frame.
            outlier: errors of more than this many spreads are taken for mistakes.
        """
        spread_rad = spread_rad.expand(len(rotmat), -1)
        finite = torch.isfinite(spread_rad).all(0)
        self.joints = torch.unique(dofs.joint[finite[dofs.joint]])
        self.rotmat, self.weight, self.outlier = rotmat[:, self.joints], weight, outlier
        self.spread_rad = spread_rad[:, self.joints, None]
        used = torch.isin(dofs.joint, self.joints)
        self.place = torch.searchsorted(self.joints, dofs.joint[used])
        self.way, self.axis, self.count = dofs.way[used], dofs.axis[used], dofs.count

    def _residual(self, local_rotmat: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rotation vectors (t, j, 3), residuals, their cost (t,) and their weights (t, j)."""
        rotvec = rotmat_to_rotvec(self.rotmat.mT @ local_rotmat[:, self.joints])
        r = rotvec / self.spread_rad
        cost, weight = geman_mcclure(r.square().sum(-1), self.outlier)
        return rotvec, r, self.weight * cost.sum(-1), self.weight[:, None] * weight

    def cost(self, local_rotmat: Tensor) -> Tensor:
        """Of every frame (t,)."""
        return self._residual(local_rotmat)[2]

    def add(self, normal: Normal, local_rotmat: Tensor) -> None:
        """To the normal equations."""
        rotvec, r, cost, weight = self._residual(local_rotmat)
        by_turn = (rotvec_by_turn(rotvec)[:, self.place] @ self.axis[..., None])[..., 0]
        J = r.new_zeros((len(r), self.count, len(self.joints), 3))
        J[:, 3 + self.way, self.place] = by_turn / self.spread_rad[:, self.place]
        normal.add(r.flatten(1), J.flatten(2), None, weight.repeat_interleave(3, 1), cost)

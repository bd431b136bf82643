"""Poses that nobody was recorded in: limbs of other motions, and limbs turned a little further.

Forty minutes of motion capture hold few of the poses that people can take. A network that lifts
keypoints need not see likely motion, only bodies and their pictures.
"""

from dataclasses import replace
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.motion_clips import MotionWindows
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import SMPL24

OTHER_LIMBS = 0.12
"""Share of windows in which a limb is another window's, for each limb."""
_LIMBS = (
    *(
        (f"{side}_hip", f"{side}_knee", f"{side}_ankle", f"{side}_foot")
        for side in ("left", "right")
    ),
    *((f"{s}_shoulder", f"{s}_elbow", f"{s}_wrist") for s in ("left", "right")),
)
TURNED = 0.35
"""Share of windows in which joints are turned further than recorded."""
_TURN_SPREAD_DEG = {
    "spine1": 5.0,
    "spine2": 5.0,
    "spine3": 5.0,
    "neck": 6.0,
    "head": 6.0,
    "hip": 18.0,
    "ankle": 8.0,
    "collar": 4.0,
    "shoulder": 25.0,
    "wrist": 8.0,
}
STEADY_SHARE = 0.7
"""Of a turn that stays over the window; the rest comes and goes."""


def varied(motion: MotionWindows, rng: torch.Generator) -> MotionWindows:
    """The same windows, some with other poses."""
    return replace(motion, rotmat=_turned(_with_other_limbs(motion.rotmat, rng), rng))


def _with_other_limbs(
    rotmat: Float[Tensor, "b t 24 3 3"], rng: torch.Generator
) -> Float[Tensor, "b t 24 3 3"]:
    out = rotmat.clone()
    for limb in _LIMBS:
        joints = torch.from_numpy(SMPL24.indices(*limb)).long()
        chosen = (torch.rand(len(rotmat), generator=rng) < OTHER_LIMBS).nonzero()[:, 0]
        other = torch.randperm(len(rotmat), generator=rng)[: len(chosen)]
        out[chosen[:, None], :, joints] = rotmat[other[:, None], :, joints]
    return out


def _turned(
    rotmat: Float[Tensor, "b t 24 3 3"], rng: torch.Generator
) -> Float[Tensor, "b t 24 3 3"]:
    """Extra turns in the joints' own axes: steady ones, and a wave of half a window to two."""
    count, frames = rotmat.shape[:2]
    spread = torch.tensor([_spread_deg(point) * pi / 180 for point in SMPL24.points])
    spread = spread * (torch.rand(count, 1, generator=rng) < TURNED)
    steady, wave = torch.randn(2, count, 1, 24, 3, generator=rng)
    turns = 0.5 + 1.5 * torch.rand(count, 1, 1, 1, generator=rng)
    begin = 2 * pi * torch.rand(count, 1, 24, 1, generator=rng)
    phase = torch.arange(frames).view(1, -1, 1, 1) * (2 * pi / frames / turns) + begin
    amount = STEADY_SHARE * steady + (1 - STEADY_SHARE) * wave * phase.sin()
    return rotmat @ rotvec_to_rotmat(spread[:, None, :, None] * amount)


def _spread_deg(point: str) -> float:
    part = point.removeprefix("left_").removeprefix("right_")
    return _TURN_SPREAD_DEG.get(part, 0.0)

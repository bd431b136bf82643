"""Poses that nobody was recorded in: limbs of other motions, leaning bodies, limbs turned further.

Forty minutes of motion capture hold few of the poses that people can take. A network that lifts
keypoints need not see likely motion, only bodies and their pictures.
"""

from dataclasses import replace
from math import pi

import torch
from jaxtyping import Bool, Float
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
LEANING = 0.35
"""Share of windows in which the pelvis is tilted and the back bent further than recorded."""
LEAN_SPREAD_DEG, BEND_SPREAD_DEG = 16.0, 9.0
"""Of the pelvis about a level axis; of the back, in each of its three joints alike."""
UPRIGHT_LEG = 0.6
"""Chance of a leg to keep its direction when the pelvis tilts."""
TURNED = 0.35
"""Share of windows in which joints are turned further than recorded."""
_TURN_SPREAD_DEG = {
    "spine1": 5.0,
    "spine2": 5.0,
    "spine3": 5.0,
    "neck": 8.0,
    "head": 8.0,
    "hip": 20.0,
    "ankle": 8.0,
    "collar": 5.0,
    "shoulder": 30.0,
    "wrist": 8.0,
}
STEADY_SHARE = 0.7
"""Of a turn that stays over the window; the rest comes and goes."""
_LEGS = torch.from_numpy(SMPL24.indices("left_hip", "right_hip")).long()
_SPINE = torch.from_numpy(SMPL24.indices("spine1", "spine2", "spine3")).long()


def varied(motion: MotionWindows, rng: torch.Generator) -> MotionWindows:
    """The same windows, some with other poses."""
    rotmat = _with_other_limbs(motion.rotmat, rng)
    lean, turn = (torch.rand(len(rotmat), generator=rng) < share for share in (LEANING, TURNED))
    return replace(motion, rotmat=_turned(_leaning(rotmat, lean, rng), turn, rng))


def unusual(motion: MotionWindows, rng: torch.Generator) -> MotionWindows:
    """The same windows, everybody leaning and with limbs turned."""
    everybody = torch.ones(len(motion.rotmat), dtype=torch.bool)
    leaning = _leaning(motion.rotmat, everybody, rng)
    return replace(motion, rotmat=_turned(leaning, everybody, rng))


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


def _leaning(
    rotmat: Float[Tensor, "b t 24 3 3"], chosen: Bool[Tensor, " b"], rng: torch.Generator
) -> Float[Tensor, "b t 24 3 3"]:
    """The pelvis tilted in the world and the back bent; each leg goes along or stays."""
    count, frames = rotmat.shape[:2]
    level = torch.tensor([1.0, 0.0, 1.0])
    spread = chosen.float()[:, None, None, None] * (pi / 180)
    lean = LEAN_SPREAD_DEG * spread * level * _come_and_go(count, frames, 1, rng)
    bend = BEND_SPREAD_DEG * spread * _come_and_go(count, frames, 1, rng)
    out = rotmat.clone()
    tilt = rotvec_to_rotmat(lean)[:, :, 0]
    out[:, :, 0] = tilt @ rotmat[:, :, 0]
    out[:, :, _SPINE] = rotmat[:, :, _SPINE] @ rotvec_to_rotmat(bend)
    stays = torch.rand(count, 1, 2, 1, 1, generator=rng) < UPRIGHT_LEG
    back = (out[:, :, 0].mT @ rotmat[:, :, 0])[:, :, None]
    out[:, :, _LEGS] = torch.where(stays, back @ rotmat[:, :, _LEGS], rotmat[:, :, _LEGS])
    return out


def _turned(
    rotmat: Float[Tensor, "b t 24 3 3"], chosen: Bool[Tensor, " b"], rng: torch.Generator
) -> Float[Tensor, "b t 24 3 3"]:
    """Extra turns in the joints' own axes."""
    count, frames = rotmat.shape[:2]
    spread = torch.tensor([_spread_deg(point) * pi / 180 for point in SMPL24.points])
    spread = (spread * chosen[:, None])[:, None, :, None]
    return rotmat @ rotvec_to_rotmat(spread * _come_and_go(count, frames, 24, rng))


def _come_and_go(
    count: int, frames: int, joints: int, rng: torch.Generator
) -> Float[Tensor, "b t j 3"]:
    """Numbers of about unit size: steady ones, and a wave of half a window to two."""
    steady, wave = torch.randn(2, count, 1, joints, 3, generator=rng)
    turns = 0.5 + 1.5 * torch.rand(count, 1, 1, 1, generator=rng)
    begin = 2 * pi * torch.rand(count, 1, joints, 1, generator=rng)
    phase = torch.arange(frames).view(1, -1, 1, 1) * (2 * pi / frames / turns) + begin
    return STEADY_SHARE * steady + (1 - STEADY_SHARE) * wave * phase.sin()


def _spread_deg(point: str) -> float:
    part = point.removeprefix("left_").removeprefix("right_")
    return _TURN_SPREAD_DEG.get(part, 0.0)

"""The ways a body may move in the fit: 44 numbers per frame instead of 72, with ranges.

Elbows bend and twist, knees bend, the three spine joints share one rotation, neck and head
another; toes and hands stay at rest. A learnt pose prior would replace `Dofs.spread_rad` and the
ranges and nothing else.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.skeletons import SMPL24

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
AXIS_NAMES = {X: "x", Y: "y", Z: "z"}
FREE = math.inf
Degrees = float | int
Range = tuple[Degrees, Degrees, Degrees, Degrees]
"""Rest, spread, lowest, highest."""


@dataclass(frozen=True)
class _Dof:
    """One way to turn: the same small turn of one joint, or of several that share it."""

    joints: tuple[str, ...]
    axis: tuple[float, float, float]
    rest_deg: Degrees
    spread_deg: Degrees
    low_deg: Degrees
    high_deg: Degrees


def _free(joints: tuple[str, ...], ranges: tuple[Range, ...]) -> list[_Dof]:
    return [_Dof(joints, axis, *r) for axis, r in zip((X, Y, Z), ranges, strict=True)]


def _mirrored(joint: str, axis: tuple[float, float, float], r: Range) -> list[_Dof]:
    """The same for both sides: turns about y and z change sign from left to right."""
    rest, spread, low, high = r
    left = _Dof((f"left_{joint}",), axis, rest, spread, low, high)
    if axis == X:
        return [left, _Dof((f"right_{joint}",), axis, rest, spread, low, high)]
    return [left, _Dof((f"right_{joint}",), axis, -rest, spread, -high, -low)]


# rest, spread, lowest, highest: degrees, of the joint's rotation vector along the axis, left side.
# Ranges hold what people do in the training motion (`train_prior`: outermost 0.05 % at either end)
# and a few degrees more; hips, knees, shoulders and elbows also what is not in it, such as sitting.
_DOFS = [
    *_free(("pelvis",), ((0, FREE, -FREE, FREE),) * 3),
    *_free(("spine1", "spine2", "spine3"), ((4, 8, -20, 25), (0, 6, -18, 18), (0, 5, -14, 14))),
    *_free(("neck", "head"), ((0, 12, -46, 32), (0, 15, -42, 42), (0, 8, -22, 22))),
    *_mirrored("collar", Y, (-1, 6, -36, 20)),
    *_mirrored("collar", Z, (-8, 6, -26, 30)),
    *_mirrored("shoulder", X, (0, 50, -150, 120)),
    *_mirrored("shoulder", Y, (-15, 50, -130, 72)),
    *_mirrored("shoulder", Z, (-50, 50, -110, 110)),
    *_mirrored("elbow", Y, (-35, 50, -155, 3)),
    *_mirrored("elbow", X, (0, 35, -80, 86)),
    *_mirrored("wrist", Y, (0, 15, -70, 70)),
    *_mirrored("wrist", Z, (0, 20, -70, 70)),
    *_mirrored("hip", X, (-15, 50, -130, 42)),
    *_mirrored("hip", Y, (0, 25, -52, 52)),
    *_mirrored("hip", Z, (0, 25, -40, 75)),
    *_mirrored("knee", X, (15, 60, -6, 155)),
    *_mirrored("ankle", X, (0, 20, -72, 60)),
    *_mirrored("ankle", Y, (0, 12, -60, 40)),
    *_mirrored("ankle", Z, (0, 10, -30, 30)),
]


@dataclass(frozen=True)
class Dofs:
    """The table as tensors; `s` single turns, `d` ways to move (translation first)."""

    joint: Tensor
    """(s,) joint of each single turn."""
    axis: Tensor
    """(s, 3) axis in the joint's own coordinates."""
    way: Tensor
    """(s,) which way to move each single turn belongs to, translation not counted."""
    first: Tensor
    """(d - 3,) a single turn of each way to move."""
    rest_rad: Tensor
    spread_rad: Tensor
    low_rad: Tensor
    high_rad: Tensor
    names: tuple[str, ...]
    """Joint (the first of those that share a turn) and axis."""
    chains: tuple[tuple[int, ...], ...]
    """Joints that share a turn, from the root outwards."""

    @property
    def count(self) -> int:
        """Ways to move in one frame, translation included."""
        return 3 + len(self.rest_rad)

    def angles_rad(self, rotvec: Tensor) -> Tensor:
        """(t, d - 3) of rotation vectors (t, 24, 3)."""
        every = (rotvec[:, self.joint] * self.axis).sum(-1)
        return every[:, self.first]

    def shared(self, rotmat: Tensor) -> Tensor:
        """Joint rotations (n, 24, 3, 3) with joints that share a turn each given an even part."""
        out = rotmat.clone()
        for chain in self.chains:
            whole = rotmat[:, chain[0]]
            for joint in chain[1:]:
                whole = whole @ rotmat[:, joint]
            out[:, chain] = rotvec_to_rotmat(rotmat_to_rotvec(whole) / len(chain))[:, None]
        return out

    def angles_by_step(self, by_turn: Tensor) -> Tensor:
        """(t, d - 3, d - 3) derivatives of `angles_rad` by a step.

        Args:
            by_turn: (t, 24, 3, 3) of rotation vectors by turns in their own coordinates
                (`rotvec_by_turn`).
        """
        first = self.first
        axis, joint = self.axis[first], self.joint[first]
        crossed = torch.einsum("ac,tacd,bd->tab", axis, by_turn[:, joint], axis)
        return crossed * (joint[:, None] == joint)

    def local_turns(self, step: Tensor) -> Tensor:
        """Rotation vectors (t, 24, 3), in joint coordinates, of a step (t, d - 3)."""
        turns = step[:, self.way, None] * self.axis
        out = torch.zeros((len(step), 24, 3), dtype=step.dtype)
        return out.index_add(1, self.joint, turns)


def make_dofs() -> Dofs:
    """The table above as tensors."""
    single = [(SMPL24.index(j), dof.axis, d) for d, dof in enumerate(_DOFS) for j in dof.joints]

    def column(name: str) -> Tensor:
        return torch.deg2rad(torch.tensor([getattr(d, name) for d in _DOFS], dtype=torch.float64))

    return Dofs(
        torch.tensor([joint for joint, _, _ in single]),
        torch.tensor([axis for _, axis, _ in single], dtype=torch.float64),
        torch.tensor([d for _, _, d in single]),
        torch.tensor([[d for _, _, d in single].index(d) for d in range(len(_DOFS))]),
        column("rest_deg"),
        column("spread_deg"),
        column("low_deg"),
        column("high_deg"),
        tuple(f"{dof.joints[0]}.{AXIS_NAMES[dof.axis]}" for dof in _DOFS),
        tuple(
            {tuple(SMPL24.index(j) for j in dof.joints): None for dof in _DOFS if dof.joints[1:]}
        ),
    )

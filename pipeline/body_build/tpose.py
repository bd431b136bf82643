"""MakeHuman's A-pose turned into the rest pose: T, palms down, limbs in SMPL's rest directions.

Pose parameters are turns against the rest pose, so poses made for SMPL fit this body only if its
limbs rest in the same directions. The angles below are those directions, rounded to a degree.
Each bone's turn is given against the world; a bone that is not named keeps its orientation.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from pipeline.body_build.makehuman import Rig
from pipeline.rotations import rotmat_between_vectors, rotmat_to_rotvec, rotvec_to_rotmat

_TORSO_LEANS_BACK_DEG = 5.0
# The skin rises less than its bones: raised with them, it would shrug once the arms hang.
_CLAVICLE_RISES_DEG, _CLAVICLE_SKIN_RISES_DEG = 14.0, 6.0
_SHOULDER_RISES_DEG, _SHOULDER_SKIN_RISES_DEG = 21.0, 8.0
_SHOULDER_TURNS_FORWARD_DEG = 4.0
# Limb directions: degrees below the horizontal (arms) and behind the frontal plane.
_UPPER_ARM_DOWN_BACK_DEG = (3.0, 6.0)
_LOWER_ARM_DOWN_BACK_DEG = (-2.0, 1.5)
_HAND_DOWN_BACK_DEG = (6.0, 8.0)
# Degrees outwards from the vertical, and behind the frontal plane.
_THIGH_OUT_BACK_DEG = (1.2, 0.0)
_SHIN_OUT_BACK_DEG = (-2.3, 4.9)
_FOOT_OUT_DEG = 16.8
# Shares of the hand's turn about the forearm that are taken up along the arm, so that the skin
# twists gradually.
_TWIST_SHARES = {"upperarm01": 0.15, "upperarm02": 0.35, "lowerarm01": 0.55, "lowerarm02": 0.85}


@dataclass(frozen=True)
class RestPose:
    """n people in the rest pose."""

    rotmats: Float64[np.ndarray, "n b 3 3"]
    """Turn of every bone's skin against the world."""
    heads_m: Float64[np.ndarray, "n b 3"]
    shifts_m: Float64[np.ndarray, "n b 3"]
    """With the turn, a bone's rigid motion: rotmat @ point + shift."""

    def skinned(
        self, person: int, vertices_m: Float64[np.ndarray, "v 3"], weights: sp.csr_matrix
    ) -> Float64[np.ndarray, "v 3"]:
        """Vertices of one person, moved by linear blend skinning."""
        moves = np.concatenate([self.rotmats[person], self.shifts_m[person, :, :, None]], 2)
        blend = (weights @ moves.reshape(-1, 12)).reshape(-1, 3, 4)
        return np.einsum("vij,vj->vi", blend[:, :, :3], vertices_m) + blend[:, :, 3]


def rest_pose(rig: Rig, heads_m: Float64[np.ndarray, "n b 3"]) -> RestPose:
    """Bring the rig of n people, given by where its bones start, into the rest pose."""
    heads = torch.from_numpy(heads_m)
    turns = torch.eye(3, dtype=heads.dtype).repeat(*heads.shape[:2], 1, 1)
    _set(turns, rig, ("spine", "breast"), "", _lean())
    for side, sign in (("L", 1.0), ("R", -1.0)):
        _turn_shoulder(turns, rig, side, sign, _CLAVICLE_RISES_DEG, _SHOULDER_RISES_DEG)
        _turn_arm(turns, rig, heads, side, sign)
        _turn_leg(turns, rig, heads, side, sign)
    placed = heads.clone()
    for bone, parent in enumerate(rig.parents):
        if parent >= 0:
            step = (heads[:, bone] - heads[:, parent])[..., None]
            placed[:, bone] = placed[:, parent] + (turns[:, parent] @ step)[..., 0]
    for side, sign in (("L", 1.0), ("R", -1.0)):
        _turn_shoulder(turns, rig, side, sign, _CLAVICLE_SKIN_RISES_DEG, _SHOULDER_SKIN_RISES_DEG)
    shifts = placed - (turns @ heads[..., None])[..., 0]
    return RestPose(turns.numpy(), placed.numpy(), shifts.numpy())


def _turn_shoulder(
    turns: Tensor, rig: Rig, side: str, sign: float, clavicle_deg: float, shoulder_deg: float
) -> None:
    forward = _about((0, sign, 0), _SHOULDER_TURNS_FORWARD_DEG)
    _set(turns, rig, ("clavicle",), side, _about((0, 0, sign), clavicle_deg) @ _lean())
    shoulder = forward @ _about((0, 0, sign), shoulder_deg) @ _lean()
    _set(turns, rig, ("shoulder01",), side, shoulder)


def _turn_arm(turns: Tensor, rig: Rig, heads: Tensor, side: str, sign: float) -> None:
    def head(bone: str) -> Tensor:
        return heads[:, rig.index(f"{bone}.{side}")]

    upper_rests, lower_rests, hand_rests = (
        _sideways(sign, *angles)
        for angles in (_UPPER_ARM_DOWN_BACK_DEG, _LOWER_ARM_DOWN_BACK_DEG, _HAND_DOWN_BACK_DEG)
    )
    upper = rotmat_between_vectors(head("lowerarm01") - head("upperarm01"), upper_rests)
    forearm = (upper @ (head("wrist") - head("lowerarm01"))[..., None])[..., 0]
    lower = rotmat_between_vectors(forearm, lower_rests) @ upper
    # Palm down, thumb forward: the line from little finger to index finger faces +Z.
    across = head("finger2-1") - head("finger5-1")
    now = _frame(head("finger3-1") - head("wrist"), across)
    hand = _frame(hand_rests, hand_rests.new_tensor([0.0, 0.0, 1.0])) @ now.mT
    _set(turns, rig, ("wrist", "finger", "metacarpal"), side, hand)

    twist_rad = (rotmat_to_rotvec(hand @ lower.mT) * lower_rests).sum(-1, keepdim=True)
    for bone, share in _TWIST_SHARES.items():
        axis, limb = (upper_rests, upper) if bone.startswith("upper") else (lower_rests, lower)
        _set(turns, rig, (bone,), side, rotvec_to_rotmat(share * twist_rad * axis) @ limb)


def _turn_leg(turns: Tensor, rig: Rig, heads: Tensor, side: str, sign: float) -> None:
    def head(bone: str) -> Tensor:
        return heads[:, rig.index(f"{bone}.{side}")]

    thigh = rotmat_between_vectors(
        head("lowerleg01") - head("upperleg01"), _downwards(sign, *_THIGH_OUT_BACK_DEG)
    )
    shin = (thigh @ (head("foot") - head("lowerleg01"))[..., None])[..., 0]
    lower = rotmat_between_vectors(shin, _downwards(sign, *_SHIN_OUT_BACK_DEG)) @ thigh
    toes = torch.stack([head(f"toe{k}-1") for k in range(1, 6)]).mean(0) - head("foot")
    out_rad = torch.atan2(sign * toes[:, 0], toes[:, 2])
    upright = toes.new_tensor([0.0, sign, 0.0])
    foot = rotvec_to_rotmat((np.deg2rad(_FOOT_OUT_DEG) - out_rad)[:, None] * upright)
    _set(turns, rig, ("upperleg",), side, thigh)
    _set(turns, rig, ("lowerleg",), side, lower)
    _set(turns, rig, ("foot", "toe"), side, foot)


def _set(turns: Tensor, rig: Rig, starts: tuple[str, ...], side: str, turn: Tensor) -> None:
    """Give every bone whose name starts so, on this side (or any), the same turn."""
    for i, bone in enumerate(rig.bones):
        if bone.startswith(starts) and bone.endswith(f".{side}" if side else ""):
            turns[:, i] = turn


def _about(axis: tuple[float, float, float], angle_deg: float) -> Float[Tensor, "3 3"]:
    return rotvec_to_rotmat(torch.tensor(axis, dtype=torch.float64) * np.deg2rad(angle_deg))


def _lean() -> Float[Tensor, "3 3"]:
    return _about((1, 0, 0), -_TORSO_LEANS_BACK_DEG)


def _sideways(sign: float, down_deg: float, back_deg: float) -> Float[Tensor, " 3"]:
    """Unit vector to one side, tilted downwards and backwards."""
    down, back = np.tan(np.deg2rad([down_deg, back_deg]))
    return _unit(torch.tensor([sign, -down, -back], dtype=torch.float64))


def _downwards(sign: float, out_deg: float, back_deg: float) -> Float[Tensor, " 3"]:
    """Unit vector downwards, tilted outwards and backwards."""
    out, back = np.tan(np.deg2rad([out_deg, back_deg]))
    return _unit(torch.tensor([sign * out, -1.0, -back], dtype=torch.float64))


def _frame(along: Tensor, across: Tensor) -> Float[Tensor, "*n 3 3"]:
    """Matrix whose columns are `along`, the normal, and `across` made perpendicular to it."""
    x = _unit(along)
    z = _unit(across - x * (across * x).sum(-1, keepdim=True))
    return torch.stack([x, torch.linalg.cross(z, x), z], -1)


def _unit(vector: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vector, dim=-1)

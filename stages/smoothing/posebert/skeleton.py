"""What `posebert_h36m` reads: H36M's joints in the body's own axes, all bodies alike in size."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.rotations import rotmat_between_vectors

HIP, LEFT_HIP, RIGHT_HIP, SPINE = 0, 1, 4, 7
ROUNDS = 5
"""Turning one direction into place moves the other a little; five rounds settle both."""


RIGHT_ANKLE, LEFT_ANKLE, RIGHT_KNEE, LEFT_KNEE, DOPE_RIGHT_HIP, DOPE_LEFT_HIP = range(6)
RIGHT_WRIST, LEFT_WRIST, RIGHT_ELBOW, LEFT_ELBOW, RIGHT_SHOULDER, LEFT_SHOULDER, HEAD = range(6, 13)
HIPS, SHOULDERS = (DOPE_RIGHT_HIP, DOPE_LEFT_HIP), (RIGHT_SHOULDER, LEFT_SHOULDER)
H36M_FROM_DOPE: tuple[tuple[int, ...], ...] = (
    *(HIPS, (DOPE_LEFT_HIP,), (LEFT_KNEE,), (LEFT_ANKLE,)),
    *((DOPE_RIGHT_HIP,), (RIGHT_KNEE,), (RIGHT_ANKLE,)),
    *((*HIPS, *SHOULDERS), SHOULDERS, (*SHOULDERS, HEAD), (HEAD,)),
    *((LEFT_SHOULDER,), (LEFT_ELBOW,), (LEFT_WRIST,)),
    *((RIGHT_SHOULDER,), (RIGHT_ELBOW,), (RIGHT_WRIST,)),
)
"""Each of the 17 joints is the mean of these of DOPE's 13."""


@dataclass(frozen=True)
class BodyAxes:
    """Joints seen from the hip, in axes that go with the body."""

    root_rotmat: Float[Tensor, "*b 3 3"]
    """Turns camera axes into body axes."""
    joints_m: Float[Tensor, "*b 17 3"]


def h36m_from_dope(joints_m: Float[Tensor, "*b 13 3"]) -> Float[Tensor, "*b 17 3"]:
    """The 17 joints, from the 13 that the detector DOPE finds."""
    return torch.stack([joints_m[..., list(of), :].mean(-2) for of in H36M_FROM_DOPE], dim=-2)


def with_bone_lengths(
    joints_m: Float[Tensor, "*b j 3"],
    skeleton_m: Float[Tensor, "j 3"],
    order: Sequence[int],
    parents: Sequence[int],
) -> Float[Tensor, "*b j 3"]:
    """Joints with their bones' directions kept and the lengths of another skeleton.

    Args:
        joints_m: any number of bodies.
        skeleton_m: whose bone lengths to take.
        order: joints from the root outwards, the root left out.
        parents: the parent of each joint in `order`.
    """
    out = joints_m.clone()
    for joint, parent in zip(order, parents, strict=True):
        bone = joints_m[..., joint, :] - joints_m[..., parent, :]
        length = (skeleton_m[joint] - skeleton_m[parent]).norm()
        direction = torch.nn.functional.normalize(bone, dim=-1)
        out[..., joint, :] = out[..., parent, :] + length * direction
    return out


def in_body_axes(joints_m: Float[Tensor, "*b 17 3"]) -> BodyAxes:
    """Turned so that y leads from the spine to the hip and x from the right hip to the left."""
    joints = joints_m - joints_m[..., HIP : HIP + 1, :]
    eye = torch.eye(3, dtype=joints.dtype, device=joints.device)
    root = eye.expand(*joints.shape[:-2], 3, 3)
    for _ in range(ROUNDS):
        for start, end, axis in ((SPINE, HIP, eye[1]), (RIGHT_HIP, LEFT_HIP, eye[0])):
            turn = rotmat_between_vectors(joints[..., end, :] - joints[..., start, :], axis)
            joints, root = joints @ turn.mT, turn @ root
    return BodyAxes(root, joints)

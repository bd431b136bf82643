"""Every rotation formula of the project, once. The name of a rotation says its form.

`rotvec` (..., 3) axis times angle in radians; `rotmat` (..., 3, 3) acting on column vectors;
`quat_wxyz` (..., 4) unit quaternion, real part first; `rot6d_*` (..., 6) the first two columns or
rows of a rotation matrix (Zhou et al. 2019, "On the Continuity of Rotation Representations"):

    rot6d_columns      m00 m10 m20 m01 m11 m21   one column after the other (4D-Humans)
    rot6d_interleaved  m00 m01 m10 m11 m20 m21   the two columns side by side (SPIN, HMR)
    rot6d_rows         m00 m01 m02 m10 m11 m12   one row after the other (PyTorch3D, T2M-GPT)

The same six numbers give three different matrices: which one is meant is part of a network's
weights. All functions work on torch tensors with any leading axes, and are differentiable.
"""

import roma
import torch
from jaxtyping import Float
from torch import Tensor

_TINY = 1e-12
_SMALL_ANGLE = 1e-2


def rotvec_to_rotmat(rotvec: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3 3"]:
    """Matrix of an axis-angle vector; smooth at zero."""
    return roma.rotvec_to_rotmat(rotvec)


def rotmat_to_rotvec(rotmat: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 3"]:
    """Axis-angle vector of a matrix, its angle between 0 and pi."""
    return roma.rotmat_to_rotvec(rotmat)


def quat_wxyz_to_rotmat(quat_wxyz: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 3 3"]:
    """Matrix of a quaternion, which is normalised first."""
    return roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(roma.quat_normalize(quat_wxyz)))


def rotmat_to_quat_wxyz(rotmat: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 4"]:
    """Unit quaternion of a matrix, its real part not negative."""
    return _real_part_positive(roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(rotmat)))


def quat_wxyz_to_rotvec(quat_wxyz: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 3"]:
    """Axis-angle vector of a quaternion, its angle between 0 and pi."""
    return roma.unitquat_to_rotvec(roma.quat_wxyz_to_xyzw(roma.quat_normalize(quat_wxyz)))


def rotvec_to_quat_wxyz(rotvec: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 4"]:
    """Unit quaternion of an axis-angle vector, its real part not negative."""
    return _real_part_positive(roma.quat_xyzw_to_wxyz(roma.rotvec_to_unitquat(rotvec)))


def rot6d_columns_to_rotmat(rot6d_columns: Float[Tensor, "*n 6"]) -> Float[Tensor, "*n 3 3"]:
    """Orthonormal matrix whose first two columns are the six numbers, column after column."""
    return _orthonormal(*rot6d_columns.unflatten(-1, (2, 3)).unbind(-2))


def rot6d_interleaved_to_rotmat(
    rot6d_interleaved: Float[Tensor, "*n 6"],
) -> Float[Tensor, "*n 3 3"]:
    """Orthonormal matrix whose first two columns are the six numbers, read side by side."""
    return _orthonormal(*rot6d_interleaved.unflatten(-1, (3, 2)).unbind(-1))


def rot6d_rows_to_rotmat(rot6d_rows: Float[Tensor, "*n 6"]) -> Float[Tensor, "*n 3 3"]:
    """Orthonormal matrix whose first two rows are the six numbers, row after row."""
    return rot6d_columns_to_rotmat(rot6d_rows).mT


def rotmat_to_rot6d_columns(rotmat: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 6"]:
    """First two columns, one after the other."""
    return rotmat[..., :, :2].mT.flatten(-2)


def rotmat_to_rot6d_interleaved(rotmat: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 6"]:
    """First two columns, side by side."""
    return rotmat[..., :, :2].flatten(-2)


def rotmat_to_rot6d_rows(rotmat: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 6"]:
    """First two rows, one after the other."""
    return rotmat[..., :2, :].flatten(-2)


def geodesic_angle_rad(
    rotmat0: Float[Tensor, "*#n 3 3"], rotmat1: Float[Tensor, "*#n 3 3"]
) -> Float[Tensor, "*n"]:
    """Angle of the rotation that leads from one to the other, between 0 and pi."""
    return roma.rotmat_geodesic_distance(*torch.broadcast_tensors(rotmat0, rotmat1))


def rotmat_slerp(
    rotmat0: Float[Tensor, "*#n 3 3"], rotmat1: Float[Tensor, "*#n 3 3"], share: Tensor | float
) -> Float[Tensor, "*n 3 3"]:
    """Rotation on the shortest way from `rotmat0` (share 0) to `rotmat1` (share 1).

    `share` is a number or a tensor that broadcasts against the leading axes.
    """
    share = torch.as_tensor(share, dtype=rotmat0.dtype, device=rotmat0.device)
    step = rotmat_to_rotvec(rotmat0.mT @ rotmat1)
    return rotmat0 @ rotvec_to_rotmat(share[..., None] * step)


def rotvec_slerp(
    rotvec0: Float[Tensor, "*#n 3"], rotvec1: Float[Tensor, "*#n 3"], share: Tensor | float
) -> Float[Tensor, "*n 3"]:
    """As `rotmat_slerp`, between axis-angle vectors."""
    between = rotmat_slerp(rotvec_to_rotmat(rotvec0), rotvec_to_rotmat(rotvec1), share)
    return rotmat_to_rotvec(between)


def rotmat_between_vectors(
    start: Float[Tensor, "*#n 3"], end: Float[Tensor, "*#n 3"]
) -> Float[Tensor, "*n 3 3"]:
    """Smallest rotation that turns the direction of `start` into that of `end`.

    Opposite directions leave the axis free: then one at right angles to `start` is taken.
    """
    start, end = torch.broadcast_tensors(start, end)
    start = torch.nn.functional.normalize(start, dim=-1, eps=_TINY)
    end = torch.nn.functional.normalize(end, dim=-1, eps=_TINY)
    cosine = (start * end).sum(-1)[..., None, None]
    eye = torch.eye(3, dtype=start.dtype, device=start.device)
    opposite = cosine < -1 + 10 * torch.finfo(start.dtype).eps
    cross = cross_matrix(torch.linalg.cross(start, end))
    turn = eye + cross + cross @ cross / torch.where(opposite, torch.ones_like(cosine), 1 + cosine)
    axis = _perpendicular(start)
    half_turn = 2 * axis[..., :, None] * axis[..., None, :] - eye
    return torch.where(opposite, half_turn, turn)


def cross_matrix(vector: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3 3"]:
    """The matrix that turns a column vector into its cross product with `vector`."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def rotvec_by_turn(rotvec: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3 3"]:
    """Derivative of an axis-angle vector by a small turn in its own (right-hand) coordinates.

    The inverse of SO(3)'s right Jacobian (Sola et al. 2018, "A micro Lie theory", eq. 144): with
    rotmat' = rotmat @ rotvec_to_rotmat(turn), rotvec' = rotvec + this @ turn. Angles up to pi.
    """
    squared = (rotvec * rotvec).sum(-1)[..., None, None]
    half = squared.clamp_min(_SMALL_ANGLE**2).sqrt() / 2
    bent = (1 - half / torch.tan(half)) / (4 * half * half)
    bent = torch.where(squared < _SMALL_ANGLE**2, 1 / 12 + squared / 720, bent)
    cross = cross_matrix(rotvec)
    eye = torch.eye(3, dtype=rotvec.dtype, device=rotvec.device)
    return eye + cross / 2 + bent * (cross @ cross)


def _orthonormal(first: Tensor, second: Tensor) -> Tensor:
    """Gram-Schmidt on two columns; a column of length zero stays zero instead of becoming NaN."""
    first = torch.nn.functional.normalize(first, dim=-1, eps=_TINY)
    second = second - (first * second).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1, eps=_TINY)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def _perpendicular(vector: Tensor) -> Tensor:
    """A unit vector at right angles to each given unit vector."""
    eye = torch.eye(3, dtype=vector.dtype, device=vector.device)
    least = eye[vector.detach().abs().argmin(-1)]
    return torch.nn.functional.normalize(torch.linalg.cross(vector, least), dim=-1)


def _real_part_positive(quat_wxyz: Tensor) -> Tensor:
    return torch.where(quat_wxyz[..., :1] < 0, -quat_wxyz, quat_wxyz)

"""Landmark sites of a posed body and how they move with each way to move and with its build."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.landmark_sites import find_sites
from pipeline.rotations import cross_matrix, rotvec_to_rotmat
from stages.refinement.smplify.dofs import Dofs, make_dofs
from stages.refinement.smplify.points import INDICES, SHIFTING, shift_basis

BUILD_COUNT = 10 + 3 * len(SHIFTING)
BLOCK_FRAMES = 1000
"""That are posed at once: places take much room."""


@dataclass(frozen=True)
class Motion:
    """What is fitted."""

    local_rotmat: Tensor
    """(t, 24, 3, 3)"""
    t_m: Tensor
    """(t, 3)"""
    build: Tensor
    """(28,) of the person: 10 betas, then how far the marks lie from the sites (metres)"""

    @property
    def betas(self) -> Tensor:
        """Shape coefficients (10,)."""
        return self.build[:10]

    def moved(self, step: Tensor, build_step: Tensor, dofs: Dofs) -> "Motion":
        """After a step (t, d): translation first, then turns in each joint's own coordinates."""
        turn = rotvec_to_rotmat(dofs.local_turns(step[:, 3:]))
        return Motion(self.local_rotmat @ turn, self.t_m + step[:, :3], self.build + build_step)

    def cut(self, frames: slice | Tensor) -> "Motion":
        """Some of the frames."""
        return replace(self, local_rotmat=self.local_rotmat[frames], t_m=self.t_m[frames])


@dataclass(frozen=True)
class Placed:
    """The sites of a motion and their derivatives; points come last, for fast products."""

    sites_m: Tensor
    """(t, k, 3) in camera coordinates"""
    by_step: Tensor
    """(t, d, 3, k)"""
    by_build: Tensor | None
    """(t, 28, 3, k)"""


class Chain:
    """The body's joints with the landmark sites fixed to them."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body.to("cpu", torch.float64)
        self.dofs = make_dofs()
        self.all_sites = find_sites(self.body)
        self.carrier = torch.from_numpy(self.all_sites.joint[INDICES]).long()
        self.site_m = torch.from_numpy(self.all_sites.rest_m[INDICES])
        self.site_per_beta_m = torch.from_numpy(self.all_sites.rest_per_beta_m[INDICES])
        self.shift_basis = shift_basis()
        self.moves = self._moves()

    def _moves(self) -> Tensor:
        """(s, 1, k): does the single turn carry the site along?"""
        above = torch.zeros((24, 24), dtype=torch.bool)
        for joint in range(24):
            ancestor = joint
            while ancestor >= 0:
                above[ancestor, joint] = True
                ancestor = self.body.parents[ancestor]
        return above[self.dofs.joint][:, None, self.carrier].double()

    def rest_sites_m(self, build: Tensor) -> Tensor:
        """(k, 3) sites in the rest pose of a person."""
        return self.site_m + self.site_per_beta_m @ build[:10] + self.shift_basis @ build[10:]

    def places(self, motion: Motion) -> tuple[Tensor, Tensor, Tensor]:
        """Sites (t, k, 3), joints (t, 24, 3) and joint rotations in the camera."""
        shaped = self.body.with_shape(motion.betas)
        posed = shaped.with_pose(pose_rotmat=motion.local_rotmat, t_m=motion.t_m)
        rotmat, joints_m = posed.global_rotmat, posed.joints_m
        arm_m = self.rest_sites_m(motion.build) - shaped.joints_rest_m[self.carrier]
        turned = (rotmat[:, self.carrier] @ arm_m[..., None])[..., 0]
        return joints_m[:, self.carrier] + turned, joints_m, rotmat

    def sites_of(self, local_rotmat: Tensor, betas: Tensor, t_m: Tensor) -> Tensor:
        """Sites (n, k, 3) of bodies that have each a shape (n, 10) of its own; differentiable."""
        shaped = self.body.with_shape(betas)
        posed = shaped.with_pose(pose_rotmat=local_rotmat, t_m=t_m)
        rest_m = self.site_m + (self.site_per_beta_m @ betas[:, None, :, None])[..., 0]
        arm_m = rest_m - shaped.joints_rest_m[:, self.carrier]
        turned = (posed.global_rotmat[:, self.carrier] @ arm_m[..., None])[..., 0]
        return posed.joints_m[:, self.carrier] + turned

    def place(self, motion: Motion, with_build: bool) -> Placed:
        """The sites with derivatives: a turn about an axis moves a site by axis x arm."""
        sites_m, joints_m, rotmat = self.places(motion)
        dofs = self.dofs
        axes = (rotmat[:, dofs.joint] @ dofs.axis[..., None])[..., 0]
        turned = cross_matrix(axes).flatten(1, 2) @ sites_m.mT
        pivot = torch.linalg.cross(axes, joints_m[:, dofs.joint])
        swing = turned.unflatten(1, (-1, 3)) - pivot[..., None]
        swing *= self.moves
        by_step = sites_m.new_zeros((len(sites_m), dofs.count, 3, len(self.carrier)))
        by_step[:, :3] = torch.eye(3, dtype=sites_m.dtype)[..., None]
        by_step.index_add_(1, 3 + dofs.way, swing)
        return Placed(sites_m, by_step, self._by_build(rotmat) if with_build else None)

    def _by_build(self, rotmat: Tensor) -> Tensor:
        directions = self.body.J_dirs
        joints = [directions[0].expand(len(rotmat), 3, 10)]
        for joint in range(1, 24):
            parent = self.body.parents[joint]
            joints.append(
                joints[parent] + rotmat[:, parent] @ (directions[joint] - directions[parent])
            )
        carried = rotmat[:, self.carrier]
        arm = carried @ (self.site_per_beta_m - directions[self.carrier])
        by_betas = torch.stack(joints, 1)[:, self.carrier] + arm
        return (
            torch.cat([by_betas, carried @ self.shift_basis], -1).permute(0, 3, 2, 1).contiguous()
        )

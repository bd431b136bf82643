"""Landmark sites of a posed body and how they move with each way to move and with shape."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.landmark_sites import LandmarkSites, find_sites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33
from stages.refinement.smplify.dofs import Dofs, make_dofs


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
    """The sites of a motion and their derivatives."""

    sites_m: Tensor
    """(t, k, 3) in camera coordinates"""
    by_step: Tensor
    """(t, k, 3, d)"""
    by_build: Tensor | None
    """(t, k, 3, 28)"""


# Marks differ from person to person (clothes, build): these may shift, both sides alike.
SHIFTING = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
BUILD_COUNT = 10 + 3 * len(SHIFTING)


def _shift_basis() -> Tensor:
    """(33, 3, 18): how each site moves with the shifts, x mirrored on the right side."""
    basis = torch.zeros((33, 3, 3 * len(SHIFTING)), dtype=torch.float64)
    for n, part in enumerate(SHIFTING):
        for side, mirror in (("left", 1.0), ("right", -1.0)):
            turn = torch.diag(torch.tensor([mirror, 1.0, 1.0], dtype=torch.float64))
            basis[BLAZEPOSE33.index(f"{side}_{part}"), :, 3 * n : 3 * n + 3] = turn
    return basis


class Chain:
    """The body's joints with the landmark sites fixed to them."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body.to("cpu", torch.float64)
        self.dofs = make_dofs()
        self.sites: LandmarkSites = find_sites(self.body)
        self.carrier = torch.from_numpy(self.sites.joint).long()
        self.site_m = torch.from_numpy(self.sites.rest_m)
        self.site_per_beta_m = torch.from_numpy(self.sites.rest_per_beta_m)
        self.shift_basis = _shift_basis()
        self.moves = self._moves()

    def _moves(self) -> Tensor:
        """(s, k): does the single turn carry the site along?"""
        above = torch.zeros((24, 24), dtype=torch.bool)
        for joint in range(24):
            ancestor = joint
            while ancestor >= 0:
                above[ancestor, joint] = True
                ancestor = self.body.parents[ancestor]
        return above[self.dofs.joint][:, self.carrier].double()

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

    def place(self, motion: Motion, with_build: bool) -> Placed:
        """The sites with derivatives."""
        sites_m, joints_m, rotmat = self.places(motion)
        dofs = self.dofs
        axes = (rotmat[:, dofs.joint] @ dofs.axis[..., None])[..., 0]
        arms_m = sites_m[:, None] - joints_m[:, dofs.joint][:, :, None]
        swing = torch.linalg.cross(axes[:, :, None].expand_as(arms_m), arms_m)
        swing = swing * self.moves[None, :, :, None]
        by_turn = torch.einsum("tskc,sd->tkcd", swing, dofs.tie)
        eye = torch.eye(3, dtype=sites_m.dtype).expand(*by_turn.shape[:3], 3)
        by_build = self._by_build(rotmat) if with_build else None
        return Placed(sites_m, torch.cat([eye, by_turn], -1), by_build)

    def _by_build(self, rotmat: Tensor) -> Tensor:
        directions = self.body.J_dirs
        joints = [directions[0].expand(len(rotmat), 3, 10)]
        for joint in range(1, 24):
            parent = self.body.parents[joint]
            bone = directions[joint] - directions[parent]
            joints.append(joints[parent] + rotmat[:, parent] @ bone)
        arm = self.site_per_beta_m - directions[self.carrier]
        by_betas = torch.stack(joints, 1)[:, self.carrier] + rotmat[:, self.carrier] @ arm
        return torch.cat([by_betas, rotmat[:, self.carrier] @ self.shift_basis], -1)

"""What the fit weighs against each other, each as its part of the normal equations.

A residual's size is in units of its expected spread. Frames count by the time they stand for, so
that twice the frame rate is not twice the evidence: the result does not depend on the frame rate.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.rotations import rotmat_to_rotvec
from stages.refinement.smplify.chain import BUILD_COUNT, Chain, Motion, Placed
from stages.refinement.smplify.contact import Contacts, ContactTerm
from stages.refinement.smplify.normal import Normal, geman_mcclure
from stages.refinement.smplify.observed import Marks, Observed
from stages.refinement.smplify.prior import PriorTerm, shipped_dof_prior
from stages.refinement.smplify.regressed import (
    RegressedTerm,
    directions_share,
    spreads_rad,
)
from stages.refinement.smplify.weights import Weights

NEAREST_M = 0.2
LIMIT_SPREAD_RAD = 0.05
WELL_SEEN = 0.5


def _project(sites_m: Tensor, K: Tensor) -> Tensor:
    """Pixels (t, k, 2)."""
    z = sites_m[..., 2:].clamp_min(NEAREST_M)
    return sites_m[..., :2] / z * K.diagonal()[:2] + K[:2, 2]


def _by_pixels(sites_m: Tensor, by: Tensor, K: Tensor) -> Tensor:
    """(t, d, 2 k) derivatives of pixels, from those of places (t, d, 3, k)."""
    z = sites_m[..., 2].clamp_min(NEAREST_M)
    ray = (sites_m[..., :2] / z[..., None]).mT[:, None]
    scale = (K.diagonal()[:2, None] / z[:, None])[:, None]
    return ((by[:, :, :2] - ray * by[:, :, 2:]) * scale).flatten(2)


def pixel_error_px(sites_m: Tensor, observed: Marks) -> Tensor:
    """(n,) distances in the picture of all landmarks seen well."""
    px = _project(sites_m, observed.K)
    distance = (px - observed.points_px).norm(dim=-1)
    return distance[observed.weight_2d > WELL_SEEN * observed.time_weight[:, None]]


@dataclass(frozen=True)
class _Told:
    """Where bones point, by one source."""

    bones_m: Tensor
    """(t, m, 3)"""
    weight: Tensor
    """(t, m)"""


def _told(observed: Observed, weights: Weights) -> list[_Told]:
    """By the 3D landmarks and by the regressed body, as far as they count."""
    every = torch.ones_like(observed.weight_3d)
    share = observed.regressed_weight * directions_share(observed.told_ratio, weights.told)
    regressed = weights.regressed_directions * share[:, None] * every
    sources = (
        (weights.landmarks, _Told(observed.bones_m, weights.landmarks * observed.weight_3d)),
        (weights.regressed_directions, _Told(observed.regressed_bones_m, regressed)),
    )
    return [told for weight, told in sources if weight > 0]


class FrameTerms:
    """The terms that touch one frame: pixels, 3D landmarks, usual poses, ranges."""

    def __init__(
        self,
        chain: Chain,
        observed: Observed,
        weights: Weights,
        contacts: Contacts | None = None,
    ) -> None:
        self.chain, self.observed, self.weights = chain, observed, weights
        self.told = _told(observed, weights)
        time = observed.time_weight
        self.priors: list[PriorTerm] = []
        self.regressed: list[RegressedTerm] = []
        if weights.pose_prior > 0:
            self.priors.append(
                PriorTerm(shipped_dof_prior(), chain.dofs, weights.pose_prior * time)
            )
        if weights.regressed > 0:
            self.regressed.append(
                RegressedTerm(
                    observed.regressed_rotmat,
                    weights.regressed * observed.regressed_weight,
                    chain.dofs,
                    spreads_rad(weights.regressed_spread_deg) * observed.told_ratio**weights.told,
                    weights.regressed_outlier,
                )
            )
        self.places: list[ContactTerm] = []
        if contacts is not None and weights.contact > 0:
            self.places.append(ContactTerm(contacts, weights.contact * time, weights))
        self.build_pull = torch.full((BUILD_COUNT,), weights.shape, dtype=torch.float64)
        self.build_pull[10:] = weights.shape / weights.mark_spread_m**2

    def __call__(self, motion: Motion, with_build: bool) -> Normal:
        """Cost and normal equations at a motion."""
        t, d = len(motion.t_m), self.chain.dofs.count

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64)

        normal = Normal(
            zeros(t, d, d),
            zeros(t, d),
            zeros(t, d, BUILD_COUNT) if with_build else None,
            torch.diag(self.build_pull),
            motion.build * self.build_pull,
            zeros(t),
        )
        placed = self.chain.place(motion, with_build)
        self._pixels(normal, placed)
        self._directions(normal, placed)
        rotvec = rotmat_to_rotvec(motion.local_rotmat)
        self._pose(normal, rotvec)
        for prior in self.priors:
            prior.add(normal, rotvec)
        for regressed in self.regressed:
            regressed.add(normal, motion.local_rotmat)
        for place in self.places:
            place.add(normal, placed)
        return normal

    def cost(self, motion: Motion) -> Tensor:
        """(t,) the same cost without derivatives."""
        sites_m, _, _ = self.chain.places(motion)
        cost = self._pixel_residual(sites_m)[1]
        for told in self.told:
            cost = cost + self._direction_residual(sites_m, told)[1]
        rotvec = rotmat_to_rotvec(motion.local_rotmat)
        for prior in self.priors:
            cost = cost + prior.cost(rotvec)
        for regressed in self.regressed:
            cost = cost + regressed.cost(motion.local_rotmat)
        for place in self.places:
            cost = cost + place.cost(sites_m)
        return cost + self._pose_residual(rotvec)[2] + self._shape_cost(motion)

    def _shape_cost(self, motion: Motion) -> Tensor:
        total = (self.build_pull * motion.build**2).sum()
        return total / len(motion.t_m) * torch.ones(len(motion.t_m), dtype=torch.float64)

    def _pixel_residual(self, sites_m: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        o = self.observed
        px = _project(sites_m, o.K)
        r = (px - o.points_px) / o.spread_px[:, None, None]
        cost, weight = geman_mcclure((r**2).sum(-1), self.weights.pixel_outlier)
        weighted = o.weight_2d * self.weights.pixels
        return r, (weighted * cost).sum(-1), weighted * weight

    def _pixels(self, normal: Normal, placed: Placed) -> None:
        o = self.observed
        r, cost, weight = self._pixel_residual(placed.sites_m)
        J, Jb = (
            None if by is None else _by_pixels(placed.sites_m, by, o.K) / o.spread_px[:, None, None]
            for by in (placed.by_step, placed.by_build)
        )
        assert J is not None
        normal.add(r.mT.flatten(1), J, Jb, weight.repeat(1, 2), cost)

    def _direction_residual(self, sites_m: Tensor, told: "_Told") -> tuple[Tensor, Tensor, Tensor]:
        r = (self.observed.bones @ sites_m - told.bones_m) / self.weights.landmark_spread_m
        cost, weight = geman_mcclure((r**2).sum(-1), self.weights.landmark_outlier)
        return r, (told.weight * cost).sum(-1), told.weight * weight

    def _directions(self, normal: Normal, placed: Placed) -> None:
        bones = self.observed.bones.T / self.weights.landmark_spread_m
        J = (placed.by_step @ bones).flatten(2)
        Jb = None if placed.by_build is None else (placed.by_build @ bones).flatten(2)
        for told in self.told:
            r, cost, weight = self._direction_residual(placed.sites_m, told)
            normal.add(r.mT.flatten(1), J, Jb, weight.repeat(1, 3), cost)

    def _pose_residual(self, rotvec: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dofs = self.chain.dofs
        angles = dofs.angles_rad(rotvec)
        usual = (angles - dofs.rest_rad) / dofs.spread_rad
        beyond = (angles - dofs.high_rad).clamp_min(0) + (angles - dofs.low_rad).clamp_max(0)
        beyond = torch.nan_to_num(beyond) / LIMIT_SPREAD_RAD
        time = self.observed.time_weight[:, None]
        cost = (self.weights.usual_pose * usual**2 + self.weights.limits * beyond**2) * time
        return usual, beyond, cost.sum(-1)

    def _pose(self, normal: Normal, rotvec: Tensor) -> None:
        dofs, time = self.chain.dofs, self.observed.time_weight[:, None]
        usual, beyond, cost = self._pose_residual(rotvec)
        normal.cost += cost
        pull = self.weights.usual_pose / dofs.spread_rad
        stop = self.weights.limits / LIMIT_SPREAD_RAD
        normal.g[:, 3:] += (pull * usual + stop * beyond) * time
        curvature = pull / dofs.spread_rad + stop / LIMIT_SPREAD_RAD * (beyond != 0)
        normal.H.diagonal(dim1=1, dim2=2)[:, 3:] += curvature * time

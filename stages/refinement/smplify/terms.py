"""What the fit weighs against each other, each as its part of the normal equations.

A residual's size is in units of its expected spread. Frames count by the time they stand for, so
that twice the frame rate is not twice the evidence: the result does not depend on the frame rate.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.rotations import rotmat_to_rotvec
from stages.refinement.smplify.chain import BUILD_COUNT, Chain, Motion, Placed
from stages.refinement.smplify.observed import Observed
from stages.refinement.smplify.weights import Weights

NEAREST_M = 0.2
LIMIT_SPREAD_RAD = 0.05
WELL_SEEN = 0.5
REFERENCE_FPS = 30.0
"""A frame of a 30 fps video counts as one."""


@dataclass
class Normal:
    """Normal equations H step = -g of the terms that touch one frame, and their cost.

    `b` marks what stays the same over the sequence (shape, marks); `Hb` couples it with a frame.
    """

    H: Tensor
    g: Tensor
    Hb: Tensor | None
    Hbb: Tensor
    gb: Tensor
    cost: Tensor
    """(t,)"""

    def add(self, r: Tensor, J: Tensor, Jb: Tensor | None, weight: Tensor, cost: Tensor) -> None:
        """Residuals r (t, m) with weights (t, m), derivatives J (t, d, m) and Jb (t, 28, m)."""
        root = weight.sqrt()
        r, J = r * root, J * root[:, None]
        self.H += J @ J.mT
        self.g += (J @ r[..., None])[..., 0]
        self.cost += cost
        if Jb is not None and self.Hb is not None:
            Jb = Jb * root[:, None]
            self.Hb += J @ Jb.mT
            self.Hbb += torch.einsum("tam,tbm->ab", Jb, Jb)
            self.gb += torch.einsum("tam,tm->a", Jb, r)


def geman_mcclure(squared: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Cost and weight of squared residuals: grows like them, then levels out at `scale` ** 2."""
    c2 = scale * scale
    return squared * c2 / (c2 + squared), (c2 / (c2 + squared)) ** 2


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


def pixel_error_px(sites_m: Tensor, observed: Observed) -> Tensor:
    """(n,) distances in the picture of all landmarks seen well."""
    px = _project(sites_m, observed.K)
    distance = (px - observed.points_px).norm(dim=-1)
    return distance[observed.weight_2d > WELL_SEEN * observed.time_weight[:, None]]


class FrameTerms:
    """The terms that touch one frame: pixels, 3D landmarks, usual poses, ranges."""

    def __init__(self, chain: Chain, observed: Observed, weights: Weights) -> None:
        self.chain, self.observed, self.weights = chain, observed, weights
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
        self._landmarks(normal, placed)
        self._pose(normal, motion)
        return normal

    def cost(self, motion: Motion) -> Tensor:
        """(t,) the same cost without derivatives."""
        sites_m, _, _ = self.chain.places(motion)
        cost = self._pixel_residual(sites_m)[1] + self._landmark_residual(sites_m)[1]
        return cost + self._pose_residual(motion)[2] + self._shape_cost(motion)

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

    def _landmark_residual(self, sites_m: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        o = self.observed
        r = (o.bones @ sites_m - o.bones_m) / self.weights.landmark_spread_m
        cost, weight = geman_mcclure((r**2).sum(-1), self.weights.landmark_outlier)
        weighted = o.weight_3d * self.weights.landmarks
        return r, (weighted * cost).sum(-1), weighted * weight

    def _landmarks(self, normal: Normal, placed: Placed) -> None:
        r, cost, weight = self._landmark_residual(placed.sites_m)
        bones = self.observed.bones.T / self.weights.landmark_spread_m
        J = (placed.by_step @ bones).flatten(2)
        Jb = None if placed.by_build is None else (placed.by_build @ bones).flatten(2)
        normal.add(r.mT.flatten(1), J, Jb, weight.repeat(1, 3), cost)

    def _pose_residual(self, motion: Motion) -> tuple[Tensor, Tensor, Tensor]:
        dofs = self.chain.dofs
        angles = dofs.angles_rad(rotmat_to_rotvec(motion.local_rotmat))
        usual = (angles - dofs.rest_rad) / dofs.spread_rad
        beyond = (angles - dofs.high_rad).clamp_min(0) + (angles - dofs.low_rad).clamp_max(0)
        beyond = torch.nan_to_num(beyond) / LIMIT_SPREAD_RAD
        time = self.observed.time_weight[:, None]
        cost = (self.weights.usual_pose * usual**2 + self.weights.limits * beyond**2) * time
        return usual, beyond, cost.sum(-1)

    def _pose(self, normal: Normal, motion: Motion) -> None:
        dofs, time = self.chain.dofs, self.observed.time_weight[:, None]
        usual, beyond, cost = self._pose_residual(motion)
        normal.cost += cost
        pull = self.weights.usual_pose / dofs.spread_rad
        stop = self.weights.limits / LIMIT_SPREAD_RAD
        normal.g[:, 3:] += (pull * usual + stop * beyond) * time
        curvature = pull / dofs.spread_rad + stop / LIMIT_SPREAD_RAD * (beyond != 0)
        normal.H.diagonal(dim1=1, dim2=2)[:, 3:] += curvature * time


class Smoothness:
    """Acceleration of every way to move, over uneven frame times: second differences.

    Steps of neighbouring frames add to the residual as they are, which neglects how little a
    joint turns from frame to frame.
    """

    def __init__(self, chain: Chain, time_s: Tensor, weights: Weights) -> None:
        self.dofs = chain.dofs
        step_s = torch.diff(time_s)
        middle_s = (step_s[1:] + step_s[:-1]) / 2
        before, after = 1 / (step_s[:-1] * middle_s), 1 / (step_s[1:] * middle_s)
        self.stencil = torch.stack([before, -before - after, after])
        """(3, t - 2) how much three neighbouring frames add to an acceleration."""
        spread = torch.full((self.dofs.count,), weights.rotation_accel_rad_s2, dtype=torch.float64)
        spread[:3] = weights.place_accel_m_s2
        self.weight = middle_s[:, None] * REFERENCE_FPS / spread**2
        self.step_s, self.middle_s = step_s[:, None], middle_s[:, None]

    def acceleration(self, motion: Motion) -> Tensor:
        """(t - 2, d) in m/s2 and rad/s2."""
        turn = rotmat_to_rotvec(motion.local_rotmat[:-1].mT @ motion.local_rotmat[1:])
        steps = torch.cat([torch.diff(motion.t_m, dim=0), self.dofs.angles_rad(turn)], 1)
        return torch.diff(steps / self.step_s, dim=0) / self.middle_s

    def cost(self, motion: Motion) -> Tensor:
        """Sum over the sequence."""
        return (self.weight * self.acceleration(motion) ** 2).sum()

    def gradient(self, motion: Motion) -> Tensor:
        """(t, d) derivative of half the cost."""
        pull = self.weight * self.acceleration(motion)
        gradient = torch.zeros((len(motion.t_m), self.dofs.count), dtype=torch.float64)
        for k in range(3):
            gradient[k : k + len(pull)] += self.stencil[k][:, None] * pull
        return gradient

    def diagonals(self, frames: int) -> list[Tensor]:
        """Curvature between frames 0, 1 and 2 apart: (t, d), (t - 1, d), (t - 2, d)."""
        out = []
        for apart in range(3):
            total = torch.zeros((frames - apart, self.dofs.count), dtype=torch.float64)
            for k in range(3 - apart):
                product = (self.stencil[k] * self.stencil[k + apart])[:, None] * self.weight
                total[k : k + len(product)] += product
            out.append(total)
        return out

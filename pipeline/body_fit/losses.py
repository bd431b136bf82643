"""What a body is fitted to, and how far from it the body is: differentiable, frame by frame."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.body import BodyModel, PosedBody
from pipeline.projection import project_points
from pipeline.rotations import rotmat_to_rotvec

NEAREST_M = 0.1


@dataclass(frozen=True)
class FitWeights:
    """How the terms weigh, each a mean of squares over what was seen."""

    vertices: float = 1.0
    """For a square metre."""
    joints: float = 1.0
    """For a square metre."""
    px: float = 1e-6
    """For a square pixel: one pixel counts as a millimetre."""
    betas: float = 1e-8
    """For the sum of the shape coefficients squared."""
    pose: float = 1e-8
    """For the sum of the angles of joints 1 to 23 squared, in radians."""


@dataclass(frozen=True)
class FitTarget:
    """What was seen in every frame, at least one of the three; NaN where nothing was."""

    vertices_m: Float[Tensor, "t v 3"] | None = None
    joints_m: Float[Tensor, "t 24 3"] | None = None
    """The body's own 24 joints."""
    joints_px: Float[Tensor, "t 24 2"] | None = None
    visibility: Float[Tensor, "t 24"] | None = None
    """Weights of `joints_px`, 0 or more; 1 if not given."""
    K_px: Float[Tensor, "*t 3 3"] | None = None
    """Intrinsics, needed with `joints_px`."""

    def __post_init__(self) -> None:
        assert self._given, "give vertices_m, joints_m or joints_px"
        assert self.joints_px is None or self.K_px is not None, "joints_px needs K_px"

    @property
    def _given(self) -> list[Tensor]:
        parts = (self.vertices_m, self.joints_m, self.joints_px)
        return [part for part in parts if part is not None]

    def __len__(self) -> int:
        return len(self._given[0])

    @cached_property
    def shares(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Share of every vertex, joint and pixel in its mean, (t, n); 0 where unseen."""
        return (
            _shares(self.vertices_m, None),
            _shares(self.joints_m, None),
            _shares(self.joints_px, self.visibility),
        )

    def cut(self, frames: Tensor | slice) -> "FitTarget":
        """Some of the frames, in any order."""

        def part(array: Tensor | None) -> Tensor | None:
            return None if array is None else array[frames]

        K_px = part(self.K_px) if self.K_px is not None and self.K_px.ndim > 2 else self.K_px  # noqa: PLR2004
        return FitTarget(
            part(self.vertices_m), part(self.joints_m), part(self.joints_px),
            part(self.visibility), K_px,
        )  # fmt: skip

    def some_vertices(self, rows: Tensor) -> "FitTarget":
        """The same with only these vertices."""
        return replace(
            self, vertices_m=None if self.vertices_m is None else self.vertices_m[:, rows]
        )

    def to(self, dtype: torch.dtype) -> "FitTarget":
        """The same in another precision."""
        parts = (self.vertices_m, self.joints_m, self.joints_px, self.visibility, self.K_px)
        return FitTarget(*(None if part is None else part.to(dtype) for part in parts))


@dataclass(frozen=True)
class BodyState:
    """Bodies in their poses, one for each frame."""

    pose_rotmat: Float[Tensor, "t 24 3 3"]
    betas: Float[Tensor, "t 10"]
    t_m: Float[Tensor, "t 3"]

    def posed(self, body: BodyModel) -> PosedBody:
        """Put the body there."""
        return body.with_shape(self.betas).with_pose(pose_rotmat=self.pose_rotmat, t_m=self.t_m)

    def to(self, dtype: torch.dtype) -> "BodyState":
        """The same in another precision."""
        return BodyState(self.pose_rotmat.to(dtype), self.betas.to(dtype), self.t_m.to(dtype))

    def cut(self, frames: Tensor | slice) -> "BodyState":
        """Some of the frames."""
        return BodyState(self.pose_rotmat[frames], self.betas[frames], self.t_m[frames])


@dataclass(frozen=True)
class FitTerms:
    """Weighted terms for each frame; 0 for what was not given."""

    vertices: Float[Tensor, " t"]
    joints: Float[Tensor, " t"]
    px: Float[Tensor, " t"]
    betas: Float[Tensor, " t"]
    pose: Float[Tensor, " t"]

    @property
    def total(self) -> Float[Tensor, " t"]:
        """The objective of each frame."""
        return self.vertices + self.joints + self.px + self.betas + self.pose


def fit_terms(
    body: BodyModel,
    state: BodyState,
    target: FitTarget,
    weights: FitWeights,
    rows: Tensor | None = None,
) -> FitTerms:
    """Mean squared distances to the target, and the sizes of shape and pose.

    Args:
        body: The body model, in the precision of the rest.
        state: Where the bodies are; gradients flow back to it.
        target: Where they should be.
        weights: Of the terms.
        rows: Which vertices the target holds; None for all of them, in order.
    """
    posed = state.posed(body)
    vertices, joints, px = target.shares
    zero = torch.zeros_like(state.t_m[:, 0])

    def mean(found: Tensor, wanted: Tensor, share: Tensor) -> Tensor:
        away = torch.where(share[..., None] > 0, found - wanted, torch.zeros_like(found))
        return (share * (away**2).sum(-1)).sum(-1)

    of_vertices = of_joints = of_px = zero
    if target.vertices_m is not None and vertices is not None:
        of_vertices = mean(posed.vertices(rows), target.vertices_m, vertices)
    if target.joints_m is not None and joints is not None:
        of_joints = mean(posed.joints_m, target.joints_m, joints)
    if target.joints_px is not None and target.K_px is not None and px is not None:
        seen_px = project_points(posed.joints_m, target.K_px, NEAREST_M)
        of_px = mean(seen_px, target.joints_px, px)
    angles = rotmat_to_rotvec(state.pose_rotmat[:, 1:])
    return FitTerms(
        weights.vertices * of_vertices,
        weights.joints * of_joints,
        weights.px * of_px,
        weights.betas * (state.betas**2).sum(-1),
        weights.pose * (angles**2).sum((-1, -2)),
    )


def _shares(array: Tensor | None, weights: Tensor | None) -> Tensor | None:
    if array is None:
        return None
    seen = torch.isfinite(array).all(-1).to(array)
    share = seen if weights is None else torch.nan_to_num(seen * weights)
    return share / share.sum(-1, keepdim=True).clamp_min(1e-12)

"""The fit of bodies to a target: start, coarse steps on some vertices, last steps on all."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.body_fit.jacobian import BodyMotion
from pipeline.body_fit.losses import NEAREST_M, BodyState, FitTarget, FitWeights, fit_terms
from pipeline.body_fit.solver import CHUNK_FRAMES, Stop, minimise
from pipeline.body_fit.start import starts
from pipeline.one_thread import one_thread
from pipeline.projection import project_points
from pipeline.rotations import rotmat_to_rotvec

COARSE_VERTICES = 689
"""Coarse steps look at about as many vertices, evenly spread over the file's order."""
CHOOSING = Stop(iterations=12, gain=1e-2)
"""For each start, where there are several."""
LAST = Stop(iterations=8, gain=1e-3)
MM = 1000.0


@dataclass(frozen=True)
class BodyFit:
    """Fitted bodies, and how far from the target they are on average (None if not given)."""

    pose_rotvec: Float[Tensor, "t 24 3"]
    betas: Float[Tensor, "t 10"]
    """The same in every frame if one shape was asked for."""
    t_m: Float[Tensor, "t 3"]
    joints_m: Float[Tensor, "t 24 3"]
    vertices_mm: Float[Tensor, " t"] | None
    """Mean distance to the vertices that were seen, of each frame."""
    joints_mm: Float[Tensor, " t"] | None
    joints_px: Float[Tensor, " t"] | None
    """Weighted mean distance in the picture."""


def fit_body(
    body: BodyModel,
    target: FitTarget,
    weights: FitWeights | None = None,
    *,
    one_shape: bool = True,
    start: BodyState | None = None,
    stop: Stop | None = None,
) -> BodyFit:
    """Fit pose, shape and translation to vertices, 3D joints and 2D joints.

    Minimises mean squared vertex distance + a x 3D joints + b x 2D joints + regularisation of
    betas and pose (`FitWeights`) by Levenberg-Marquardt in float64 on the CPU.

    Args:
        body: The body that the target's vertices and joints belong to.
        target: At least one of vertices, 3D joints, 2D joints in every frame; NaN is unseen.
        weights: Of the terms.
        one_shape: One shape for all frames (a person's motion), or each its own (many bodies).
        start: Where to start; found from the target if not given.
        stop: When the coarse steps end.

    Returns:
        The fit in float64.
    """
    weights, stop = weights or FitWeights(), stop or Stop()
    body, target = body.to("cpu", torch.float64), target.to(torch.float64)
    count = len(body.v_template_m)
    with one_thread():
        coarse = BodyMotion(body, coarse_rows(body))
        some = target.some_vertices(coarse.rows)
        state = start.to(torch.float64) if start else _best_start(coarse, target, some, weights)
        state, _ = minimise(coarse, state, some, weights, one_shape=one_shape, stop=stop)
        if target.vertices_m is not None:
            every = BodyMotion(body, torch.arange(count))
            state, _ = minimise(every, state, target, weights, one_shape=one_shape, stop=LAST)
        chunks = [slice(n, n + CHUNK_FRAMES) for n in range(0, len(target), CHUNK_FRAMES)]
        return _joined([_outcome(body, state.cut(c), target.cut(c)) for c in chunks])


def coarse_rows(body: BodyModel) -> Tensor:
    """Vertices for the coarse steps."""
    count = len(body.v_template_m)
    return torch.arange(0, count, max(1, count // COARSE_VERTICES))


def _best_start(
    motion: BodyMotion, target: FitTarget, some: FitTarget, weights: FitWeights
) -> BodyState:
    """Of several starts the one that leads furthest, frame by frame."""
    found = starts(motion.body, target)
    if len(found) == 1:
        return found[0]
    tried = [
        minimise(motion, one, some, weights, one_shape=False, stop=CHOOSING)[0] for one in found
    ]
    costs = torch.stack([fit_terms(motion.body, one, some, weights).total for one in tried])
    best, frames = costs.argmin(0), torch.arange(len(target))

    def pick(part: str) -> Tensor:
        return torch.stack([getattr(one, part) for one in tried])[best, frames]

    betas = pick("betas").mean(0).expand(len(frames), 10)
    return BodyState(pick("pose_rotmat"), betas, pick("t_m"))


def _joined(parts: list[BodyFit]) -> BodyFit:
    """Fits of consecutive frames as one."""

    def join(name: str) -> Any:
        pieces = [piece for part in parts if (piece := getattr(part, name)) is not None]
        return torch.cat(pieces) if pieces else None

    return BodyFit(**{field.name: join(field.name) for field in fields(BodyFit)})


def _outcome(body: BodyModel, state: BodyState, target: FitTarget) -> BodyFit:
    posed = state.posed(body)
    vertices, joints, px = target.shares

    def mean(found: Tensor, wanted: Tensor, share: Tensor) -> Tensor:
        return (torch.nan_to_num(found - wanted).norm(dim=-1) * share).sum(-1)

    vertices_mm = joints_mm = joints_px = None
    if target.vertices_m is not None and vertices is not None:
        vertices_mm = MM * mean(posed.vertices(), target.vertices_m, vertices)
    if target.joints_m is not None and joints is not None:
        joints_mm = MM * mean(posed.joints_m, target.joints_m, joints)
    if target.joints_px is not None and target.K_px is not None and px is not None:
        seen_px = project_points(posed.joints_m, target.K_px, NEAREST_M)
        joints_px = mean(seen_px, target.joints_px, px)
    pose_rotvec = rotmat_to_rotvec(state.pose_rotmat)
    return BodyFit(
        pose_rotvec, state.betas, state.t_m, posed.joints_m, vertices_mm, joints_mm, joints_px
    )

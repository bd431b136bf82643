"""Where a fit starts: each limb turned as its vertices or bones are, before shape is known."""

import math

import roma
import torch
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.body_fit.losses import BodyState, FitTarget
from pipeline.camera import translation_from_points
from pipeline.rotations import rotmat_between_vectors, rotvec_to_rotmat

FLAT = 1e-4
"""A cloud of points whose second extent is less than this share of the first tells no turn."""
FACINGS = 8
"""Directions in which a body seen in 2D alone may look at first."""


def start_from_vertices(body: BodyModel, vertices_m: Tensor, share: Tensor) -> BodyState:
    """Turn every joint as the vertices that follow it have turned (Kabsch)."""
    rest = body.v_template_m
    seen = torch.nan_to_num(vertices_m)
    weights = body.weights.mT * share[:, None]
    total = weights.sum(-1, keepdim=True).clamp_min(1e-12)
    middle, rest_middle = weights @ seen / total, weights @ rest / total
    spread = (seen.mT[:, None] * weights[:, :, None]) @ rest
    spread = spread - total[..., None] * middle[..., :, None] * rest_middle[..., None, :]
    turns = _in_order(body, spread)
    state = _state(body, turns, torch.zeros_like(seen[:, 0]))
    away = torch.nan_to_num(vertices_m - state.posed(body).vertices())
    return _state(body, turns, (away * share[..., None]).sum(1))


def start_from_joints(body: BodyModel, joints_m: Tensor, share: Tensor) -> BodyState:
    """Turn every joint as its bones have turned; no twist where there is a single bone."""
    rest, known = body.J_template_m, share > 0
    turns: list[Tensor] = []
    for joint in range(24):
        parent = body.parents[joint]
        before = turns[parent] if parent >= 0 else torch.eye(3).to(rest).expand(len(share), 3, 3)
        ends = [end for end in range(24) if body.parents[end] == joint]
        seen = torch.nan_to_num(joints_m[:, ends] - joints_m[:, joint, None])
        seen = seen * (known[:, ends] & known[:, joint, None])[..., None]
        bones = rest[ends] - rest[joint]
        if len(ends) > 1:
            turns.append(_kabsch(seen.mT @ bones, before))
        elif ends:
            after = rotmat_between_vectors(before @ bones[0], seen[:, 0]) @ before
            there = seen[:, 0].norm(dim=-1) > 0
            turns.append(torch.where(there[:, None, None], after, before))
        else:
            turns.append(before)
    stacked = torch.stack(turns, 1)
    state = _state(body, stacked, torch.zeros_like(share[:, :3]))
    away = torch.nan_to_num(joints_m - state.posed(body).joints_m)
    return _state(body, stacked, (away * share[..., None]).sum(1))


def starts_from_pixels(
    body: BodyModel, joints_px: Tensor, share: Tensor, K_px: Tensor
) -> list[BodyState]:
    """Bodies at rest, upright in the picture, facing all around, where their joints are seen."""
    frames = len(joints_px)
    upright = rotvec_to_rotmat(torch.tensor([math.pi, 0.0, 0.0]).to(joints_px))
    K_all = K_px.expand(frames, 3, 3).numpy()
    seen, weights = torch.nan_to_num(joints_px).numpy(), share.numpy()
    out = []
    for facing in range(FACINGS):
        yaw = torch.tensor([0.0, 2 * math.pi * facing / FACINGS, 0.0]).to(joints_px)
        turns = (upright @ rotvec_to_rotmat(yaw)).expand(frames, 24, 3, 3)
        joints = _state(body, turns, torch.zeros_like(share[:, :3])).posed(body).joints_m
        places = [
            translation_from_points(joints[[n]].numpy(), seen[[n]], weights[[n]], K_all[n])
            for n in range(frames)
        ]
        t_m = torch.cat([torch.from_numpy(place) for place in places]).to(joints_px)
        out.append(_state(body, turns, t_m))
    return out


def starts(body: BodyModel, target: FitTarget) -> list[BodyState]:
    """One good start, or several to choose from."""
    vertices, joints, px = target.shares
    if target.vertices_m is not None and vertices is not None:
        return [start_from_vertices(body, target.vertices_m, vertices)]
    if target.joints_m is not None and joints is not None:
        return [start_from_joints(body, target.joints_m, joints)]
    assert target.joints_px is not None and target.K_px is not None and px is not None
    return starts_from_pixels(body, target.joints_px, px, target.K_px)


def _in_order(body: BodyModel, spread: Tensor) -> Tensor:
    turns: list[Tensor] = []
    for joint, parent in enumerate(body.parents):
        eye = torch.eye(3).to(spread).expand(len(spread), 3, 3)
        turns.append(_kabsch(spread[:, joint], turns[parent] if parent >= 0 else eye))
    return torch.stack(turns, 1)


def _kabsch(spread: Tensor, otherwise: Tensor) -> Tensor:
    """Rotation nearest to a spread of seen against rest points; `otherwise` where it is flat."""
    turn = roma.special_procrustes(spread)
    extents = torch.linalg.svdvals(spread)
    flat = extents[..., 1] <= FLAT * extents[..., 0]
    return torch.where(flat[..., None, None], otherwise, turn)


def _state(body: BodyModel, turns: Tensor, t_m: Tensor) -> BodyState:
    parents = [max(parent, 0) for parent in body.parents]
    local = turns[:, parents].mT @ turns
    local = torch.cat([turns[:, :1], local[:, 1:]], 1)
    return BodyState(local, turns.new_zeros(len(turns), 10), t_m)

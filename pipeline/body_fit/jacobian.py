"""How vertices and joints move with translation, turns of the joints, and shape: exact.

85 ways for each body: 3 of translation, 72 of turns in each joint's own coordinates
(R <- R exp(turn)), 10 of shape. Points come last, for fast products. A turn about an axis moves
a point by axis x arm, so that a vertex needs only the sum of what its joints carry.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.body_fit.losses import BodyState
from pipeline.rotations import cross_matrix

WAYS = 85


@dataclass(frozen=True)
class Moves:
    """Points of bodies and their derivatives."""

    points_m: Float[Tensor, "t n 3"]
    by_way: Float[Tensor, "t 85 3 n"]


@dataclass(frozen=True)
class BodyMotion:
    """A body model made ready for derivatives, of all vertices or some."""

    body: BodyModel
    rows: Tensor
    """Vertices."""

    @cached_property
    def below(self) -> Bool[Tensor, "24 24"]:
        """Whether the second joint is the first or hangs from it."""
        below = torch.eye(24, dtype=torch.bool)
        for joint, parent in enumerate(self.body.parents):
            if parent >= 0:
                below[:, joint] |= below[:, parent]
        return below

    @cached_property
    def weights(self) -> Float[Tensor, "24 n"]:
        """Skinning weights."""
        return self.body.weights[self.rows].mT.contiguous()

    @cached_property
    def carried(self) -> Float[Tensor, "24 n"]:
        """How much of each vertex a turn of the joint takes along."""
        return self.below.to(self.weights) @ self.weights

    def joints(self, state: BodyState) -> Moves:
        """The 24 joints."""
        posed = state.posed(self.body)
        places, turns = posed.joints_m, posed.global_rotmat.expand(len(state.t_m), 24, 3, 3)
        hangs = self.below.to(places) - torch.eye(24).to(places)
        arms = (places[:, None] - places[:, :, None]) * hangs[..., None]
        return Moves(places, _all_ways(_turned(turns, arms.mT), self._by_betas(turns)))

    def vertices(self, state: BodyState) -> Moves:
        """The chosen vertices."""
        posed = state.posed(self.body)
        places, turns = posed.joints_m, posed.global_rotmat.expand(len(state.t_m), 24, 3, 3)
        rest = posed._corrected_rest(self.rows).mT
        shift = places - (turns @ posed.shaped.joints_rest_m[..., None])[..., 0]
        parts = self.weights[:, None] * (turns @ rest[:, None] + shift[..., None])
        below = self.below.to(parts)
        taken = (below @ parts.flatten(2)).unflatten(2, (3, -1))
        arms = taken - self.carried[:, None] * places[..., None]
        blend = (turns.flatten(2).mT @ self.weights).unflatten(1, (3, 3))
        by_turn = _turned(turns, arms)
        if self.body.posedirs is not None:
            by_turn[:, 3:] += _blended(blend, self._corrections(state))
        return Moves(parts.sum(1).mT, _all_ways(by_turn, self._vertices_by_betas(turns, blend)))

    def _corrections(self, state: BodyState) -> Tensor:
        """(t, 69, 3, n) by which turns change the rest vertices."""
        assert self.body.posedirs is not None
        axes = cross_matrix(torch.eye(3).to(state.t_m))
        bends = (state.pose_rotmat[:, 1:, None] @ axes).flatten(-2)
        directions = self.body.posedirs[self.rows].permute(2, 1, 0).unflatten(0, (23, 9))
        moved = bends @ directions.flatten(2)
        return moved.flatten(1, 2).unflatten(-1, (3, -1))

    def _by_betas(self, turns: Tensor) -> Tensor:
        """(t, 10, 3, 24) of the joints."""
        directions, parents = self.body.J_dirs, self.body.parents
        places = [directions[0].expand(len(turns), 3, 10)]
        for joint, parent in enumerate(parents[1:], 1):
            bone = directions[joint] - directions[parent]
            places.append(places[parent] + turns[:, parent] @ bone)
        return torch.stack(places, -1).transpose(1, 2)

    def _vertices_by_betas(self, turns: Tensor, blend: Tensor) -> Tensor:
        """(t, 10, 3, n) of the vertices."""
        own = (turns @ self.body.J_dirs).permute(0, 3, 2, 1)
        by_joint = (self._by_betas(turns) - own) @ self.weights
        directions = self.body.shapedirs[self.rows].permute(2, 1, 0)
        return by_joint + _blended(blend, directions)


def _turned(turns: Tensor, arms: Tensor) -> Tensor:
    """(t, 72, 3, n): axis x arm, for the three axes of every joint; arms (t, 24, 3, n)."""
    axes = cross_matrix(turns.mT).flatten(2, 3)
    return (axes @ arms).unflatten(2, (3, 3)).flatten(1, 2)


def _blended(blend: Tensor, rest: Tensor) -> Tensor:
    """Moves of rest vertices (*t, k, 3, n), turned as the vertices are (t, 3, 3, n)."""
    return torch.stack([(blend[:, None, row] * rest).sum(-2) for row in range(3)], -2)


def _all_ways(by_turn: Tensor, by_betas: Tensor) -> Tensor:
    shift = torch.eye(3).to(by_turn)[:, :, None].expand(len(by_turn), 3, 3, by_turn.shape[-1])
    return torch.cat([shift, by_turn, by_betas], 1)

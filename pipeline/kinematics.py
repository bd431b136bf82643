"""Forward kinematics: a whole level of the skeleton at a time, from the root outwards.

SMPL's 24 joints lie on 9 levels. One gather at the start and one at the end, instead of some for
every joint: that is where the time goes when gradients are asked for.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class KinematicChain:
    """Joints sorted by their distance from the root."""

    order: Int[Tensor, " j"]
    """Joints, level by level."""
    parents: Int[Tensor, " j"]
    """Their parents (the root is its own)."""
    back: Int[Tensor, " j"]
    """Where each joint stands in `order`."""
    sizes: list[int]
    """Joints on every level."""
    above: list[Int[Tensor, " _"] | None]
    """For every level but the first: places of the parents on the level above; None if the same."""


def kinematic_chain(parents: tuple[int, ...], device: torch.device) -> KinematicChain:
    """Sort joints, given by their parents (-1 for the root, which comes first), into levels."""
    depth: list[int] = []
    for parent in parents:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    levels = [[j for j, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]
    order = [joint for level in levels for joint in level]
    above: list[Tensor | None] = []
    for upper, level in pairwise(levels):
        places = [upper.index(parents[joint]) for joint in level]
        same = places == list(range(len(upper)))
        above.append(None if same else torch.tensor(places, device=device))
    return KinematicChain(
        order=torch.tensor(order, device=device),
        parents=torch.tensor([max(parents[joint], 0) for joint in order], device=device),
        back=torch.argsort(torch.tensor(order, device=device)),
        sizes=[len(level) for level in levels],
        above=above,
    )


def place_joints(
    chain: KinematicChain,
    rest_m: Float[Tensor, "*#n j 3"],
    local_rotmat: Float[Tensor, "*#n j 3 3"],
) -> tuple[Float[Tensor, "*n j 3 3"], Float[Tensor, "*n j 3"]]:
    """Rotations against the world and places of all joints; the root stays where it rests."""
    lead = np.broadcast_shapes(rest_m.shape[:-2], local_rotmat.shape[:-3])
    bones_m = rest_m.index_select(-2, chain.order) - rest_m.index_select(-2, chain.parents)
    bones = bones_m[..., None].expand(*lead, -1, 3, 1).split(chain.sizes, -3)
    local = local_rotmat.expand(*lead, -1, 3, 3).index_select(-3, chain.order)
    turns = list(local.split(chain.sizes, -3)[:1])
    places = [rest_m[..., :1, :, None].expand(*lead, 1, 3, 1)]
    for above, bone, turn in zip(
        chain.above, bones[1:], local.split(chain.sizes, -3)[1:], strict=True
    ):
        upper, start = turns[-1], places[-1]
        if above is not None:
            upper, start = upper.index_select(-3, above), start.index_select(-3, above)
        places.append(start + upper @ bone)
        turns.append(upper @ turn)
    placed_m = torch.cat(places, -3)[..., 0].index_select(-2, chain.back)
    return torch.cat(turns, -3).index_select(-3, chain.back), placed_m

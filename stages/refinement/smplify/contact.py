"""Feet that stand still before a still camera: found in the fitted motion, then held.

A foot's point is in contact while it hardly moves in the picture. That means the ground only if
the camera stands: whoever walks before a still camera has one foot still or the other most of the
time, and still feet do not all drift the same way. Where this is not so (a panning camera, a
treadmill, somebody seen from the waist up) no foot is held.
"""

from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor

from pipeline.blocks import blocks
from stages.refinement.smplify.chain import BLOCK_FRAMES, Chain, Motion, Placed
from stages.refinement.smplify.normal import Normal, geman_mcclure
from stages.refinement.smplify.observed import Evidence
from stages.refinement.smplify.points import POINTS, trust_2d
from stages.refinement.smplify.weights import Weights

FEET = [
    POINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "foot_index")
]
STILL_M_S, STILL_IN_DEPTH_M_S = 0.35, 1.0
"""Slower than this across the picture, and along the view, where the fit is less exact."""
RESTING_M_S, SMOOTHED_S = 0.3, 0.2
"""Marks of a foot slower than this across the picture, taken over so much time, rest."""
SHORTEST_S = 0.1
LEAST_SHARE = 0.2
"""Of the frames in which a foot is seen: some foot must stand still."""
LARGEST_DRIFT_M_S = 0.06
"""Mean speed that all still feet have in common; more means that the camera moves."""
SEEN = 0.3
"""Least weight in the picture of a foot that may be held, relative to one seen well."""


class Ground(Enum):
    """What the feet say of the camera."""

    HELD = "stand still"
    RESTLESS = "are hardly ever still"
    DRIFTING = "drift together"


@dataclass(frozen=True)
class FeetMarks:
    """What was seen of the points FEET over a whole sequence."""

    time_s: Tensor
    """(t,)"""
    points_m: Tensor
    """(t, 4, 2) pixels from the picture's corner, as lengths at a distance of 1 m."""
    seen: Tensor
    """(t, 4) bool"""


def feet_marks(evidence: Evidence) -> FeetMarks:
    """Gathered in blocks."""
    points_m, seen = [], []
    for frames in blocks(len(evidence.time_s), BLOCK_FRAMES):
        marks = evidence.marks(frames)
        points_m.append(marks.points_px[:, FEET] / marks.K[[0, 1], [0, 1]])
        full = trust_2d()[FEET] * marks.time_weight[:, None]
        seen.append(marks.weight_2d[:, FEET] > SEEN * full)
    return FeetMarks(evidence.time_s, torch.cat(points_m), torch.cat(seen))


def feet_places(chain: Chain, motion: Motion) -> Tensor:
    """(t, 4, 3) the points FEET of a motion, in the camera; gathered in blocks."""
    every = blocks(len(motion.t_m), BLOCK_FRAMES)
    return torch.cat([chain.places(motion.cut(frames))[0][:, FEET] for frames in every])


@dataclass(frozen=True)
class Contacts:
    """Which of the points FEET are still, and where."""

    anchors_m: Tensor
    """(t, 4, 3) where a point rests; of a whole stretch of contact the same."""
    still: Tensor
    """(t, 4) bool"""
    ground: Ground

    def anchored(self, feet_m: Tensor) -> "Contacts":
        """The same contacts where another fit puts the feet."""
        return replace(self, anchors_m=anchors_of(feet_m, self.still))

    def cut(self, frames: slice) -> "Contacts":
        """Some of the frames."""
        return replace(self, anchors_m=self.anchors_m[frames], still=self.still[frames])


def find_contacts(feet_m: Tensor, marks: FeetMarks) -> Contacts:
    """From the places (t, 4, 3) of a fitted motion's feet and what was seen of them."""
    still = _lasting(_slow(feet_m, marks.time_s) & marks.seen, marks.time_s)
    still |= _lasting(_resting(feet_m, marks), marks.time_s)
    ground = _judged(still, feet_m, marks)
    if ground is not Ground.HELD:
        still = torch.zeros_like(still)
    return Contacts(anchors_of(feet_m, still), still, ground)


def anchors_of(feet_m: Tensor, still: Tensor) -> Tensor:
    """(t, 4, 3) mean place over every stretch; where nothing is still, the place itself."""
    out = feet_m.clone()
    for point in range(still.shape[1]):
        for stretch in _stretches(still[:, point]):
            out[stretch, point] = feet_m[stretch, point].mean(0)
    return out


def _velocity(feet_m: Tensor, time_s: Tensor) -> Tensor:
    """(t, 4, 3): x and y across the view (m/s at the foot's distance), z along it."""
    z = feet_m[..., 2:].clamp_min(0.2)
    rays, step_s = feet_m[..., :2] / z, torch.diff(time_s)[:, None, None]
    across = torch.diff(rays, dim=0) * (z[1:] + z[:-1]) / 2
    speed = torch.cat([across, torch.diff(feet_m[..., 2:], dim=0)], -1) / step_s
    padded = torch.cat([speed[:1], speed, speed[-1:]])
    return (padded[1:] + padded[:-1]) / 2


def _slow(feet_m: Tensor, time_s: Tensor) -> Tensor:
    if len(feet_m) < 3:  # noqa: PLR2004  (no speed to judge by)
        return torch.zeros(feet_m.shape[:2], dtype=torch.bool)
    velocity = _velocity(feet_m, time_s)
    across = velocity[..., :2].norm(dim=-1)
    return (across < STILL_M_S) & (velocity[..., 2].abs() < STILL_IN_DEPTH_M_S)


def _resting(feet_m: Tensor, marks: FeetMarks) -> Tensor:
    """(t, 4) bool: heel and toe marks both rest in the picture.

    Marks shake, so their speed is taken over a while. That finds feet which the fit still moves:
    along the view above all, where the picture hardly tells.
    """
    frames = len(feet_m)
    if frames < 3:  # noqa: PLR2004  (no speed to judge by)
        return torch.zeros_like(marks.seen)
    step_s = float(torch.diff(marks.time_s).median())
    half = max(round(SMOOTHED_S / step_s / 2), 1)
    smooth_m = _moving_mean(marks.points_m, half)
    time_s = marks.time_s[:, None, None]
    rate = torch.zeros_like(smooth_m)
    rate[1:-1] = (smooth_m[2:] - smooth_m[:-2]) / (time_s[2:] - time_s[:-2])
    rate[0], rate[-1] = rate[1], rate[-2]
    speed = rate.norm(dim=-1) * feet_m[..., 2].clamp_min(0.2)
    slow = (speed < RESTING_M_S) & marks.seen
    both = slow.view(frames, 2, 2).all(-1, keepdim=True)
    return both.expand(-1, -1, 2).reshape(frames, 4)


def _moving_mean(values: Tensor, half: int) -> Tensor:
    """Mean over 2 * half + 1 frames, fewer at the ends."""
    total = torch.cat([torch.zeros_like(values[:1]), values.cumsum(0)])
    frames = torch.arange(len(values))
    low, high = (frames - half).clamp_min(0), (frames + half + 1).clamp_max(len(values))
    return (total[high] - total[low]) / (high - low)[:, None, None]


def _lasting(slow: Tensor, time_s: Tensor) -> Tensor:
    out = torch.zeros_like(slow)
    for point in range(slow.shape[1]):
        for stretch in _stretches(slow[:, point]):
            out[stretch, point] = bool(
                time_s[stretch.stop - 1] - time_s[stretch.start] > SHORTEST_S
            )
    return out


def _stretches(flags: Tensor) -> list[slice]:
    """Runs of True."""
    padded = torch.nn.functional.pad(flags.int(), (1, 1))
    change = torch.diff(padded)
    starts, stops = torch.nonzero(change > 0)[:, 0], torch.nonzero(change < 0)[:, 0]
    return [slice(a, b) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]


def _judged(still: Tensor, feet_m: Tensor, marks: FeetMarks) -> Ground:
    seen = marks.seen.any(1)
    if not seen.any() or float(still.any(1)[seen].double().mean()) < LEAST_SHARE:
        return Ground.RESTLESS
    velocity = _velocity(feet_m, marks.time_s)[..., :2]
    common = (velocity * still[..., None]).sum((0, 1)) / still.sum()
    return Ground.HELD if float(common.norm()) < LARGEST_DRIFT_M_S else Ground.DRIFTING


class ContactTerm:
    """Distance of still points from where they rest."""

    def __init__(self, contacts: Contacts, weight: Tensor, weights: Weights) -> None:
        self.anchors_m = contacts.anchors_m
        self.spread_m, self.outlier = weights.contact_spread_m, weights.contact_outlier
        self.weight = contacts.still * weight[:, None]

    def _residual(self, sites_m: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r = (sites_m[:, FEET] - self.anchors_m) / self.spread_m
        cost, weight = geman_mcclure(r.square().sum(-1), self.outlier)
        return r, (self.weight * cost).sum(-1), self.weight * weight

    def cost(self, sites_m: Tensor) -> Tensor:
        """Of every frame (t,)."""
        return self._residual(sites_m)[1]

    def add(self, normal: Normal, placed: Placed) -> None:
        """To the normal equations."""
        r, cost, weight = self._residual(placed.sites_m)
        J = placed.by_step[..., FEET].flatten(2) / self.spread_m
        normal.add(r.mT.flatten(1), J, None, weight.repeat(1, 3), cost)

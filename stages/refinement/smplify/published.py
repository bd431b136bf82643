"""SMPLify as published: every frame by itself, all frames of a person in one batch.

Bogo et al. 2016 (`smplify`: four rounds, priors strong at first), and as SPIN runs it
(Kolotouros et al. 2019, `spin`: one round). First the camera stage turns and places the body by its
trunk, then the body stage fits pose and shape, the place held. Errors are reckoned in pixels of a
crop of 224 x 224, as published. There is no term over time: the result jitters as its input does.
L-BFGS searches along one line for all frames of a batch, Adam goes for each by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pipeline.parts import Arrays, Parts
from pipeline.projection import project_points
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.smplify_prior import PosePrior
from pipeline.smplify_terms import (
    SMPLIFY_ROUNDS,
    SPIN_WEIGHTS,
    SmplifyWeights,
    body_terms,
    camera_terms,
)
from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import BUILD_COUNT, Chain, Motion
from stages.refinement.smplify.points import INDICES, POINTS

CROP_PX, BOX_MARGIN = 224.0, 1.2
STEP_SIZE = 1e-2
"""Of Adam, as in SPIN."""
PRESETS: dict[str, tuple[SmplifyWeights, ...]] = {
    "spin": (SPIN_WEIGHTS,),
    "smplify": SMPLIFY_ROUNDS,
}
TRUNK = [
    POINTS.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")
]

Optimiser = Literal["adam", "lbfgs"]


@dataclass(frozen=True)
class Recipe:
    """How the published objective is run."""

    rounds: tuple[SmplifyWeights, ...]
    prior: PosePrior
    optimiser: Optimiser
    steps: int
    """Of every stage and round."""


@dataclass(frozen=True)
class _Crops:
    """Landmarks and cameras of n frames, in pixels of their crops."""

    keypoints_px: Tensor
    """(n, k, 3) x, y, confidence"""
    K_px: Tensor
    """(n, 3, 3)"""


def _crops(person: Person, frames: Tensor, camera: Camera) -> _Crops:
    """Around the landmarks seen: the same field of view whatever detector found them."""
    assert person.keypoints_px is not None
    keypoints = torch.from_numpy(person.keypoints_px[:, INDICES]).double()[frames]
    xy = keypoints[..., :2]
    low, high = xy.amin(1), xy.amax(1)
    scale = CROP_PX / (BOX_MARGIN * (high - low).amax(1).clamp_min(1.0))
    middle = (low + high) / 2
    K = torch.from_numpy(camera.K_px).double().repeat(len(xy), 1, 1)
    K[:, :2, 2] -= middle
    K[:, :2] *= scale[:, None, None]
    K[:, :2, 2] += CROP_PX / 2
    in_crop = (xy - middle[:, None]) * scale[:, None, None] + CROP_PX / 2
    return _Crops(torch.cat([in_crop, keypoints[..., 2:].clamp(0, 1)], -1), K)


def fit_published(
    person: Person, camera: Camera, chain: Chain, recipe: Recipe, parts: Parts
) -> Motion:
    """Pose and place of every frame seen; frames not seen stay. One shape: the median.

    The camera stage and every round are parts that outlive an interruption.
    """
    assert person.keypoints_px is not None
    finite = torch.isfinite(torch.from_numpy(person.keypoints_px)).all(-1).all(-1)
    frames = torch.nonzero(torch.from_numpy(person.observed) & finite)[:, 0]
    crops = _crops(person, frames, camera)
    pose = torch.from_numpy(person.pose_rotvec).double()
    t_m = torch.from_numpy(person.t_camera_m).double()
    betas = torch.from_numpy(person.betas).double()
    with torch.enable_grad():
        fit = _Fit(chain, crops, recipe, parts)
        root, placed_m = fit.camera(pose[frames], betas, t_m[frames])
        fitted, shapes = fit.body(root, pose[frames, 1:], betas, placed_m)
    pose[frames], t_m[frames] = fitted, placed_m
    build = torch.zeros(BUILD_COUNT, dtype=torch.float64)
    build[:10] = shapes.median(0).values
    return Motion(rotvec_to_rotmat(pose), t_m, build)


class _Fit:
    """The two stages."""

    def __init__(self, chain: Chain, crops: _Crops, recipe: Recipe, parts: Parts) -> None:
        self.chain, self.crops, self.recipe, self.parts = chain, crops, recipe, parts

    def projected_px(self, pose: Tensor, betas: Tensor, t_m: Tensor) -> Tensor:
        """The sites of n bodies in their crops (n, k, 2)."""
        return project_points(
            self.chain.sites_of(rotvec_to_rotmat(pose), betas, t_m), self.crops.K_px
        )

    def camera(self, pose: Tensor, betas: Tensor, first_t_m: Tensor) -> tuple[Tensor, Tensor]:
        """Root and place by the trunk."""
        shapes, weights = betas.expand(len(pose), -1), self.recipe.rounds[0]
        seen_px = self.crops.keypoints_px[:, TRUNK, :2]

        def objective(root: Tensor, t_m: Tensor) -> Tensor:
            projected = self.projected_px(torch.cat([root, pose[:, 1:]], 1), shapes, t_m)
            return camera_terms(projected[:, TRUNK], seen_px, t_m, first_t_m, weights).total.sum()

        root, t_m = self._minimised("trunk", objective, pose[:, :1], first_t_m)
        return root, t_m

    def body(self, root: Tensor, body: Tensor, betas: Tensor, t_m: Tensor) -> tuple[Tensor, Tensor]:
        """Pose (n, 24, 3) and shapes (n, 10), round by round."""
        unknown: tuple[Tensor, ...] = (root, body, betas.repeat(len(root), 1))
        for number, weights in enumerate(self.recipe.rounds):

            def objective(
                root: Tensor, body: Tensor, shapes: Tensor, weights: SmplifyWeights = weights
            ) -> Tensor:
                projected = self.projected_px(torch.cat([root, body], 1), shapes, t_m)
                seen, prior = self.crops.keypoints_px, self.recipe.prior
                return body_terms(projected, seen, body, shapes, prior, weights).total.sum()

            unknown = self._minimised(f"round {number}", objective, *unknown)
        root, body, shapes = unknown
        return rotmat_to_rotvec(rotvec_to_rotmat(torch.cat([root, body], 1))), shapes

    def _minimised(
        self, name: str, objective: Callable[..., Tensor], *start: Tensor
    ) -> tuple[Tensor, ...]:
        """The unknowns for which the objective of them is least; a part."""

        def found() -> Arrays:
            unknown = [value.clone().requires_grad_() for value in start]
            recipe = self.recipe
            minimise(lambda: objective(*unknown), unknown, recipe.optimiser, recipe.steps)
            return {str(n): value.detach().numpy() for n, value in enumerate(unknown)}

        arrays = self.parts.get(name, found)
        return tuple(torch.from_numpy(arrays[str(n)]) for n in range(len(start)))


def minimise(
    objective: Callable[[], Tensor], unknown: list[Tensor], optimiser: Optimiser, steps: int
) -> None:
    """Change the unknowns in place."""
    if optimiser == "adam":
        adam = torch.optim.Adam(unknown, lr=STEP_SIZE)
        for _ in range(steps):
            adam.zero_grad()
            objective().backward()
            adam.step()
        return
    lbfgs = torch.optim.LBFGS(unknown, max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        lbfgs.zero_grad()
        value = objective()
        value.backward()
        return value

    lbfgs.step(closure)

"""SMPL-format bodies: load, with_shape, with_pose, vertices. No state, any leading axes.

Linear blend skinning after Loper et al. 2015, "SMPL: A Skinned Multi-Person Linear Model".
Joints never need the vertices, so fitting to joints skins nothing.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, Int32
from torch import Tensor

from pipeline.body_file import EMBEDDED, body_name_and_sha256, read_body_file
from pipeline.kinematics import KinematicChain, kinematic_chain, place_joints
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skinning import SkinPattern, skin, skin_one_shape, skin_pattern


@dataclass(frozen=True)
class BodyModel:
    """A body file as tensors: seven arrays, metres, Y up, facing +Z."""

    name: str
    """`mh24-v1` for the embedded body, `smpl-` and eight digits for a user's file."""
    sha256: str
    """Digest of the file."""
    v_template_m: Float[Tensor, "v 3"]
    shapedirs: Float[Tensor, "v 3 10"]
    """Metres of displacement for one unit of each beta."""
    posedirs: Float[Tensor, "v 3 207"] | None
    """Displacement for each entry of (rotmat - identity) of joints 1 to 23; None if all zero."""
    J_regressor: Float[Tensor, "24 v"]
    weights: Float[Tensor, "v 24"]
    parents: tuple[int, ...]
    """Parent of every joint, -1 for the root."""
    faces: Int32[np.ndarray, "f 3"]

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> "BodyModel":
        """The same body on another device or in another precision."""
        names = ("v_template_m", "shapedirs", "posedirs", "J_regressor", "weights")
        moved = {
            n: t.to(device=device, dtype=dtype)
            for n in names
            if (t := getattr(self, n)) is not None
        }
        return replace(self, **moved)

    @cached_property
    def J_template_m(self) -> Float[Tensor, "24 3"]:
        """Rest joints of the mean shape."""
        return self.J_regressor @ self.v_template_m

    @cached_property
    def J_dirs(self) -> Float[Tensor, "24 3 10"]:
        """Metres by which one unit of each beta moves the rest joints."""
        return torch.einsum("jv,vck->jck", self.J_regressor, self.shapedirs)

    @cached_property
    def chain(self) -> KinematicChain:
        """The joints in the order in which forward kinematics visits them."""
        return kinematic_chain(self.parents, self.v_template_m.device)

    @cached_property
    def skin_pattern(self) -> SkinPattern:
        """The weights that are not zero."""
        return skin_pattern(self.weights)

    def with_shape(self, betas: Float[Tensor, "*n 10"]) -> "ShapedBody":
        """Give the body a shape."""
        return ShapedBody(self, betas)


@dataclass(frozen=True)
class ShapedBody:
    """A body of a certain shape, at rest."""

    model: BodyModel
    betas: Float[Tensor, "*n 10"]

    @cached_property
    def joints_rest_m(self) -> Float[Tensor, "*n 24 3"]:
        """Joints at rest, without touching a vertex."""
        return self.model.J_template_m + _offsets(self.model.J_dirs, self.betas)

    @cached_property
    def vertices_rest_m(self) -> Float[Tensor, "*n v 3"]:
        """Vertices at rest."""
        return self.model.v_template_m + _offsets(self.model.shapedirs, self.betas)

    def with_pose(
        self,
        pose_rotvec: Float[Tensor, "*#n 24 3"] | None = None,
        t_m: Float[Tensor, "*#n 3"] | None = None,
        *,
        pose_rotmat: Float[Tensor, "*#n 24 3 3"] | None = None,
    ) -> "PosedBody":
        """Turn every joint against its parent (joint 0 against the world), then move by `t_m`.

        Leading axes broadcast against those of the betas. No rotation at all is the rest pose.
        """
        assert pose_rotvec is None or pose_rotmat is None, "give the pose in one form"
        if pose_rotvec is not None:
            pose_rotmat = rotvec_to_rotmat(pose_rotvec)
        elif pose_rotmat is None:
            pose_rotmat = torch.eye(3).to(self.joints_rest_m).expand(24, 3, 3)
        return PosedBody(self, pose_rotmat, t_m)


@dataclass(frozen=True)
class PosedBody:
    """A body in a pose."""

    shaped: ShapedBody
    pose_rotmat: Float[Tensor, "*#n 24 3 3"]
    t_m: Float[Tensor, "*#n 3"] | None

    @cached_property
    def _placed(self) -> tuple[Tensor, Tensor]:
        """Global rotations and joint places (before `t_m`), by forward kinematics."""
        return place_joints(self.shaped.model.chain, self.shaped.joints_rest_m, self.pose_rotmat)

    @property
    def global_rotmat(self) -> Float[Tensor, "*n 24 3 3"]:
        """Rotation of every joint against the world."""
        return self._placed[0]

    @cached_property
    def joints_m(self) -> Float[Tensor, "*n 24 3"]:
        """Joints in the pose."""
        places = self._placed[1]
        return places if self.t_m is None else places + self.t_m[..., None, :]

    def vertices(self, subset: Int[Tensor, " s"] | None = None) -> Float[Tensor, "*n s 3"]:
        """Vertices in the pose, all of them or those of `subset` (indices)."""
        model, rotmat = self.shaped.model, self.global_rotmat
        rest = self._corrected_rest(subset)
        shift = self.joints_m - (rotmat @ self.shaped.joints_rest_m[..., None])[..., 0]
        rotmat = rotmat.expand(*shift.shape, 3)
        moves = torch.cat([rotmat, shift[..., None]], -1)
        if subset is None and rest.ndim == 2 and moves[..., 0, 0, 0].numel() > 1:  # noqa: PLR2004
            return skin_one_shape(model.skin_pattern, moves, rest)
        weights = model.weights if subset is None else model.weights[subset]
        return skin(weights, moves, rest)

    def _corrected_rest(self, subset: Tensor | None) -> Tensor:
        """Rest vertices with shape and pose corrections."""
        model, shaped = self.shaped.model, self.shaped
        rows = slice(None) if subset is None else subset
        if subset is None:
            rest = shaped.vertices_rest_m
        else:
            rest = model.v_template_m[rows] + _offsets(model.shapedirs[rows], shaped.betas)
        if model.posedirs is None:
            return rest
        eye = torch.eye(3).to(rest)
        bends = (self.pose_rotmat[..., 1:, :, :] - eye).flatten(-3)
        return rest + _offsets(model.posedirs[rows], bends)


def _offsets(directions: Float[Tensor, "v 3 k"], amounts: Float[Tensor, "*n k"]) -> Tensor:
    """Sum of directions, each times its amount: (*n, v, 3)."""
    flat = amounts @ directions.flatten(0, 1).mT
    return flat.unflatten(-1, tuple(directions.shape[:2]))


def load_body(source: str | Path = EMBEDDED, device: torch.device | str = "cpu") -> BodyModel:
    """Load the embedded body, or a SMPL file of the user's (`.pkl` or `.npz`).

    Raises:
        MissingError: there is no such file.
        InputError: it is not a body in SMPL's form.
    """
    name, sha256 = body_name_and_sha256(source)
    arrays = read_body_file(source)
    return BodyModel(
        name=name,
        sha256=sha256,
        v_template_m=torch.from_numpy(arrays.v_template_m),
        shapedirs=torch.from_numpy(arrays.shapedirs),
        posedirs=None if arrays.posedirs is None else torch.from_numpy(arrays.posedirs),
        J_regressor=torch.from_numpy(arrays.J_regressor),
        weights=torch.from_numpy(arrays.weights),
        parents=arrays.parents,
        faces=arrays.faces,
    ).to(device)

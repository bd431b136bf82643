"""Where each BlazePose landmark sits on a SMPL body: one point per landmark, fixed to one joint.

A detector marks what it sees (the hip's outer line, the tip of the heel), a body model has joint
centres. Comparing or fitting the two like for like needs the marked points on the body: a site is
a joint, moved along the body's axes, or the mean of a few vertices found by their place (the
foremost of the head is the nose, the rearmost of the foot the heel). No vertex number is fixed,
so the same sites hold on any body in SMPL's form (y up, facing +z, left is +x).

The offsets were measured: the embedded body was rendered in 160 poses of motion capture from all
sides, the detector was run on the pictures, and the offset that explains its marks best was solved
for each landmark (robustly, both sides together). The marks then scatter by 14 to 20 mm. Hip marks
lie 0.18 m apart against 0.14 m between SMPL's hip joints; ankle marks 2 cm above the joint.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int32
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.skeletons import BLAZEPOSE33, SMPL24

AVERAGED_VERTICES = 5
MIDLINE_M = 0.015

# Joint each site is fixed to, and its offset in metres from that joint; left side, x mirrored
# for the right side.
_FROM_JOINT: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "shoulder": ("collar", "shoulder", (-0.013, 0.008, 0.002)),
    "elbow": ("shoulder", "elbow", (-0.002, -0.005, 0.009)),
    "wrist": ("elbow", "wrist", (0.011, -0.004, 0.0)),
    "index": ("wrist", "hand", (-0.013, -0.015, 0.011)),
    "pinky": ("wrist", "hand", (-0.019, -0.01, -0.011)),
    "thumb": ("wrist", "wrist", (0.064, -0.027, 0.011)),
    "hip": ("pelvis", "hip", (0.018, 0.015, 0.015)),
    "knee": ("hip", "knee", (-0.002, 0.012, -0.005)),
    "ankle": ("knee", "ankle", (0.002, 0.02, 0.004)),
}
# Offset in metres from the tip of the nose.
_FROM_NOSE = {
    "nose": (0.0, 0.008, -0.019),
    "eye_inner": (0.014, 0.038, -0.04),
    "eye": (0.024, 0.038, -0.044),
    "eye_outer": (0.034, 0.038, -0.049),
    "mouth": (0.017, -0.023, -0.029),
}
# Joint, direction to the outermost vertices, and the offset in metres from them.
_OUTERMOST = {
    "ear": ("head", (1.0, 0.0, 0.0), (-0.034, -0.01, 0.039)),
    "heel": ("ankle", (0.0, 0.0, -1.0), (-0.004, -0.004, 0.019)),
    "foot_index": ("foot", (0.0, 0.0, 1.0), (0.008, 0.007, -0.018)),
}


@dataclass(frozen=True)
class LandmarkSites:
    """The 33 sites in the rest pose."""

    joint: Int32[np.ndarray, " k"]
    """SMPL joint that carries each site."""
    rest_m: Float64[np.ndarray, "k 3"]
    """Place on the body of average shape, in the body's own coordinates."""
    rest_per_beta_m: Float64[np.ndarray, "k 3 10"]
    """How that place moves with each shape coefficient."""

    def at(self, betas: Float[np.ndarray, "*n 10"]) -> Float64[np.ndarray, "*n k 3"]:
        """Places in the rest pose for the given shapes, metres."""
        return self.rest_m + np.einsum("kcb,...b->...kc", self.rest_per_beta_m, betas)


@dataclass(frozen=True)
class _Rest:
    joints_m: np.ndarray
    joints_per_beta_m: np.ndarray
    vertices_m: np.ndarray
    vertices_per_beta_m: np.ndarray
    joint_of_vertex: np.ndarray


def _rest_of(body: BodyModel) -> _Rest:
    vertices_m = body.v_template_m.cpu().numpy().astype(np.float64)
    per_beta_m = body.shapedirs.cpu().numpy().astype(np.float64)
    joint_of_vertex = body.weights.cpu().numpy().argmax(axis=1)
    joints_m = body.J_template_m.cpu().numpy().astype(np.float64)
    joints_per_beta_m = body.J_dirs.cpu().numpy().astype(np.float64)
    return _Rest(joints_m, joints_per_beta_m, vertices_m, per_beta_m, joint_of_vertex)


def _outermost(rest: _Rest, joint: int, direction: np.ndarray, midline: bool = False) -> np.ndarray:
    """Numbers of the vertices of a joint that lie furthest in a direction."""
    reach_m = rest.vertices_m @ direction
    reach_m = np.where(rest.joint_of_vertex == joint, reach_m, -np.inf)
    if midline:
        reach_m = np.where(np.abs(rest.vertices_m[:, 0]) < MIDLINE_M, reach_m, -np.inf)
    return np.argsort(-reach_m, kind="stable")[:AVERAGED_VERTICES]


@dataclass(frozen=True)
class _Site:
    joint: int
    rest_m: np.ndarray
    rest_per_beta_m: np.ndarray


def _on_vertices(rest: _Rest, joint: int, chosen: np.ndarray, offset_m: np.ndarray) -> _Site:
    place_m = rest.vertices_m[chosen].mean(axis=0) + offset_m
    return _Site(joint, place_m, rest.vertices_per_beta_m[chosen].mean(axis=0))


def _site(rest: _Rest, point: str) -> _Site:
    side = "right" if "right" in point else "left"
    part = point.replace(side, "").strip("_")
    mirror = np.array([-1.0 if side == "right" else 1.0, 1.0, 1.0])

    def joint(name: str) -> int:
        return SMPL24.index(name if name in SMPL24.points else f"{side}_{name}")

    if part in _FROM_JOINT:
        carrier, origin, offset = _FROM_JOINT[part]
        place_m = rest.joints_m[joint(origin)] + mirror * offset
        return _Site(joint(carrier), place_m, rest.joints_per_beta_m[joint(origin)])
    if part in _OUTERMOST:
        name, direction, offset = _OUTERMOST[part]
        chosen = _outermost(rest, joint(name), mirror * direction)
        return _on_vertices(rest, joint(name), chosen, mirror * offset)
    offset_m = mirror * _FROM_NOSE[part]
    nose = _outermost(rest, joint("head"), np.array([0.0, 0.0, 1.0]), midline=True)
    return _on_vertices(rest, joint("head"), nose, offset_m)


def find_sites(body: BodyModel) -> LandmarkSites:
    """The sites of BlazePose's 33 landmarks on a body."""
    rest = _rest_of(body)
    sites = [_site(rest, point) for point in BLAZEPOSE33.points]
    return LandmarkSites(
        np.array([site.joint for site in sites], dtype=np.int32),
        np.stack([site.rest_m for site in sites]),
        np.stack([site.rest_per_beta_m for site in sites]),
    )


class PosedSites:
    """The sites on posed bodies, in double precision on the CPU."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body.to("cpu", torch.float64)
        self.rest = find_sites(self.body)
        self._joint = torch.from_numpy(self.rest.joint).long()

    def places(
        self, pose_rotmat: Float[Tensor, "n 24 3 3"], betas: Float[Tensor, "n 10"]
    ) -> Float[Tensor, "n 33 3"]:
        """Places in metres of the sites of n bodies; they stand at the body's own origin."""
        shaped = self.body.with_shape(betas)
        posed = shaped.with_pose(pose_rotmat=pose_rotmat)
        rest_m = torch.from_numpy(self.rest.at(betas.numpy()))
        arms_m = rest_m - shaped.joints_rest_m[:, self._joint]
        turned = (posed.global_rotmat[:, self._joint] @ arms_m[..., None])[..., 0]
        return posed.joints_m[:, self._joint] + turned

"""Where the fit of a person begins: the regressed motion, laid out when it is asked for.

As matrices in double precision a motion takes six times the room of the rotation vectors it comes
from, and of a long film the fit has one such motion already.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from pipeline.blocks import blocks
from pipeline.camera import project, translation_from_points
from pipeline.landmark_ik import pose_from_landmarks
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import BLOCK_FRAMES, BUILD_COUNT, Chain, Motion
from stages.refinement.smplify.points import INDICES


@runtime_checkable
class Marked(Protocol):
    """A person whose landmarks, BlazePose's with left and right in order, are laid out on demand.

    Those of everybody at once take much room.
    """

    @property
    def person(self) -> Person:
        """As given."""

    @property
    def changed(self) -> np.ndarray:
        """(t,) bool: frames in which left and right were exchanged."""

    def cut(self, rows: slice | np.ndarray) -> "Marked":
        """Some of the frames."""

    def in_order(self) -> Person:
        """With the landmarks."""


@dataclass(frozen=True)
class Start:
    """Where the fit begins."""

    pose_rotvec: Float32[np.ndarray, "t 24 3"]
    """As regressed."""
    posed_rotmat: Tensor
    """(n, 24, 3, 3) of the frames that are not trusted, in their order"""
    t_m: Tensor
    """(t, 3)"""
    trusted: Tensor
    """(t,) bool: frames whose pose is the regressor's own."""
    build: Tensor
    """(28,)"""

    def cut(self, frames: slice | Tensor) -> Motion:
        """Some of the frames."""
        pose = torch.from_numpy(self.pose_rotvec)[frames]
        local_rotmat = rotvec_to_rotmat(pose.double())
        wrong = ~self.trusted[frames]
        if wrong.any():
            row = (~self.trusted).cumsum(0)[frames] - 1
            local_rotmat[wrong] = self.posed_rotmat[row[wrong]]
        return Motion(local_rotmat, self.t_m[frames], self.build)


def start_of(marked: Marked, camera: Camera, chain: Chain) -> Start:
    """The regressed motion; posed anew where left and right were exchanged and it had them wrong.

    A regressor that looks at more than the landmarks of the frame may have been right all along:
    then its body lies nearer to the landmarks in order than to those as they were marked.
    """
    person = marked.person
    build = torch.zeros(BUILD_COUNT, dtype=torch.float64)
    build[:10] = torch.from_numpy(person.betas)
    t_m = torch.from_numpy(person.t_camera_m).double()
    trusted = torch.ones(len(person), dtype=torch.bool)
    regressed = Start(person.pose_rotvec, torch.zeros(0, 24, 3, 3), t_m, trusted.clone(), build)
    frames, posed = np.flatnonzero(marked.changed), [torch.zeros(0, 24, 3, 3, dtype=torch.float64)]
    for block in blocks(len(frames), BLOCK_FRAMES):
        motion = regressed.cut(torch.from_numpy(frames[block]))
        ordered = marked.cut(frames[block]).in_order()
        wrong = _has_sides_wrong(ordered, motion, camera, chain)
        if wrong.any():
            anew = _posed_anew(ordered.cut(wrong), build, camera, chain)
            posed.append(anew.local_rotmat)
            t_m[frames[block][wrong]], trusted[frames[block][wrong]] = anew.t_m, False
    return Start(person.pose_rotvec, torch.cat(posed), t_m, trusted, build)


def _has_sides_wrong(person: Person, motion: Motion, camera: Camera, chain: Chain) -> np.ndarray:
    """(n,) bool: does the body fit the landmarks better with sides exchanged?"""
    assert person.keypoints_px is not None
    px = person.keypoints_px[..., :2]
    sites_px = project(chain.places(motion)[0].numpy(), camera.K_px)
    order, mirrored = (points[INDICES] for points in (np.arange(px.shape[1]), BLAZEPOSE33.mirror))
    away_px = [np.abs(sites_px - px[:, points]).sum((1, 2)) for points in (order, mirrored)]
    return np.asarray(away_px[0] > away_px[1])


def _posed_anew(person: Person, build: Tensor, camera: Camera, chain: Chain) -> Motion:
    """By the landmarks alone."""
    assert person.landmarks_m is not None and person.keypoints_px is not None
    local_rotmat = pose_from_landmarks(person.landmarks_m, chain.all_sites)
    at_origin = Motion(local_rotmat, torch.zeros(len(person), 3, dtype=torch.float64), build)
    px = person.keypoints_px[:, INDICES]
    sites_m = chain.places(at_origin)[0].numpy()
    places_m = translation_from_points(sites_m, px[..., :2], px[..., 2], camera.K_px)
    return Motion(local_rotmat, torch.from_numpy(places_m), build)

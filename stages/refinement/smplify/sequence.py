"""The fit of one person: start, build, then the frames, window by window."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.camera import project, translation_from_points
from pipeline.landmark_ik import pose_from_landmarks
from pipeline.parts import Arrays, Parts
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import BLOCK_FRAMES, BUILD_COUNT, Chain, Motion
from stages.refinement.smplify.contact import Contacts, Ground, find_contacts
from stages.refinement.smplify.observed import Observed, observe
from stages.refinement.smplify.points import INDICES
from stages.refinement.smplify.solver import fit_build
from stages.refinement.smplify.terms import FrameTerms, pixel_error_px
from stages.refinement.smplify.weights import Weights
from stages.refinement.smplify.windows import WindowFit, windows

BUILD_FRAMES = 100
"""Frames from which the build is fitted, evenly spread."""
FIRST_ITERATIONS, BUILD_ITERATIONS, LAST_ITERATIONS = 3, 4, 3


@dataclass(frozen=True)
class Outcome:
    """What the fit found."""

    motion: Motion
    median_error_px: float
    """Of well visible landmarks."""
    usual_error_px: float
    """What that error usually is for a body of this size in the picture."""
    contacts: Contacts | None
    """Where feet stood still; None if that was not asked."""


@dataclass(frozen=True)
class Start:
    """Where the fit begins."""

    motion: Motion
    trusted: Tensor
    """(t,) bool: frames whose pose is the regressor's own."""


def start_of(person: Person, changed: np.ndarray, camera: Camera, chain: Chain) -> Start:
    """The regressed motion; posed anew where left and right were exchanged and it had them wrong.

    A regressor that looks at more than the landmarks of the frame may have been right all along:
    then its body lies nearer to the landmarks in order than to those as they were marked.
    """
    build = torch.zeros(BUILD_COUNT, dtype=torch.float64)
    build[:10] = torch.from_numpy(person.betas)
    blocks = torch.from_numpy(person.pose_rotvec).split(BLOCK_FRAMES)
    local_rotmat = torch.cat([rotvec_to_rotmat(some.double()) for some in blocks])
    motion = Motion(local_rotmat, torch.from_numpy(person.t_camera_m).double(), build)
    wrong = changed.copy()
    wrong[changed] = _has_sides_wrong(person, motion, changed, camera, chain)
    if wrong.any():
        assert person.landmarks_m is not None and person.keypoints_px is not None
        local_rotmat[wrong] = pose_from_landmarks(person.landmarks_m[wrong], chain.all_sites)
        posed = Motion(local_rotmat[wrong], torch.zeros_like(motion.t_m[wrong]), build)
        px = person.keypoints_px[wrong][:, INDICES]
        sites_m = chain.places(posed)[0].numpy()
        places_m = translation_from_points(sites_m, px[..., :2], px[..., 2], camera.K_px)
        motion.t_m[wrong] = torch.from_numpy(places_m)
    return Start(motion, torch.from_numpy(~wrong))


def _has_sides_wrong(
    person: Person, motion: Motion, frames: np.ndarray, camera: Camera, chain: Chain
) -> np.ndarray:
    """(n,) of the chosen frames: does the body fit the landmarks better with sides exchanged?"""
    if not frames.any():
        return np.zeros(0, dtype=bool)
    assert person.keypoints_px is not None
    px = person.keypoints_px[frames][..., :2]
    sites_px = project(chain.places(motion.cut(torch.from_numpy(frames)))[0].numpy(), camera.K_px)
    order, mirrored = (points[INDICES] for points in (np.arange(px.shape[1]), BLAZEPOSE33.mirror))
    away_px = [np.abs(sites_px - px[:, points]).sum((1, 2)) for points in (order, mirrored)]
    return np.asarray(away_px[0] > away_px[1])


def fit_person(
    person: Person,
    changed: np.ndarray,
    camera: Camera,
    chain: Chain,
    weights: Weights,
    iterations: int,
    parts: Parts,
) -> Outcome:
    """Fit the whole sequence, from forgiving to strict.

    A start that jumps from frame to frame must not make good marks look like mistakes, so errors
    and accelerations are first allowed to be many times as large.

    Args:
        person: Left and right in order.
        changed: (t,) bool, frames in which they were not.
        camera: Intrinsics.
        chain: The body.
        weights: Of the terms.
        iterations: Most steps of the last, strict solve.
        parts: Where windows that are done are kept through an interruption.
    """
    start = start_of(person, changed, camera, chain)
    observed = observe(person, camera, start.motion, start.trusted, chain, weights)
    fit = WindowFit(observed, chain, parts)
    # The first motion stays: the fit is held against it.
    motion = fit("loosest", start.motion, weights.loosened(10.0), FIRST_ITERATIONS, in_place=False)
    build = _fitted_build(motion, observed, chain, weights.loosened(3.0))
    motion = Motion(motion.local_rotmat, motion.t_m, build)
    motion = fit("loose", motion, weights.loosened(3.0), FIRST_ITERATIONS)
    contacts = None
    if weights.contact > 0:
        contacts = find_contacts(chain.sites_m(motion), observed)
    if contacts is not None and contacts.ground is Ground.HELD:
        # Where a foot rests is known better after the first of two strict solves.
        first = max(iterations - LAST_ITERATIONS, 1)
        motion = fit("strict", motion, weights, first, contacts)
        contacts = contacts.anchored(chain.sites_m(motion))
        iterations = min(iterations, LAST_ITERATIONS)
    motion = fit("last", motion, weights, iterations, contacts)
    error_px = _median_error(motion, observed, chain)
    return Outcome(motion, error_px, float(observed.spread_px.median()), contacts)


def _fitted_build(start: Motion, observed: Observed, chain: Chain, weights: Weights) -> Tensor:
    """Shape and marks from frames spread over the sequence, each on its own."""
    seen = torch.nonzero(observed.weight_2d.sum(1) > 0)[:, 0]
    picked = seen[torch.linspace(0, len(seen) - 1, min(BUILD_FRAMES, len(seen))).long()]
    terms = FrameTerms(chain, observed.cut(picked), weights)
    return fit_build(start.cut(picked), terms, BUILD_ITERATIONS).motion.build


def _median_error(motion: Motion, observed: Observed, chain: Chain) -> float:
    errors = [
        pixel_error_px(chain.places(motion.cut(frames))[0], observed.cut(frames))
        for frames in windows(len(motion.t_m))
    ]
    together = torch.cat(errors)
    return float(together.median()) if len(together) else 0.0


def fields_of(motion: Motion) -> Arrays:
    """The fields of a `Person` that a fit changes."""
    blocks = motion.local_rotmat.split(BLOCK_FRAMES)
    return {
        "pose_rotvec": torch.cat([rotmat_to_rotvec(some).float() for some in blocks]).numpy(),
        "betas": motion.betas.numpy().astype(np.float32),
        "t_camera_m": motion.t_m.numpy().astype(np.float32),
    }

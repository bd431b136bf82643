"""The fit of one person: start, build, then the frames, window by window."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.blocks import blocks
from pipeline.parts import Arrays, Parts
from pipeline.rotations import rotmat_to_rotvec
from pipeline.types import Camera
from stages.refinement.smplify.chain import BLOCK_FRAMES, Chain, Motion
from stages.refinement.smplify.contact import (
    Contacts,
    Ground,
    feet_marks,
    feet_places,
    find_contacts,
)
from stages.refinement.smplify.observed import Evidence
from stages.refinement.smplify.solver import fit_build
from stages.refinement.smplify.start import Marked, start_of
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


def fit_person(
    marked: Marked,
    hidden: np.ndarray | None,
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
        marked: The person.
        hidden: (t, 33) bool, landmarks behind somebody nearer; None: nobody is in the way.
        camera: Intrinsics.
        chain: The body.
        weights: Of the terms.
        iterations: Most steps of the last, strict solve.
        parts: Where windows that are done are kept through an interruption.
    """
    start = start_of(marked, camera, chain)
    evidence = Evidence.of(marked, hidden, start, camera, chain, weights)
    fit = WindowFit(evidence, chain, parts)
    motion = fit("loosest", start, weights.loosened(10.0), FIRST_ITERATIONS)
    build = _fitted_build(motion, evidence, chain, weights.loosened(3.0))
    motion = Motion(motion.local_rotmat, motion.t_m, build)
    motion = fit("loose", motion, weights.loosened(3.0), FIRST_ITERATIONS)
    contacts = None
    if weights.contact > 0:
        contacts = find_contacts(feet_places(chain, motion), feet_marks(evidence))
    if contacts is not None and contacts.ground is Ground.HELD:
        # Where a foot rests is known better after the first of two strict solves.
        first = max(iterations - LAST_ITERATIONS, 1)
        motion = fit("strict", motion, weights, first, contacts)
        contacts = contacts.anchored(feet_places(chain, motion))
        iterations = min(iterations, LAST_ITERATIONS)
    motion = fit("last", motion, weights, iterations, contacts)
    error_px = _median_error(motion, evidence, chain)
    return Outcome(motion, error_px, float(evidence.spread_px.median()), contacts)


def _fitted_build(start: Motion, evidence: Evidence, chain: Chain, weights: Weights) -> Tensor:
    """Shape and marks from frames spread over the sequence, each on its own."""
    every = blocks(len(start.t_m), BLOCK_FRAMES)
    seen = torch.cat([evidence.marks(frames).weight_2d.sum(1) > 0 for frames in every])
    seen = torch.nonzero(seen)[:, 0]
    picked = seen[torch.linspace(0, len(seen) - 1, min(BUILD_FRAMES, len(seen))).long()]
    terms = FrameTerms(chain, evidence.cut(picked), weights)
    return fit_build(start.cut(picked), terms, BUILD_ITERATIONS).motion.build


def _median_error(motion: Motion, evidence: Evidence, chain: Chain) -> float:
    errors = [
        pixel_error_px(chain.places(motion.cut(frames))[0], evidence.marks(frames))
        for frames in windows(len(motion.t_m))
    ]
    together = torch.cat(errors)
    return float(together.median()) if len(together) else 0.0


def fields_of(motion: Motion) -> Arrays:
    """The fields of a `Person` that a fit changes."""
    pose = np.empty((len(motion.t_m), 24, 3), np.float32)
    for frames in blocks(len(pose), BLOCK_FRAMES):
        pose[frames] = rotmat_to_rotvec(motion.local_rotmat[frames]).float()
    return {
        "pose_rotvec": pose,
        "betas": motion.betas.numpy().astype(np.float32),
        "t_camera_m": motion.t_m.numpy().astype(np.float32),
    }

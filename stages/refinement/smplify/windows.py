"""Long sequences are fitted window by window, so that memory does not grow with them.

A window that is done is a part (`pipeline.parts`): an interrupted fit goes on behind it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch

from pipeline.parts import Arrays, Parts
from pipeline.rotations import rotmat_slerp
from stages.refinement.smplify.chain import Chain, Motion
from stages.refinement.smplify.contact import Contacts
from stages.refinement.smplify.observed import Evidence
from stages.refinement.smplify.smoothness import Smoothness
from stages.refinement.smplify.solver import fit_motion
from stages.refinement.smplify.start import Start
from stages.refinement.smplify.terms import FrameTerms
from stages.refinement.smplify.weights import Weights

WINDOW_FRAMES, OVERLAP_FRAMES = 300, 40
FEWEST_FRAMES_TO_SMOOTH = 3


def windows(frames: int) -> list[slice]:
    """Windows of at most WINDOW_FRAMES that overlap their neighbours by OVERLAP_FRAMES."""
    step = WINDOW_FRAMES - OVERLAP_FRAMES
    starts = range(0, max(frames - OVERLAP_FRAMES, 1), step)
    return [slice(start, min(start + WINDOW_FRAMES, frames)) for start in starts]


@dataclass(frozen=True)
class WindowFit:
    """Fits pose and place of one person, phase by phase."""

    evidence: Evidence
    chain: Chain
    parts: Parts

    def __call__(
        self,
        phase: str,
        start: Start | Motion,
        weights: Weights,
        iterations: int,
        contacts: Contacts | None = None,
    ) -> Motion:
        """All frames from where they are.

        Args:
            phase: a name of its own for the person's parts.
            start: where to begin; its build stays. A motion is used up: of a long film every
                motion is large, so the new one is written over it.
            weights: of the terms.
            iterations: most steps of a window.
            contacts: where feet stand still, if that counts.
        """

        def fitted(frames: slice) -> Arrays:
            terms = FrameTerms(
                self.chain, self.evidence.cut(frames), weights, contacts and contacts.cut(frames)
            )
            smoothness = self._smoothness(frames, weights)
            return arrays_of(fit_motion(start.cut(frames), terms, smoothness, iterations).motion)

        cuts = enumerate(windows(len(start.t_m)))
        found = (self.parts.get(f"{phase} {n}", partial(fitted, frames)) for n, frames in cuts)
        out = start if isinstance(start, Motion) else _empty(start)
        return joined(map(motion_of, found), out)

    def _smoothness(self, frames: slice, weights: Weights) -> Smoothness | None:
        time_s = self.evidence.time_s[frames]
        if len(time_s) < FEWEST_FRAMES_TO_SMOOTH:
            return None
        return Smoothness(self.chain, time_s, weights)


def joined(motions: Iterable[Motion], out: Motion) -> Motion:
    """Windows laid together; over an overlap one fades into the next.

    Args:
        motions: of the windows, in order. Frames of `out` are written only when those windows are
            there that reach them, so windows yet to come may be made from it.
        out: all frames; what is written over. The build is that of the windows.
    """
    share = (torch.arange(OVERLAP_FRAMES, dtype=torch.float64) + 0.5) / OVERLAP_FRAMES
    windows_left = iter(motions)
    before, start, mixed = next(windows_left), 0, 0
    for after in windows_left:
        end = start + len(before.t_m) - OVERLAP_FRAMES
        out.local_rotmat[start + mixed : end] = before.local_rotmat[mixed:-OVERLAP_FRAMES]
        out.t_m[start + mixed : end] = before.t_m[mixed:-OVERLAP_FRAMES]
        first, last = before.cut(slice(-OVERLAP_FRAMES, None)), after.cut(slice(OVERLAP_FRAMES))
        both = slice(end, end + OVERLAP_FRAMES)
        out.local_rotmat[both] = rotmat_slerp(first.local_rotmat, last.local_rotmat, share[:, None])
        out.t_m[both] = first.t_m + share[:, None] * (last.t_m - first.t_m)
        before, start, mixed = after, end, OVERLAP_FRAMES
    assert start + len(before.t_m) == len(out.t_m), "the windows do not cover the frames"
    out.local_rotmat[start + mixed :] = before.local_rotmat[mixed:]
    out.t_m[start + mixed :] = before.t_m[mixed:]
    return Motion(out.local_rotmat, out.t_m, before.build)


def _empty(start: Start) -> Motion:
    """As many frames, to be written."""
    local_rotmat = torch.empty(len(start.t_m), 24, 3, 3, dtype=torch.float64)
    return Motion(local_rotmat, torch.empty_like(start.t_m), start.build)


def arrays_of(motion: Motion) -> Arrays:
    """To be kept."""
    return {name: getattr(motion, name).numpy() for name in ("local_rotmat", "t_m", "build")}


def motion_of(arrays: Arrays) -> Motion:
    """As it was when it was kept."""
    return Motion(**{name: torch.from_numpy(array) for name, array in arrays.items()})

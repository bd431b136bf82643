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
from stages.refinement.smplify.observed import Observed
from stages.refinement.smplify.smoothness import Smoothness
from stages.refinement.smplify.solver import fit_motion
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

    observed: Observed
    chain: Chain
    parts: Parts

    def __call__(
        self,
        phase: str,
        start: Motion,
        weights: Weights,
        iterations: int,
        contacts: Contacts | None = None,
    ) -> Motion:
        """All frames from where they are.

        Args:
            phase: a name of its own for the person's parts.
            start: where to begin; its build stays.
            weights: of the terms.
            iterations: most steps of a window.
            contacts: where feet stand still, if that counts.
        """

        def fitted(frames: slice) -> Arrays:
            terms = FrameTerms(
                self.chain, self.observed.cut(frames), weights, contacts and contacts.cut(frames)
            )
            smoothness = self._smoothness(frames, weights)
            return arrays_of(fit_motion(start.cut(frames), terms, smoothness, iterations).motion)

        cuts = enumerate(windows(len(start.t_m)))
        found = (self.parts.get(f"{phase} {n}", partial(fitted, frames)) for n, frames in cuts)
        return joined(map(motion_of, found), len(start.t_m))

    def _smoothness(self, frames: slice, weights: Weights) -> Smoothness | None:
        time_s = self.observed.time_s[frames]
        if len(time_s) < FEWEST_FRAMES_TO_SMOOTH:
            return None
        return Smoothness(self.chain, time_s, weights)


def joined(motions: Iterable[Motion], frames: int) -> Motion:
    """Windows laid together one by one; over an overlap one fades into the next.

    Args:
        motions: of the windows, in order.
        frames: of all together.
    """
    rotmat = torch.empty(frames, 24, 3, 3, dtype=torch.float64)
    t_m = torch.empty(frames, 3, dtype=torch.float64)
    share = (torch.arange(OVERLAP_FRAMES, dtype=torch.float64) + 0.5) / OVERLAP_FRAMES
    end, before = OVERLAP_FRAMES, None
    for after in motions:
        start = end - OVERLAP_FRAMES
        here, end = slice(start, end), start + len(after.t_m)
        rotmat[start:end], t_m[start:end] = after.local_rotmat, after.t_m
        if before is not None:
            first, last = before.cut(slice(-OVERLAP_FRAMES, None)), after.cut(slice(OVERLAP_FRAMES))
            rotmat[here] = rotmat_slerp(first.local_rotmat, last.local_rotmat, share[:, None])
            t_m[here] = first.t_m + share[:, None] * (last.t_m - first.t_m)
        before = after
    assert before is not None and end == frames, "the windows do not cover the frames"
    return Motion(rotmat, t_m, before.build)


def arrays_of(motion: Motion) -> Arrays:
    """To be kept."""
    return {name: getattr(motion, name).numpy() for name in ("local_rotmat", "t_m", "build")}


def motion_of(arrays: Arrays) -> Motion:
    """As it was when it was kept."""
    return Motion(**{name: torch.from_numpy(array) for name, array in arrays.items()})

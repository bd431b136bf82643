"""Long sequences are fitted window by window, so that memory does not grow with them.

A window that is done is a part (`pipeline.parts`): an interrupted fit goes on behind it.
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

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
        return joined([motion_of(arrays) for arrays in found])

    def _smoothness(self, frames: slice, weights: Weights) -> Smoothness | None:
        time_s = self.observed.time_s[frames]
        if len(time_s) < FEWEST_FRAMES_TO_SMOOTH:
            return None
        return Smoothness(self.chain, time_s, weights)


def joined(motions: list[Motion]) -> Motion:
    """Windows laid together; over an overlap one fades into the next."""
    share = (torch.arange(OVERLAP_FRAMES, dtype=torch.float64) + 0.5) / OVERLAP_FRAMES
    rotmats, places = [motions[0].local_rotmat], [motions[0].t_m]
    for before, after in pairwise(motions):
        end, begin = before.cut(slice(-OVERLAP_FRAMES, None)), after.cut(slice(OVERLAP_FRAMES))
        mixed = rotmat_slerp(end.local_rotmat, begin.local_rotmat, share[:, None])
        place = end.t_m + share[:, None] * (begin.t_m - end.t_m)
        rest = slice(OVERLAP_FRAMES, None)
        rotmats[-1:] = [rotmats[-1][:-OVERLAP_FRAMES], mixed, after.local_rotmat[rest]]
        places[-1:] = [places[-1][:-OVERLAP_FRAMES], place, after.t_m[rest]]
    return Motion(torch.cat(rotmats), torch.cat(places), motions[0].build)


def arrays_of(motion: Motion) -> Arrays:
    """To be kept."""
    return {name: getattr(motion, name).numpy() for name in ("local_rotmat", "t_m", "build")}


def motion_of(arrays: Arrays) -> Motion:
    """As it was when it was kept."""
    return Motion(**{name: torch.from_numpy(array) for name, array in arrays.items()})

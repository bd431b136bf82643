"""A second look at everybody, a few times a second, with a larger landmark network.

The small network follows people, because it can look at every frame. The large one is more exact
and five times as slow; it is asked beside the following, on cores that would else wait, and what it
says differently corrects the frames in between (`correction`). Nobody is found or lost by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.frame import Frame
from stages.detection.blazepose.chains import Chain
from stages.detection.blazepose.correction import corrected, correction
from stages.detection.blazepose.crops import crop
from stages.detection.blazepose.hidden import near_to
from stages.detection.blazepose.landmarks import SIDE_PX, LandmarkNetwork, Pose

AHEAD_S = 0.1
"""The last look of a batch is begun so long before its end, so that nobody waits for it; what it
says holds to the end."""


@dataclass(frozen=True)
class _Asked:
    time_s: float
    first: Pose
    second: Callable[[], Pose | None]
    """Waits for what the large network says; None: it was not asked."""


class SecondLook:
    """Asks the large network in some frames of a batch, and corrects all of them at its end."""

    def __init__(self, load: Callable[[], LandmarkNetwork], every_s: float):
        self._load = load
        self._every_s = every_s
        self._asked: dict[Chain, list[_Asked]] = {}

    @cached_property
    def _network(self) -> LandmarkNetwork:
        """Made when somebody is there to be looked at."""
        return self._load()

    def positions(self, frames: Sequence[Frame]) -> set[int]:
        """Where in a batch to ask: evenly, the last time a little before its end."""
        count = len(frames)
        if count == 0:
            return set()
        step_s = (frames[-1].time_s - frames[0].time_s) / max(1, count - 1)
        times = min(max(1, round(count * step_s / self._every_s)), count)
        ahead = int(AHEAD_S / step_s) if step_s > 0 else 0
        return {max(0, round((n + 1) * count / times) - 1 - ahead) for n in range(times)}

    def ask(self, frame: Frame, position: int, chains: Sequence[Chain]) -> None:
        """Start looking at everybody seen in a frame who is alone there.

        Of two close together the large network, too, mixes up one with the other, and the small
        one's way of telling them apart (`company`) would be lost.
        """
        poses = [chain.poses[position] for chain in chains]
        for chain, pose in zip(chains, poses, strict=True):
            told: Callable[[], Pose | None] = _nothing
            if not near_to(pose, poses):
                told = self._network.submit(crop(frame.rgb, pose.region, SIDE_PX), pose.region)
            self._asked.setdefault(chain, []).append(_Asked(frame.time_s, pose, told))

    def correct(self, chains: Sequence[Chain], frames: Sequence[Frame]) -> None:
        """Wait for all answers and correct the batch's poses; a chain keeps its last correction."""
        time_s = np.array([frame.time_s for frame in frames])
        for chain in chains:
            told = [correction(a.first, a.second(), a.time_s) for a in self._asked.get(chain, ())]
            known = [*([chain.correction] if chain.correction else []), *told]
            if known:
                chain.poses = corrected(chain.poses, time_s, known)
                chain.correction = replace(known[-1], time_s=frames[-1].time_s)
        self._asked.clear()


def _nothing() -> None:
    return None

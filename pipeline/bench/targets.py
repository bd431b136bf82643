"""Figures to reach, beside what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.bench.clips import OWN_LANDMARKS, ClipScore
from pipeline.bench.scenes import ScenesResult, pooled

SCENE_PA_MM, SCENE_MPJPE_MM, SCENE_SLIDE_MM, SCENE_JITTER = 45.0, 75.0, 10.0, 1.5
REAL_PA_MM, REAL_MPJPE_MM, REAL_ACCELERATION = 65.0, 95.0, 1.0 / 3.0


@dataclass(frozen=True)
class Target:
    """One figure of one configuration; reached if it is at most the limit."""

    what: str
    configuration: str
    value: float
    at_most: float
    unit: str

    @property
    def reached(self) -> bool:
        """Also False where nothing was measured."""
        return bool(np.isfinite(self.value) and self.value <= self.at_most)


def scene_targets(result: ScenesResult, configurations: Iterable[str]) -> list[Target]:
    """One visible person, all scenes together."""
    targets = []
    for name in configurations:
        people = [person for s in result.of(name, "single") for person in s.score.people]
        if not people:
            continue
        every = pooled(people)
        jitter = every.jitter_m_s3 / every.true_jitter_m_s3
        targets += [
            Target("scenes PA-MPJPE", name, every.pa_mpjpe_mm, SCENE_PA_MM, "mm"),
            Target("scenes MPJPE", name, every.mpjpe_mm, SCENE_MPJPE_MM, "mm"),
            Target(
                "scenes foot slide", name, every.foot_slide_mm_per_frame, SCENE_SLIDE_MM, "mm/frame"
            ),
            Target("scenes jitter over truth's", name, jitter, SCENE_JITTER, "x"),
        ]
    return targets


def real_targets(scores: Iterable[ClipScore]) -> list[Target]:
    """Each clip against BlazePose's own landmarks of the same run."""
    every = list(scores)
    own = {s.clip: s.score for s in every if s.configuration == OWN_LANDMARKS}
    targets = []
    for s in every:
        if s.configuration == OWN_LANDMARKS:
            continue
        share = s.score.acceleration_error_m_s2 / own[s.clip].acceleration_error_m_s2
        targets += [
            Target(f"{s.clip} PA-MPJPE", s.configuration, s.score.pa_mpjpe_mm, REAL_PA_MM, "mm"),
            Target(f"{s.clip} MPJPE", s.configuration, s.score.mpjpe_mm, REAL_MPJPE_MM, "mm"),
            Target(
                f"{s.clip} acceleration over BlazePose's",
                s.configuration,
                share,
                REAL_ACCELERATION,
                "x",
            ),
        ]
    return targets

"""Every configuration on every made-up scene, person by person and together."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from pipeline.bench.configurations import Configuration
from pipeline.bench.identities import (
    Identities,
    TrackedSequence,
    body_boxes_px,
    have_trackeval,
    identities,
    tracked_sequence,
)
from pipeline.bench.running import BenchRun, Runner
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.scenes.film_cache import cached_film
from pipeline.scenes.scene import Truth
from pipeline.scenes.scene_list import SceneList
from pipeline.scenes.scoring import PersonScore, Score, score

COUNTS = ("frames_present", "frames_scored", "id_switches", "contacts")


@dataclass(frozen=True)
class SceneScore:
    """One configuration on one scene."""

    scene: str
    group: str
    configuration: str
    score: Score
    frames: int
    seconds: float


@dataclass(frozen=True)
class ScenesResult:
    """All scenes."""

    scores: tuple[SceneScore, ...]
    identities: dict[str, dict[str, Identities]]
    """By configuration, then by scene or `all`; empty without TrackEval."""

    def of(self, configuration: str, group: str) -> list[SceneScore]:
        """Scores of one configuration in one group of scenes."""
        return [s for s in self.scores if s.configuration == configuration and s.group == group]


def run_scenes(
    scenes: SceneList,
    chosen: Sequence[Configuration],
    runner: Runner,
    cache: Path,
) -> ScenesResult:
    """Film what is not in the cache, run, score."""
    body, context = load_body(), Context(progress=runner.progress)
    scores: list[SceneScore] = []
    sequences: dict[str, dict[str, TrackedSequence]] = {c.name: {} for c in chosen}
    for spec in scenes.specs:
        made = cached_film(spec, body, scenes.motions_folder, cache, context)
        extra = [f"camera.focal_px={float(made.truth.K_px[0, 0])}"]
        for run in runner.each(made.clip, spec.name, chosen, extra):
            result = score(made.truth, run.people, body, run.body)
            scores.append(
                SceneScore(
                    spec.name,
                    spec.group,
                    run.configuration,
                    result,
                    len(made.truth.time_s),
                    run.seconds,
                )
            )
            if spec.group == "several":
                sequences[run.configuration][spec.name] = _sequence(made.truth, run)
    known = have_trackeval() and any(sequences.values())
    tracked = {name: identities(per) for name, per in sequences.items()} if known else {}
    return ScenesResult(tuple(scores), tracked)


def _sequence(truth: Truth, run: BenchRun) -> TrackedSequence:
    found = body_boxes_px(run.people, run.body, len(truth.time_s), truth.K_px)
    return tracked_sequence(truth.boxes_xyxy_px.astype(np.float64), truth.present, found)


def pooled(people: Sequence[PersonScore]) -> PersonScore:
    """Several people as one: every frame counts alike, every contact for the foot slide."""
    values: dict[str, float] = {}
    for field in fields(PersonScore):
        own = np.array([getattr(person, field.name) for person in people], dtype=np.float64)
        if field.name in COUNTS:
            values[field.name] = int(own.sum())
            continue
        weight_of = "frames_scored"
        if "foot_slide" in field.name:
            weight_of = "contacts"
        elif field.name == "coverage":
            weight_of = "frames_present"
        weight = np.array([getattr(person, weight_of) for person in people], dtype=np.float64)
        known = np.isfinite(own) & (weight > 0)
        total = weight[known].sum()
        values[field.name] = float((own * weight)[known].sum() / total) if total else float("nan")
    return PersonScore(**values)  # type: ignore[arg-type]

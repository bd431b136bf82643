"""Who keeps whose id: every tracker on made films, on given boxes, on real video end to end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from rich.table import Table

from pipeline.bench.bonn import CLIP, read_bonn
from pipeline.bench.cells import number, table
from pipeline.bench.configurations import Configuration
from pipeline.bench.identities import Identities, TrackedSequence, identities, tracked_sequence
from pipeline.bench.running import Runner
from pipeline.bench.tracking_given import GivenSequence, film_boxes, pets09, tud_campus
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.mot_text import filled_boxes
from pipeline.scenes.film_cache import CachedFilm, cached_film
from pipeline.scenes.scene_list import SceneList
from pipeline.scenes.specs import SceneSpec
from pipeline.tracking_alone import track_alone
from pipeline.types import Person

TRACKERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "phalp": ("phalp", {}),
    "phalp, online": ("phalp", {"offline": False}),
    "sort": ("sort", {}),
    "bytetrack": ("bytetrack", {}),
}
"""What is compared: name, backend, options."""
TRACKS_ONLY = ("refinement.backend=none", "smoothing.backend=none")
FILL_GAPS_S = 1.0
"""Boxes of all trackers go straight on through absences up to this, in given sequences."""
DELIVERED_GAPS_S = 0.5
"""The same from pixels, as smoothing fills them in what a run delivers: counted beside."""
ALL = "all"


@dataclass(frozen=True)
class TrackingScore:
    """One tracker on one sequence, or on all of a part."""

    part: str
    sequence: str
    tracker: str
    identities: Identities


def tracking_scores(
    scenes: SceneList | None, data: Path, cache: Path, overrides: tuple[str, ...], runner: Runner
) -> list[TrackingScore]:
    """Every part whose data is there.

    Args:
        scenes: films to make; those with several people are used.
        data: folder of the public sequences.
        cache: where films are kept.
        overrides: settings for what runs end to end.
        runner: runs it.
    """
    scores: list[TrackingScore] = []
    given: list[TrackingScore] = []
    for kind, specs in _kinds(scenes):
        films = dict(_films(specs, scenes, cache, runner))
        scores += _from_pixels(kind, films, overrides, runner)
        boxes = [film_boxes(film, name, Context()) for name, film in films.items()]
        given += _given(f"true boxes of the {kind}, made worse", boxes)
    scores += _real(data, overrides, runner) + given
    public = []
    if (data / "tud_campus").is_dir():
        public.append(tud_campus(data / "tud_campus"))
    if (data / "pets09_s2l1").is_dir():
        public.append(pets09(data / "pets09_s2l1", Context()))
    return scores + _given("given boxes", public)


def _kinds(scenes: SceneList | None) -> list[tuple[str, tuple[SceneSpec, ...]]]:
    """Films that are looked at while trackers are made, and those that are not."""
    if scenes is None:
        return []
    kinds = [("films", scenes.specs), ("held-out films", scenes.held_out)]
    several = [(kind, tuple(s for s in specs if len(s.roles) > 1)) for kind, specs in kinds]
    return [(kind, specs) for kind, specs in several if specs]


def _films(
    specs: tuple[SceneSpec, ...], scenes: SceneList | None, cache: Path, runner: Runner
) -> Iterator[tuple[str, CachedFilm]]:
    body, context = load_body(), Context(progress=runner.progress)
    folder = None if scenes is None else scenes.motions_folder
    for spec in specs:
        yield spec.name, cached_film(spec, body, folder, cache, context)


def _configurations(overrides: tuple[str, ...]) -> list[Configuration]:
    return [
        Configuration(name, None, (*TRACKS_ONLY, *_settings(name), *overrides)) for name in TRACKERS
    ]


def _from_pixels(
    kind: str, films: Mapping[str, CachedFilm], overrides: tuple[str, ...], runner: Runner
) -> list[TrackingScore]:
    """The same detections and bodies for every tracker."""
    parts = {f"{kind}, from pixels": 0.0}
    parts[f"{kind}, from pixels, absences up to {DELIVERED_GAPS_S:g} s filled"] = DELIVERED_GAPS_S
    tracked: dict[str, dict[str, dict[str, TrackedSequence]]] = {
        part: {name: {} for name in TRACKERS} for part in parts
    }
    for name, film in films.items():
        focal = [f"camera.focal_px={float(film.truth.K_px[0, 0])}"]
        true = film.truth.boxes_xyxy_px.astype(np.float64)
        for run in runner.each(film.clip, name, _configurations(overrides), focal):
            for part, gap_s in parts.items():
                found = _boxes(run.tracked, true.shape[1], gap_s)
                own = tracked_sequence(true, film.truth.present, found)
                tracked[part][run.configuration][name] = own
    return [score for part in parts for score in _scores(part, tracked[part])]


def _real(data: Path, overrides: tuple[str, ...], runner: Runner) -> list[TrackingScore]:
    folder = data / "bonn_posetrack"
    if not folder.is_dir():
        return []
    truth = read_bonn(folder)
    tracked: dict[str, dict[str, TrackedSequence]] = {name: {} for name in TRACKERS}
    there = np.isfinite(truth.boxes_xyxy_px).all(axis=-1)
    for run in runner.each(folder / CLIP, "bonn_posetrack", _configurations(overrides)):
        found = _boxes(run.tracked, there.shape[1], 0.0)
        tracked[run.configuration]["bonn_posetrack"] = tracked_sequence(
            truth.boxes_xyxy_px, truth.visible, found, there=there
        )
    return _scores("real video, from pixels", tracked)


def _settings(name: str) -> list[str]:
    backend, options = TRACKERS[name]
    chosen = [f"tracking.{backend}.{key}={str(value).lower()}" for key, value in options.items()]
    return [f"tracking.backend={backend}", *chosen]


def _given(part: str, sequences: list[GivenSequence]) -> list[TrackingScore]:
    tracked: dict[str, dict[str, TrackedSequence]] = {name: {} for name in TRACKERS}
    for sequence in sequences:
        for name, (backend, options) in TRACKERS.items():
            people = track_alone(sequence.given, backend, options, Context())
            found = _boxes(people, sequence.present.shape[1], FILL_GAPS_S)
            there = np.isfinite(sequence.true_boxes_xyxy_px).all(axis=-1)
            tracked[name][sequence.name] = tracked_sequence(
                sequence.true_boxes_xyxy_px, sequence.present, found, there=there
            )
    return _scores(part, tracked)


def _boxes(
    people: tuple[Person, ...], frames: int, fill_gap_s: float
) -> Float64[np.ndarray, "f t 4"]:
    """The people's boxes; NaN where they are not."""
    boxes = np.full((len(people), frames, 4), np.nan)
    for row, person in enumerate(people):
        boxes[row, person.frame_index] = filled_boxes(person, fill_gap_s)
    return boxes


def _scores(part: str, tracked: Mapping[str, Mapping[str, TrackedSequence]]) -> list[TrackingScore]:
    return [
        TrackingScore(part, sequence, tracker, found)
        for tracker, sequences in tracked.items()
        if sequences
        for sequence, found in identities(sequences).items()
    ]


def tracking_tables(scores: list[TrackingScore]) -> Iterator[Table]:
    """One table per part, the trackers of a sequence under each other."""
    headings = ("", "", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches", "fragments")
    for part in dict.fromkeys(score.part for score in scores):
        own = [score for score in scores if score.part == part]
        made = table(f"Identities: {part}", headings, left=2)
        sequences = list(dict.fromkeys(score.sequence for score in own))
        if len(sequences) == 2:  # noqa: PLR2004  (one, and all of it again)
            sequences.remove(ALL)
        for sequence in sequences:
            for score in (s for s in own if s.sequence == sequence):
                made.add_row(
                    sequence if score.tracker == next(iter(TRACKERS)) else "",
                    score.tracker,
                    *_cells(score.identities),
                )
        yield made


def _cells(found: Identities) -> list[str]:
    shares = (found.hota, found.det_a, found.ass_a, found.mota, found.idf1)
    return [*(number(share, 3) for share in shares), str(found.id_switches), str(found.fragments)]

"""Whole scenes through the tracker: ids, states, costs, predictions, what is emitted."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from benchmarks.golden_systems._phalp_networks import rule_encoder, rule_predictor
from benchmarks.golden_systems._phalp_vectors import enlarged
from stages.tracking.phalp.assignment import gated
from stages.tracking.phalp.cost import EQ_019
from stages.tracking.phalp.encoder import AppearanceEncoder, texture_distances
from stages.tracking.phalp.published import Life, PublishedTracker, Sighting
from stages.tracking.phalp.textures import updated

READ = "per_track"
"""The reference whose predicted poses are read at each track's own time, as here."""


class Textures:
    """Appearance by masked textures (`predict: TPL`)."""

    def __init__(self, encoder: AppearanceEncoder) -> None:
        self.encoder = encoder

    def updated(self, known: np.ndarray, seen_now: np.ndarray, confidence: float) -> np.ndarray:
        """The running average."""
        return updated(known, seen_now, confidence)

    def distances(
        self, tracks: Sequence[np.ndarray], detections: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Every pair through the encoder."""
        first, second = (
            torch.from_numpy(np.stack(textures)).float() for textures in (tracks, detections)
        )
        return texture_distances(self.encoder, first, second)


def check_scene(golden: GoldenFile, predictor_file: GoldenFile) -> Iterator[Comparison]:
    """Feed the scene's detections, and compare frame by frame."""
    n_init, max_age, history, gate = golden["config_ninit_maxage_history_th"].tolist()
    life = Life(n_init, max_age, history, float(gate))
    predictor = rule_predictor(128, predictor_file)
    tracker = PublishedTracker(life, Textures(rule_encoder()), predictor.predict, EQ_019, EQ_019)
    differing = {name: 0 for name in ("det_track_id", "track_id", "track_state", "track_hits")}
    differing |= {"track_tsu": 0, "track_age": 0}
    worst = {"cost": 0.0, "pred_loca_tail": 0.0, "pred_pose": 0.0}
    for frame, is_cut in enumerate(golden["shot"].astype(bool).tolist()):
        ids = tracker.step(frame, sightings_of(golden, frame), is_cut=is_cut)
        found = {
            "det_track_id": ids,
            "track_id": [track.id for track in tracker.tracks],
            "track_state": [1 + track.confirmed for track in tracker.tracks],
            "track_hits": [track.hits for track in tracker.tracks],
            "track_tsu": [track.frames_since_seen for track in tracker.tracks],
            "track_age": [track.age for track in tracker.tracks],
        }
        for name, values in found.items():
            expected = golden[f"{READ}_{name}"][frame]
            differing[name] += values != expected[: len(values)].tolist()
            differing[name] += bool((expected[len(values) :] != -1).any())
        _keep_worst(worst, golden, frame, tracker, life)
    for name, count in differing.items():
        yield compare(f"{golden.path.stem}: {READ}_{name}", count, np.array(0), 0.0)
    tolerances = {"cost": 2e-2, "pred_loca_tail": 1e-4, "pred_pose": 1e-3}
    for name, tolerance in tolerances.items():
        title = f"{golden.path.stem}: {READ}_{name}"
        yield compare(title, worst[name], np.array(0.0), tolerance)
    yield from _check_emitted(golden, tracker)


def sightings_of(golden: GoldenFile, frame: int) -> list[Sighting]:
    """The detections of a frame."""
    return [
        Sighting(
            golden["det_pose"][frame, slot].astype(np.float64),
            golden["det_loca"][frame, slot].astype(np.float64),
            enlarged(golden["det_uv"][frame, slot]),
            float(golden["det_conf"][frame, slot]),
            bool(golden["det_has_annotation"][frame, slot]),
        )
        for slot in range(int(golden["det_count"][frame]))
    ]


def _keep_worst(
    worst: dict[str, float],
    golden: GoldenFile,
    frame: int,
    tracker: PublishedTracker,
    life: Life,
) -> None:
    cost = gated(tracker.cost, life.hungarian_th)
    expected = golden[f"{READ}_cost"][frame, : cost.shape[0], : cost.shape[1]]
    worst["cost"] = max(worst["cost"], np.abs(cost / expected - 1).max(initial=0.0))
    if not tracker.tracks:
        return
    count = len(tracker.tracks)
    tail = np.stack([track.place[88:] for track in tracker.tracks])
    expected = golden[f"{READ}_pred_loca_tail"][frame, :count]
    gap = np.abs(tail - expected) / np.maximum(np.abs(expected), 1e-3)
    worst["pred_loca_tail"] = max(worst["pred_loca_tail"], gap.max())
    pose = np.stack([track.pose for track in tracker.tracks])
    gap = np.abs(pose - golden[f"{READ}_pred_pose"][frame, :count])
    worst["pred_pose"] = max(worst["pred_pose"], gap.max())


def _check_emitted(golden: GoldenFile, tracker: PublishedTracker) -> Iterator[Comparison]:
    """Order of emission and all; of what the reference tells twice, the first."""
    differing = 0
    for frame, found in tracker.emitted.items():
        ids = golden[f"{READ}_res_tid"][frame]
        since = golden[f"{READ}_res_tracked_time"][frame]
        told = [(int(a), int(b)) for a, b in zip(ids, since, strict=True) if a != -1]
        differing += list(dict.fromkeys(told)) != found
    title = f"{golden.path.stem}: {READ}_res_tid, res_tracked_time"
    yield compare(title, differing, np.array(0), 0.0)

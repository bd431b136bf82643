"""`bonn_posetrack`: four people who hide each other; detection, keypoints and identities."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from pipeline import metrics
from pipeline.bench.configurations import Configuration
from pipeline.bench.detections import DetectionCount, counted, matched_boxes, summed
from pipeline.bench.identities import (
    Identities,
    have_trackeval,
    identities,
    tracked_sequence,
)
from pipeline.bench.running import BenchRun, Runner
from pipeline.skeletons import BLAZEPOSE33, COCO17, Skeleton

CLIP, TRUTH = "060470979.mp4", "gt_060470979.json"
MIN_VISIBLE = 4
"""A person counts as visible with this many visible keypoints."""
GROWN = 0.1
"""The box of a person's keypoints is grown by this share on each side."""
HEAD_OF_BOX = 0.6
"""Size of a head over the diagonal of its box (MPII)."""
PCKH = 0.5
LIMBS = {
    f"{letter}{part}": f"{side}_{part.lower()}"
    for letter, side in (("L", "left"), ("R", "right"))
    for part in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
}
SKELETONS: dict[str, Skeleton] = {s.name: s for s in (BLAZEPOSE33, COCO17)}


@dataclass(frozen=True)
class BonnTruth:
    """People p over frames t; NaN where one is not annotated."""

    boxes_xyxy_px: Float64[np.ndarray, "p t 4"]
    limbs_px: Float64[np.ndarray, "p t 12 2"]
    limbs_seen: Bool[np.ndarray, "p t 12"]
    visible: Bool[np.ndarray, "p t"]
    head_px: Float64[np.ndarray, "p t"]


@dataclass(frozen=True)
class BonnScore:
    """One configuration."""

    configuration: str
    detection: DetectionCount
    pckh: float
    """Share of the visible limb keypoints of found people within half a head's size."""
    identities: Identities | None
    """None without TrackEval."""
    people: int
    frames: int
    seconds: float


def read_bonn(folder: Path) -> BonnTruth:
    """The annotation; its pixels are counted from 1, ours have their first centre at 0.5."""
    content = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
    frames = content["frames"]
    names = content["joint_names"]
    ids = sorted({person["track_id"] for frame in frames for person in frame["people"]})
    shape = len(ids), len(frames)
    boxes, head = np.full((*shape, 4), np.nan), np.full(shape, np.nan)
    limbs = np.full((*shape, len(LIMBS), 3), np.nan)
    visible = np.zeros(shape, dtype=bool)
    columns = [names.index(name) for name in LIMBS]
    for t, frame in enumerate(frames):
        for person in frame["people"]:
            p, points = ids.index(person["track_id"]), _points(person)
            boxes[p, t] = grown_box(points[np.isfinite(points).all(axis=1), :2])
            limbs[p, t] = points[columns]
            visible[p, t] = np.nansum(points[:, 2] > 0) >= MIN_VISIBLE
            left, top, right, bottom = person["head_rect"]
            head[p, t] = HEAD_OF_BOX * np.hypot(right - left, bottom - top)
    return BonnTruth(boxes, limbs[..., :2], limbs[..., 2] > 0, visible, head)


def score_bonn(folder: Path, chosen: Sequence[Configuration], runner: Runner) -> list[BonnScore]:
    """Every configuration on the clip."""
    truth = read_bonn(folder)
    return [_score(truth, run) for run in runner.each(folder / CLIP, "bonn_posetrack", chosen)]


def grown_box(points_px: np.ndarray) -> np.ndarray:
    """Box of the keypoints, 20 % wider and higher."""
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    margin = GROWN * (high - low)
    return np.concatenate([low - margin, high + margin])


def _points(person: dict[str, Any]) -> np.ndarray:
    rows = [[np.nan] * 3 if row[0] is None else row for row in person["keypoints"]]
    return np.array(rows, dtype=np.float64) - (0.5, 0.5, 0.0)


def _score(truth: BonnTruth, run: BenchRun) -> BonnScore:
    frames = truth.visible.shape[1]
    found = np.full((len(run.people), frames, 4), np.nan)
    limbs = np.full((len(run.people), frames, len(LIMBS), 2), np.nan)
    for row, person in enumerate(run.people):
        found[row, person.frame_index] = person.boxes_xyxy_px
        if person.keypoints_px is not None and person.skeleton in SKELETONS:
            wanted = SKELETONS[person.skeleton].indices(*LIMBS.values())
            limbs[row, person.frame_index] = person.keypoints_px[:, wanted, :2]
    tracked = None
    if have_trackeval():
        there = np.isfinite(truth.boxes_xyxy_px).all(axis=-1)
        sequence = tracked_sequence(truth.boxes_xyxy_px, truth.visible, found, there=there)
        tracked = identities({"bonn": sequence})["bonn"]
    return BonnScore(
        configuration=run.configuration,
        detection=summed(_detected(truth, run, frame) for frame in range(frames)),
        pckh=_pckh(truth, found, limbs),
        identities=tracked,
        people=len(run.people),
        frames=frames,
        seconds=run.seconds,
    )


def _detected(truth: BonnTruth, run: BenchRun, frame: int) -> DetectionCount:
    true = np.flatnonzero(np.isfinite(truth.boxes_xyxy_px[:, frame]).all(axis=-1))
    boxes = run.detections.boxes_xyxy_px[run.detections.frame_index == frame]
    return counted(truth.boxes_xyxy_px[true, frame], truth.visible[true, frame], boxes)


def _pckh(truth: BonnTruth, found_xyxy: np.ndarray, limbs_px: np.ndarray) -> float:
    """Over all frames, for true people on whom somebody was found."""
    pairs: list[tuple[int, int, int]] = []
    for frame in range(truth.visible.shape[1]):
        true = np.flatnonzero(truth.visible[:, frame])
        found = np.flatnonzero(np.isfinite(found_xyxy[:, frame]).all(axis=-1))
        match = matched_boxes(truth.boxes_xyxy_px[true, frame], found_xyxy[found, frame])
        pairs += [
            (int(true[a]), int(found[b]), frame)
            for a, b in zip(match.true, match.found, strict=True)
        ]
    if not pairs:
        return float("nan")
    p, f, t = np.array(pairs).T
    return metrics.correct_keypoints_share(
        limbs_px[f, t],
        truth.limbs_px[p, t],
        PCKH * truth.head_px[p, t],
        valid=truth.limbs_seen[p, t],
    )

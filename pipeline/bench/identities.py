"""Who keeps which id: HOTA, CLEAR MOT and IDF1 by the public TrackEval package, on arrays."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from scipy.optimize import linear_sum_assignment

from pipeline.body import BodyModel
from pipeline.boxes import box_iou
from pipeline.camera import project
from pipeline.types import Person

SAME_IOU = 0.5
EVERY_VERTEX = 10
"""Boxes of found bodies are around every tenth vertex."""
PACKAGE = "trackeval"


@dataclass(frozen=True)
class Identities:
    """Identity metrics: shares from 0 to 1 (MOTA may be below), and counts."""

    hota: float
    det_a: float
    ass_a: float
    idf1: float
    mota: float
    id_switches: int
    fragments: int


@dataclass(frozen=True)
class TrackedSequence:
    """True and found boxes with ids, frame by frame."""

    true_ids: list[Int64[np.ndarray, " _"]]
    found_ids: list[Int64[np.ndarray, " _"]]
    """Of found people that are no true one who may be ignored."""
    iou: list[Float64[np.ndarray, "_ _"]]


def have_trackeval() -> bool:
    """Whether the package is installed (`pip install 'humans4d[dev]'`)."""
    return importlib.util.find_spec(PACKAGE) is not None


def tracked_sequence(
    true_boxes_xyxy_px: Float[np.ndarray, "p t 4"],
    present: Bool[np.ndarray, "p t"],
    found_boxes_xyxy_px: Float[np.ndarray, "f t 4"],
    *,
    there: Bool[np.ndarray, "p t"] | None = None,
) -> TrackedSequence:
    """Lay found boxes (NaN where there is none) against true ones.

    Args:
        true_boxes_xyxy_px: of p people over t frames.
        present: where they are to be found.
        found_boxes_xyxy_px: of f found people.
        there: where a true person is, though too hidden to be asked for; whoever is found there
            counts neither way. By default everywhere in the film.
    """
    there = np.ones_like(present) if there is None else there | present
    true_ids, found_ids, ious = [], [], []
    for frame in range(present.shape[1]):
        true = np.flatnonzero(there[:, frame])
        found = np.flatnonzero(np.isfinite(found_boxes_xyxy_px[:, frame]).all(axis=-1))
        iou = box_iou(true_boxes_xyxy_px[true, frame], found_boxes_xyxy_px[found, frame])
        asked = present[true, frame]
        kept = np.ones(len(found), dtype=bool)
        for row, column in zip(*linear_sum_assignment(-iou), strict=True):
            kept[column] = asked[row] or iou[row, column] < SAME_IOU
        true_ids.append(true[asked])
        found_ids.append(found[kept])
        ious.append(iou[asked][:, kept])
    return TrackedSequence(true_ids, found_ids, ious)


def body_boxes_px(
    people: tuple[Person, ...],
    body: BodyModel,
    frames: int,
    K_px: Float64[np.ndarray, "3 3"],
) -> Float64[np.ndarray, "f t 4"]:
    """Boxes around the found bodies in the picture; NaN where one is not drawn."""
    boxes = np.full((len(people), frames, 4), np.nan)
    subset = torch.arange(0, len(body.v_template_m), EVERY_VERTEX)
    for row, person in enumerate(people):
        shaped = body.with_shape(torch.from_numpy(person.betas))
        posed = shaped.with_pose(
            torch.from_numpy(person.pose_rotvec), torch.from_numpy(person.t_camera_m)
        )
        pixels = project(posed.vertices(subset).numpy(), K_px)
        around = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
        boxes[row, person.frame_index] = np.where(person.drawn[:, None], around, np.nan)
    return boxes


def identities(sequences: Mapping[str, TrackedSequence]) -> dict[str, Identities]:
    """The metrics of every sequence, and of all together under ``"all"``; needs TrackEval."""
    from trackeval import metrics  # noqa: PLC0415  (a development dependency)

    quiet = {"PRINT_CONFIG": False, "THRESHOLD": SAME_IOU}
    kinds = (metrics.HOTA(), metrics.CLEAR(quiet), metrics.Identity(quiet))
    data = {name: _as_trackeval(sequence) for name, sequence in sequences.items()}
    results = []
    for kind in kinds:
        single = {name: kind.eval_sequence(values) for name, values in data.items()}
        results.append({**single, "all": kind.combine_sequences(single)})
    hota, clear, identity = results
    return {name: _read(hota[name], clear[name], identity[name]) for name in hota}


def _as_trackeval(sequence: TrackedSequence) -> dict[str, Any]:
    true, found = (_renumbered(ids) for ids in (sequence.true_ids, sequence.found_ids))
    return {
        "num_timesteps": len(true),
        "num_gt_ids": len(np.unique(np.concatenate(true))),
        "num_tracker_ids": len(np.unique(np.concatenate(found))),
        "num_gt_dets": sum(map(len, true)),
        "num_tracker_dets": sum(map(len, found)),
        "gt_ids": true,
        "tracker_ids": found,
        "similarity_scores": sequence.iou,
    }


def _renumbered(ids: list[np.ndarray]) -> list[np.ndarray]:
    """Ids from 0 on without gaps."""
    known = np.unique(np.concatenate(ids))
    return [np.searchsorted(known, here) for here in ids]


def _read(hota: Any, clear: Any, identity: Any) -> Identities:
    return Identities(
        hota=float(np.mean(hota["HOTA"])),
        det_a=float(np.mean(hota["DetA"])),
        ass_a=float(np.mean(hota["AssA"])),
        idf1=float(identity["IDF1"]),
        mota=float(clear["MOTA"]),
        id_switches=int(clear["IDSW"]),
        fragments=int(clear["Frag"]),
    )

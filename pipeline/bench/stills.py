"""COCO photographs: people found, and their keypoints (OKS, PCK)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float64

from pipeline import metrics
from pipeline.bench.bonn import SKELETONS
from pipeline.bench.configurations import Configuration
from pipeline.bench.detections import DetectionCount, counted, matched_boxes, summed
from pipeline.bench.running import BenchRun, Runner
from pipeline.errors import InputError
from pipeline.scenes.video import write_film
from pipeline.skeletons import COCO17

PCK = 0.1
"""Of the longer side of a person's box."""
STILL_CRF = 4
STILL_FPS = 10.0


@dataclass(frozen=True)
class StillsScore:
    """One configuration on all photographs."""

    configuration: str
    detection: DetectionCount
    oks: float
    """Mean over the people found."""
    pck: float
    pictures: int


@dataclass(frozen=True)
class _Picture:
    """A photograph's people, n of them."""

    name: str
    boxes_xyxy_px: Float64[np.ndarray, "n 4"]
    keypoints_px: Float64[np.ndarray, "n 17 3"]
    """x, y, and over 0 where annotated."""
    area_px2: Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class _PictureScore:
    count: DetectionCount
    oks: Float64[np.ndarray, " m"]
    pck: float
    points: int


def score_stills(
    folder: Path, chosen: Sequence[Configuration], runner: Runner
) -> list[StillsScore]:
    """Every photograph as a film of one frame.

    Raises:
        InputError: a photograph is missing.
    """
    scores: dict[str, list[_PictureScore]] = {c.name: [] for c in chosen}
    for picture in _pictures(folder):
        clip = runner.folder / "stills" / f"{Path(picture.name).stem}.mp4"
        write_film(clip, [_even(folder / picture.name)], STILL_FPS, crf=STILL_CRF)
        for run in runner.each(clip, f"still_{clip.stem}", chosen):
            scores[run.configuration].append(_score(picture, run))
    return [_joined(name, own) for name, own in scores.items()]


def _pictures(folder: Path) -> list[_Picture]:
    content = json.loads((folder / "people.json").read_text(encoding="utf-8"))
    pictures = []
    for image in content["images"]:
        people = [
            person
            for person in content["annotations"]
            if person["image_id"] == image["id"] and not person.get("iscrowd")
        ]
        boxes = np.array([p["bbox"] for p in people], dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        points = np.array([_keypoints(p) for p in people], np.float64).reshape(-1, 17, 3)
        area = np.array([p["area"] for p in people], np.float64)
        pictures.append(_Picture(image["file_name"], boxes, points, area))
    return pictures


def _keypoints(person: dict[str, Any]) -> np.ndarray:
    return np.array(person.get("keypoints", [0] * 51), dtype=np.float64).reshape(17, 3)


def _even(path: Path) -> np.ndarray:
    """RGB, cut to even sides as H.264 wants them."""
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise InputError(f"{path}: no such picture, or it cannot be read")
    height, width = (side // 2 * 2 for side in bgr.shape[:2])
    return np.ascontiguousarray(bgr[:height, :width, ::-1].astype(np.uint8))


def _score(picture: _Picture, run: BenchRun) -> _PictureScore:
    found = run.detections
    boxes = found.boxes_xyxy_px.astype(np.float64)
    count = counted(picture.boxes_xyxy_px, np.ones(len(picture.area_px2), bool), boxes)
    match = matched_boxes(picture.boxes_xyxy_px, boxes)
    if found.landmarks_px is None or found.skeleton not in SKELETONS or not len(match.true):
        return _PictureScore(count, np.zeros(0), float("nan"), 0)
    wanted = SKELETONS[found.skeleton].indices(*COCO17.points)
    points = found.landmarks_px[match.found][:, wanted, :2].astype(np.float64)
    true = picture.keypoints_px[match.true]
    annotated = true[..., 2] > 0
    sides = np.diff(picture.boxes_xyxy_px[match.true].reshape(-1, 2, 2), axis=1)[:, 0]
    oks = metrics.object_keypoint_similarity(
        points, true[..., :2], picture.area_px2[match.true], metrics.COCO17_SIGMA, valid=annotated
    )
    pck = metrics.correct_keypoints_share(
        points, true[..., :2], PCK * sides.max(axis=1), valid=annotated
    )
    return _PictureScore(count, oks, pck, int(annotated.sum()))


def _joined(configuration: str, scores: list[_PictureScore]) -> StillsScore:
    oks = np.concatenate([s.oks for s in scores])
    points = sum(s.points for s in scores)
    near = sum(s.pck * s.points for s in scores if s.points)
    known = oks[np.isfinite(oks)]
    return StillsScore(
        configuration,
        summed(s.count for s in scores),
        float(known.mean()) if len(known) else float("nan"),
        near / points if points else float("nan"),
        len(scores),
    )

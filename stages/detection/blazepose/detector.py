"""The person detector network: a square picture in, hip centres and body circles out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from pipeline.boxes import box_iou
from stages.detection.blazepose.anchors import anchor_centers_px
from stages.detection.blazepose.crops import normalized
from stages.detection.blazepose.networks import NetworkPool

HIP_CENTER, BODY_CIRCLE, SHOULDER_CENTER = 0, 1, 2
OVERLAP_MERGED = 0.3


@dataclass(frozen=True)
class Candidates:
    """Places where the detector sees a person, n of them, best first."""

    boxes_xyxy_px: Float32[np.ndarray, "n 4"]
    """Around the head: the detector looks for faces and their surroundings."""
    points_px: Float32[np.ndarray, "n 4 2"]
    """Hip centre, a point on the body's circle, shoulder centre, one on the upper body's circle."""
    score: Float32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.score)

    def taken(self, rows: np.ndarray) -> "Candidates":
        """Some of them."""
        return Candidates(self.boxes_xyxy_px[rows], self.points_px[rows], self.score[rows])


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Several sets as one, best first."""
    every = Candidates(
        np.concatenate([part.boxes_xyxy_px for part in parts]),
        np.concatenate([part.points_px for part in parts]),
        np.concatenate([part.score for part in parts]),
    )
    return every.taken(np.argsort(-every.score, kind="stable"))


class DetectorNetwork:
    """Finds people in square pictures of 224 pixels."""

    def __init__(self, path: Path):
        self._networks = NetworkPool(path.read_bytes())
        self._anchors_px = anchor_centers_px()

    def submit(
        self, pictures: Sequence[UInt8[np.ndarray, "224 224 3"]], min_score: float
    ) -> Callable[[], list[Candidates]]:
        """Start on the pictures; the call that comes back waits for the candidates of each.

        Candidates are in the picture's own pixels, merged where they overlap.
        """
        futures = [self._networks.submit(normalized(picture, -1.0)) for picture in pictures]

        def collect() -> list[Candidates]:
            outputs = [future.result() for future in futures]
            return [
                merged(decoded(raw, logits, self._anchors_px, min_score)) for raw, logits in outputs
            ]

        return collect


def decoded(
    raw: Float32[np.ndarray, "a 12"],
    logits: Float32[np.ndarray, "a 1"],
    anchors_px: Float32[np.ndarray, "a 2"],
    min_score: float,
) -> Candidates:
    """Candidates that score at least min_score; numbers are input pixels from the anchor."""
    score = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
    rows = np.flatnonzero(score >= min_score)
    rows = rows[np.argsort(-score[rows], kind="stable")]
    points = raw[rows].reshape(-1, 6, 2).copy()
    points[:, [0, 2, 3, 4, 5]] += anchors_px[rows][:, None]
    half = points[:, 1] / 2
    boxes = np.concatenate([points[:, 0] - half, points[:, 0] + half], axis=1)
    return Candidates(boxes, points[:, 2:], score[rows])


def merged(candidates: Candidates, overlap: float = OVERLAP_MERGED) -> Candidates:
    """Weighted non-maximum suppression: overlapping candidates become their score-weighted mean."""
    left = np.arange(len(candidates))
    boxes, points, scores = [], [], []
    while len(left):
        together = (
            box_iou(candidates.boxes_xyxy_px[left[:1]], candidates.boxes_xyxy_px[left])[0] > overlap
        )
        together[0] = True
        group = left[together]
        weight = candidates.score[group] / candidates.score[group].sum()
        boxes.append(weight @ candidates.boxes_xyxy_px[group])
        points.append(np.tensordot(weight, candidates.points_px[group], axes=1))
        scores.append(candidates.score[group[0]])
        left = left[~together]
    return Candidates(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(points, np.float32).reshape(-1, 4, 2),
        np.array(scores, np.float32),
    )

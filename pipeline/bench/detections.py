"""How many people are found, and how many findings are people."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy.optimize import linear_sum_assignment

from pipeline.boxes import box_iou

MATCHED_IOU = 0.5


@dataclass(frozen=True)
class DetectionCount:
    """Hits and misses over several frames."""

    visible: int = 0
    hits: int = 0
    findings: int = 0
    """Findings that count: on a true person who is asked for, or on nobody."""

    @property
    def recall(self) -> float:
        """Share of the visible people who were found."""
        return self.hits / self.visible if self.visible else float("nan")

    @property
    def precision(self) -> float:
        """Share of the findings that are people."""
        return self.hits / self.findings if self.findings else float("nan")


@dataclass(frozen=True)
class MatchedBoxes:
    """Pairs of true and found boxes of one frame."""

    true: Int64[np.ndarray, " m"]
    found: Int64[np.ndarray, " m"]


def matched_boxes(
    true_xyxy: Float[np.ndarray, "a 4"], found_xyxy: Float[np.ndarray, "b 4"]
) -> MatchedBoxes:
    """The pairs of greatest overlap, one to one, at IoU 0.5 or more."""
    iou = box_iou(true_xyxy, found_xyxy)
    rows, columns = linear_sum_assignment(-iou)
    near = iou[rows, columns] >= MATCHED_IOU
    return MatchedBoxes(rows[near], columns[near])


def counted(
    true_xyxy: Float[np.ndarray, "a 4"],
    visible: Bool[np.ndarray, " a"],
    found_xyxy: Float[np.ndarray, "b 4"],
) -> DetectionCount:
    """One frame; a finding on a person who is not visible counts neither way."""
    matched = matched_boxes(true_xyxy, found_xyxy).true
    hits = int(visible[matched].sum())
    return DetectionCount(int(visible.sum()), hits, len(found_xyxy) - (len(matched) - hits))


def summed(counts: Iterable[DetectionCount]) -> DetectionCount:
    """Several frames together."""
    every = list(counts)
    return DetectionCount(
        sum(c.visible for c in every), sum(c.hits for c in every), sum(c.findings for c in every)
    )

"""Detections of one person on end, as far as that is beyond doubt, for a network that needs time.

This is no tracking: who is who over a film is decided later, by the tracking stage, from the
bodies that come of this. A tracklet ends where two people could be taken for each other.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from pipeline.boxes import box_iou
from pipeline.types import Detections, Video

LONGEST_GAP_S = 0.2
LEAST_LIKENESS = 0.3
CLEAR_MARGIN = 0.15
"""Somebody else must be less alike by this much, for either of the two."""


@dataclass(frozen=True)
class _Open:
    rows: list[int]
    seen_s: float


def tracklets(video: Video, detections: Detections) -> list[Int64[np.ndarray, " _"]]:
    """Rows of the detections of each tracklet, in the order of time; every row is in one."""
    boxes = np.asarray(detections.boxes_xyxy_px, np.float64)
    time_s = video.times_of(detections.frame_index)
    order = np.argsort(detections.frame_index, kind="stable")
    starts = np.flatnonzero(np.diff(detections.frame_index[order], prepend=-1))
    live: list[_Open] = []
    done: list[_Open] = []
    for rows in np.split(order, starts[1:]):
        if not len(rows):
            continue
        now_s = float(time_s[rows[0]])
        done += [one for one in live if now_s - one.seen_s > LONGEST_GAP_S]
        live = [one for one in live if now_s - one.seen_s <= LONGEST_GAP_S]
        likeness = box_iou(boxes[[one.rows[-1] for one in live]], boxes[rows])
        taken = _clear_pairs(likeness)
        for column, row in enumerate(rows.tolist()):
            index = np.flatnonzero(taken[:, column])
            before = live[int(index[0])].rows if len(index) else []
            new = _Open([*before, row], now_s) if not before else _Open(before, now_s)
            if before:
                before.append(row)
                live[int(index[0])] = new
            else:
                live.append(new)
    return [np.array(one.rows, dtype=np.int64) for one in done + live]


def _clear_pairs(likeness: Float[np.ndarray, "a b"]) -> Bool[np.ndarray, "a b"]:
    """Pairs that are alike, and clearly more so than either with anybody else."""
    if not likeness.size:
        return np.zeros(likeness.shape, dtype=bool)
    padded = np.pad(likeness, ((0, 1), (0, 1)))
    others_in_row = np.sort(padded[:-1], axis=1)[:, -2:-1]
    others_in_column = np.sort(padded[:, :-1], axis=0)[-2:-1]
    clear = (likeness >= others_in_row + CLEAR_MARGIN) & (
        likeness >= others_in_column + CLEAR_MARGIN
    )
    return np.asarray(clear & (likeness >= LEAST_LIKENESS))

"""Which live track continues in which detection of one frame."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.boxes import box_iou
from pipeline.parts import Arrays
from stages.tracking._box_filter import BoxFilter
from stages.tracking._box_measures import boxes_of, scale_px
from stages.tracking._frame import FrameDetections
from stages.tracking._reach import FORBIDDEN, NEAR, SURPRISE_GATE, Reach
from stages.tracking._similarity import landmark_similarity


@dataclass
class Track:
    """Somebody who is being followed."""

    number: int
    """In order of birth."""
    filter: BoxFilter
    seen_s: float = 0.0
    """Time of the last sighting."""
    seen_measure: np.ndarray | None = None
    """What was measured then."""
    landmarks_px: np.ndarray | None = None
    """(k, 3) as seen then."""

    def see(self, found: FrameDetections, row: int, time_s: float) -> None:
        """Take a detection as this track's sighting at `time_s`."""
        self.seen_s, self.seen_measure = time_s, found.measures[row]
        if found.landmarks_px is not None:
            self.landmarks_px = found.landmarks_px[row]


def arrays_of(tracks: list[Track]) -> Arrays:
    """All that is known of tracks."""
    count = len(tracks)
    arrays = {
        "number": np.array([t.number for t in tracks], np.int64),
        "seen_s": np.array([t.seen_s for t in tracks], np.float64),
        "time_s": np.array([t.filter.time_s for t in tracks], np.float64),
        "state": np.array([t.filter.state for t in tracks]).reshape(count, 6),
        "covariance": np.array([t.filter.covariance for t in tracks]).reshape(count, 6, 6),
        "seen_measure": np.array([t.seen_measure for t in tracks], np.float64).reshape(count, 4),
    }
    if tracks and tracks[0].landmarks_px is not None:
        arrays["landmarks_px"] = np.stack([t.landmarks_px for t in tracks])  # type: ignore[misc]
    return arrays


def tracks_from(arrays: Arrays) -> list[Track]:
    """The tracks of `arrays_of`."""
    landmarks = arrays.get("landmarks_px")
    return [
        Track(
            int(number),
            BoxFilter.again(arrays["state"][n], arrays["covariance"][n], arrays["time_s"][n]),
            float(arrays["seen_s"][n]),
            arrays["seen_measure"][n],
            None if landmarks is None else landmarks[n],
        )
        for n, number in enumerate(arrays["number"])
    ]


def match(
    tracks: list[Track], found: FrameDetections, rows: np.ndarray, reach: Reach
) -> list[tuple[int, int]]:
    """Best one-to-one pairs (index in `tracks`, row in `found`) among detections `rows`.

    A pair is possible if the detection is no surprise to the track's filter and lies within
    `reach`. Possible pairs are weighed by overlap and by likeness of landmarks, or where there
    are none by nearness.
    """
    if not tracks or not len(rows):
        return []
    expected = np.stack([track.filter.expected for track in tracks])
    variance = np.stack([track.filter.variance for track in tracks])
    gap = expected[:, None] - found.measures[rows][None]
    surprise = (np.square(gap) / variance[:, None])[..., :3].sum(axis=2)
    distance = np.linalg.norm(gap[..., :2], axis=2) / scale_px(expected)[:, None]
    possible = (surprise < SURPRISE_GATE) & (distance < reach.distance)
    possible &= np.abs(gap[..., 2]) < np.log(reach.size_ratio)
    overlap = box_iou(boxes_of(expected), found.boxes_xyxy_px[rows])
    possible |= overlap > reach.overlap
    likeness = np.exp(-0.5 * np.square(distance / NEAR))
    if found.landmarks_px is not None:
        _weigh_landmarks(likeness, tracks, expected, found, rows, possible)
    cost = np.where(possible, 2 - overlap - likeness, FORBIDDEN)
    pairs = zip(*linear_sum_assignment(cost), strict=True)
    return [(int(a), int(rows[b])) for a, b in pairs if possible[a, b]]


def _weigh_landmarks(
    likeness: np.ndarray,
    tracks: list[Track],
    expected: np.ndarray,
    found: FrameDetections,
    rows: np.ndarray,
    possible: np.ndarray,
) -> None:
    """Put the likeness of landmarks in, for possible pairs: as last seen, moved with the box."""
    assert found.landmarks_px is not None
    first, second = np.nonzero(possible)
    if not len(first):
        return
    last = np.stack([t.landmarks_px for t in tracks if t.landmarks_px is not None])
    before = np.stack([t.seen_measure for t in tracks if t.seen_measure is not None])
    grown = np.exp(expected[:, 2] - before[:, 2])[:, None, None]
    moved = last.copy()
    moved[..., :2] = (last[..., :2] - before[:, None, :2]) * grown + expected[:, None, :2]
    likeness[first, second] = landmark_similarity(
        moved[first], found.landmarks_px[rows[second]], scale_px(expected)[first]
    )

"""What is known of the people who are followed, as arrays: a run goes on from them as it was."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64

from stages.detection.blazepose.chains import Chain, Lost
from stages.detection.blazepose.correction import NUMBERS, Correction
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.landmarks import BODY_POINTS, Pose
from stages.detection.blazepose.place import Place

REGION = 4
HEAD = 10
"""Sightings, sum of presence, whether hidden and since when; place, its speed, its times."""
POSE = 1 + 2 * REGION + BODY_POINTS * (2 + 1 + 3)
CORRECTION = 2 + BODY_POINTS * NUMBERS
"""Whether there is one, of when, and what is to be added."""
ROW = REGION + HEAD + POSE + CORRECTION
LOST_ROW = REGION + 2
NEVER_S = 1e9
"""Stands for a time long ago."""


def rows_of(chains: Sequence[Chain]) -> Float64[np.ndarray, "n ROW"]:
    """One row for everybody of whom something was seen."""
    rows = [_row(c, c.last, c.place) for c in chains if c.last is not None and c.place is not None]
    return np.array(rows, np.float64).reshape(-1, ROW)


def chains_of(rows: Float64[np.ndarray, "n ROW"]) -> list[Chain]:
    """The people of the rows, hidden or not, in order."""
    return [_chain(iter(row.tolist())) for row in rows]


def lost_rows_of(lost: Sequence[Lost]) -> Float64[np.ndarray, "n LOST_ROW"]:
    """One row for everybody lost a moment ago."""
    rows = [
        [*_region_row(one.region), one.since_s, max(one.searched_s, one.since_s - NEVER_S)]
        for one in lost
    ]
    return np.array(rows, np.float64).reshape(-1, LOST_ROW)


def lost_of(rows: Float64[np.ndarray, "n LOST_ROW"]) -> list[Lost]:
    """Those lost, of their rows."""
    return [Lost(Region(*row[:REGION]), *row[REGION:]) for row in rows.tolist()]


def _row(chain: Chain, last: Pose, place: Place) -> list[float]:
    hidden_s = chain.hidden_since_s
    return [
        *_region_row(chain.region),
        float(chain.sightings),
        chain.presence_sum,
        float(hidden_s is not None),
        hidden_s or 0.0,
        *place.px.tolist(),
        *place.px_s.tolist(),
        place.time_s,
        place.since_s,
        last.presence,
        *_region_row(last.region),
        *_region_row(last.next_region),
        *last.points_px.ravel().tolist(),
        *last.visibility.tolist(),
        *last.points_m.ravel().tolist(),
        *_correction_row(chain.correction),
    ]


def _chain(values: Iterator[float]) -> Chain:
    def take(count: int) -> np.ndarray:
        return np.array([next(values) for _ in range(count)])

    region = Region(*take(REGION).tolist())
    sightings, presence_sum, is_hidden, hidden_s = take(4).tolist()
    place = Place(take(2), take(2), next(values), next(values))
    presence = next(values)
    seen, then = (Region(*take(REGION).tolist()) for _ in range(2))
    points_px, visibility, points_m = (take(BODY_POINTS * n).astype(np.float32) for n in (2, 1, 3))
    last = Pose(points_px.reshape(-1, 2), visibility, points_m.reshape(-1, 3), presence, seen, then)
    is_known, known_s = take(2).tolist()
    off = take(BODY_POINTS * NUMBERS).astype(np.float32).reshape(-1, NUMBERS)
    known = Correction(known_s, off) if is_known else None
    since_s = hidden_s if is_hidden else None
    return Chain(region, round(sightings), presence_sum, {}, last, place, known, since_s)


def _correction_row(known: Correction | None) -> list[float]:
    if known is None:
        return [0.0] * CORRECTION
    return [1.0, known.time_s, *known.off.ravel().tolist()]


def _region_row(region: Region) -> list[float]:
    return [region.x_px, region.y_px, region.size_px, region.angle_rad]

"""How unlike two people look, and how a track's look is averaged; a part not seen is NaN.

For vectors of seven body parts' colours (`pipeline.appearance`), or any vector without parts, such
as an encoder's, that a regressor gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from pipeline.appearance import SIZE as COLOURS
from pipeline.appearance import VALUES

DRIFT = np.array([5.0, 1.8, 2.4, 4.5])
"""Deviation of one person's part from one time to another: light, creases, errors of landmarks."""
BETWEEN = np.array([11.0, 8.0, 9.0, 5.0])
"""Deviation from person to person."""
LEAST_STRETCHES = 3
OF_MEDIAN, SLOW_CHANGE = 1.4826, 3.0
"""Deviation over the median of a normal distribution; what a longer time adds, as a factor."""
LEAST_DRIFT, MOST_DRIFT = 0.6, 2.5
"""Bounds of what a video tells of the drift, over the usual one."""
TRUST = 0.45
"""The parts' values hang together, so that each counts for less than one."""
MOST_ENTRIES = 2_000_000
"""Of a block that is compared at once."""
MOST_PER_PART = 6.0
"""What one part says against two being one is bounded: it may have been read off somebody else."""


@dataclass(frozen=True)
class Look:
    """Average looks of n tracks or detections."""

    mean: Float64[np.ndarray, "n d"]
    """NaN where never seen."""
    weight: Float64[np.ndarray, "n d"]
    """Sightings that the mean stands for."""


def look_of(appearance: Float[np.ndarray, "n d"]) -> Look:
    """Looks in single detections."""
    mean = np.asarray(appearance, np.float64)
    return Look(mean, np.isfinite(mean).astype(np.float64))


def updated(look: Look, rows: Int64[np.ndarray, " m"], seen: Look, share: np.ndarray) -> Look:
    """After further sightings of some tracks.

    Args:
        look: of all tracks.
        rows: those seen again.
        seen: their new looks.
        share: (m,) what the newest counts for at least; young tracks take the plain mean.
    """
    mean, weight = look.mean.copy(), look.weight.copy()
    old, new = mean[rows], seen.mean
    known, has = np.isfinite(old), np.isfinite(new)
    part = np.maximum(share[:, None], 1 / (weight[rows] + 1))
    with np.errstate(invalid="ignore"):
        mixed = old + part * (new - old)
    mean[rows] = np.where(known & has, mixed, np.where(has, new, old))
    weight[rows] += has
    return Look(mean, weight)


def pooled(
    appearance: Float[np.ndarray, "n d"], usable: Bool[np.ndarray, " n"] | None = None
) -> Look:
    """One look from many sightings of a person: the median of each value."""
    values = np.asarray(appearance if usable is None else appearance[usable], np.float64)
    count = np.isfinite(values).sum(axis=0).astype(np.float64)
    mean = np.full(values.shape[1], np.nan)
    if len(values):
        ranked = np.sort(values, axis=0)
        middle = np.maximum((count.astype(np.int64) - 1) // 2, 0)
        mean = np.where(count > 0, ranked[middle, np.arange(len(mean))], np.nan)
    return Look(mean[None], count[None])


def usual_drift(size: int) -> Float64[np.ndarray, " d"]:
    """Where a video does not tell how much one person's look varies."""
    return np.tile(DRIFT, size // VALUES) if size == COLOURS else np.full(size, DRIFT.mean())


def drift_in(
    appearance: Float[np.ndarray, "n d"], tracks: Sequence[np.ndarray], sightings: int
) -> Float64[np.ndarray, " d"]:
    """How much one person's look varies in this video: boxes tell less than landmarks do.

    Of every value the robust deviation of the medians over `sightings` in a row from the median
    over the whole track, with room for what changes more slowly; bounded around the usual drift.
    """
    usual, gaps = usual_drift(appearance.shape[1]), []
    for track in tracks:
        if len(track) >= LEAST_STRETCHES * sightings:
            stretches = np.array_split(track, len(track) // sightings)
            medians = np.concatenate([pooled(appearance[rows]).mean for rows in stretches])
            gaps.append(medians - pooled(appearance[track]).mean)
    if not gaps:
        return usual
    every = np.concatenate(gaps)
    known = np.isfinite(every).sum(axis=0) >= LEAST_STRETCHES
    ranked = np.sort(np.abs(every), axis=0)
    middle = np.maximum(np.isfinite(every).sum(axis=0) // 2, 0).clip(None, len(every) - 1)
    deviation = OF_MEDIAN * ranked[middle, np.arange(len(usual))]
    found = np.clip(SLOW_CHANGE * deviation, LEAST_DRIFT * usual, MOST_DRIFT * usual)
    return np.where(known & np.isfinite(found), found, usual)


def evidence_against(
    a: Look, b: Look, drift: Float64[np.ndarray, " d"] | None = None
) -> Float64[np.ndarray, "n m"]:
    """Log of how much likelier these looks are of two people than of one; 0 where nothing is known.

    Of every value: a normal density of the gap around 0, as wide as the drift, against one as wide
    as people differ. A few sightings are less certain than many.
    """
    drift = usual_drift(a.mean.shape[1]) if drift is None else drift
    rows = max(MOST_ENTRIES // max(b.mean.size, 1), 1)
    blocks = [
        _against(Look(a.mean[start : start + rows], a.weight[start : start + rows]), b, drift)
        for start in range(0, len(a.mean), rows)
    ]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(b.mean)))


def against_each(a: Look, b: Look, drift: Float64[np.ndarray, " d"]) -> Float64[np.ndarray, " n"]:
    """The same of each look and the one in its place among the others."""
    with np.errstate(divide="ignore"):
        return _against_gap(a.mean - b.mean, 0.5 / a.weight + 0.5 / b.weight, drift)


def _against(a: Look, b: Look, drift: np.ndarray) -> np.ndarray:
    """The same for as many as fit into memory at once."""
    with np.errstate(divide="ignore"):
        fewness = 0.5 / a.weight[:, None] + 0.5 / b.weight[None]
    return _against_gap(a.mean[:, None] - b.mean[None], fewness, drift)


def _against_gap(
    gap: Float64[np.ndarray, "*n d"], fewness: Float64[np.ndarray, "*n d"], drift: np.ndarray
) -> Float64[np.ndarray, "*n"]:
    size = gap.shape[-1]
    parts = size == COLOURS
    between = np.tile(BETWEEN, size // VALUES) if parts else np.full(size, BETWEEN.mean())
    with np.errstate(invalid="ignore", divide="ignore"):
        same = np.square(drift) * (1 + fewness)
        other = same + 2 * np.square(between)
        against = 0.5 * (np.square(gap) * (1 / same - 1 / other) + np.log(same / other))
    against = np.where(np.isfinite(against), against, 0.0)
    if parts:
        against = against.reshape(*against.shape[:-1], -1, VALUES).sum(axis=-1)
        against = np.minimum(against, MOST_PER_PART)
    return np.asarray(TRUST * against.sum(axis=-1))


def unlike(a: Look, b: Look) -> Float64[np.ndarray, "n m"]:
    """The same from 0 (one person) to 1 (two); a half where nothing is known."""
    return np.asarray(1 / (1 + np.exp(-evidence_against(a, b))))

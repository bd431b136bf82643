"""The floor that everybody stands on, as one camera can tell it: a plane through standing feet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64

from pipeline.judging.feet import Stance
from pipeline.judging.posed import Posed

ROUNDS = 15
SPREAD_M = 0.1
"""How far standing soles of different people scatter about one floor."""
ROLL_SPREAD, PITCH_SPREAD = 0.05, 0.15
"""How far the floor's slopes may be from what the people's upright bodies say."""
PITCH_STARTS = (-0.4, -0.2, 0.0, 0.2)
LEVEL_STARTS = (50.0, 90.0)
"""Percentiles of the soles' heights, counted downwards."""
BELOW = 1.5
"""People stand on boxes rather than in pits: soles below the floor count this much more."""
LOWEST_SHARE = 0.1
HEAD, ANKLES = 15, [7, 8]


@dataclass(frozen=True)
class Floor:
    """A plane in camera axes."""

    point_m: Float64[np.ndarray, " 3"]
    """On the floor, below the people."""
    up: Float64[np.ndarray, " 3"]
    """Unit normal that points up."""
    offset_m: dict[int, float]
    """By person: how far above this floor the person's own standing feet are (wrong size or
    distance lifts people off the common floor)."""
    source: Literal["standing feet", "lowest feet", "assumed"]

    def height_m(self, points_m: Float64[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n"]:
        """Heights above the floor."""
        return (points_m - self.point_m) @ self.up

    @property
    def is_told(self) -> bool:
        """Standing feet tell it; else it is a guess, and so are heights above it."""
        return self.source == "standing feet"

    @property
    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Rows: right, up and towards the camera along the floor; turns camera into floor axes."""
        right = np.array([1.0, 0.0, 0.0])
        right -= (right @ self.up) * self.up
        right /= np.linalg.norm(right)
        return np.stack([right, self.up, np.cross(right, self.up)])


def floor_words(source: str) -> str:
    """A sentence on how far a floor of this source can be believed."""
    return {
        "standing feet": "The floor lies under feet that stand still in the picture.",
        "lowest feet": "No foot is seen to stand still, as before a moving camera: the floor lies "
        "under the lowest feet and is a guess, and people may hover above it.",
        "assumed": "Nobody tells where the floor is: it is assumed.",
    }[source]


def find_floor(people: Sequence[Posed], stances: Sequence[Stance]) -> Floor:
    """The floor under people; level with the camera where nobody tells."""
    samples = [_standing_m(p, s) for p, s in zip(people, stances, strict=True)]
    stood = any(len(sample) for sample in samples)
    if not stood:
        samples = [_lowest_m(posed) for posed in people]
    if not any(len(sample) for sample in samples):
        return Floor(np.array([0.0, 1.5, 5.0]), np.array([0.0, -1.0, 0.0]), {}, "assumed")
    points_m = np.concatenate(samples)
    share = np.concatenate(
        [np.full(len(sample), 1.0 / len(sample)) for sample in samples if len(sample)]
    )
    height, slope_x, slope_z = _fit(
        points_m, np.minimum(2.0 * share, 1.0), _expected_slopes(people)
    )
    up = np.array([slope_x, -1.0, slope_z])
    up /= np.linalg.norm(up)
    x, _, z = np.median(points_m, axis=0)
    floor = Floor(
        np.array([x, height + slope_x * x + slope_z * z, z]),
        up,
        {},
        "standing feet" if stood else "lowest feet",
    )
    own = {
        posed.person.id: _own_height_m(posed, stance, floor)
        for posed, stance in zip(people, stances, strict=True)
        if posed.person.drawn.any()
    }
    return replace(floor, offset_m=own)


def _fit(
    points_m: np.ndarray, share: np.ndarray, slopes: tuple[float, float]
) -> Float64[np.ndarray, " 3"]:
    """A plane: height and slopes, where y = height + slope_x x + slope_z z.

    The slopes stay near those expected. Robust (Cauchy's weights), so that somebody on a box lifts
    no floor. From several starts, the cheapest counts.
    """
    found = [
        _fit_from(points_m, share, slopes, pitch, level)
        for pitch in PITCH_STARTS
        for level in LEVEL_STARTS
    ]
    return min(found, key=lambda solution: _cost(points_m, share, slopes, solution))


def _fit_from(
    points_m: np.ndarray,
    share: np.ndarray,
    slopes: tuple[float, float],
    pitch: float,
    level: float,
) -> np.ndarray:
    design = _design(points_m)
    held = np.diag([0.0, ROLL_SPREAD**-2, PITCH_SPREAD**-2])
    slope_z = slopes[1] + pitch
    height = np.percentile(points_m[:, 1] - slope_z * points_m[:, 2], level)
    solution = np.array([height, slopes[0], slope_z])
    for _ in range(ROUNDS):
        off = (points_m[:, 1] - design @ solution) / SPREAD_M
        weighted = design * (share / (1.0 + off**2) / SPREAD_M**2)[:, None]
        right = weighted.T @ points_m[:, 1] + held @ np.array([0.0, *slopes])
        solution = np.linalg.solve(weighted.T @ design + held, right)
    return solution


def _cost(
    points_m: np.ndarray, share: np.ndarray, slopes: tuple[float, float], solution: np.ndarray
) -> float:
    off = (points_m[:, 1] - _design(points_m) @ solution) / SPREAD_M
    tilt = (solution[1:] - slopes) / (ROLL_SPREAD, PITCH_SPREAD)
    below = np.where(off > 0, BELOW, 1.0)
    return float((below * share * np.log1p(off**2)).sum() + (tilt**2).sum())


def _design(points_m: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(points_m)), points_m[:, 0], points_m[:, 2]])


def _expected_slopes(people: Sequence[Posed]) -> tuple[float, float]:
    """Slopes of a floor at right angles to how people hold themselves in the median frame."""
    axes = [posed.joints_m[:, HEAD] - posed.joints_m[:, ANKLES].mean(axis=1) for posed in people]
    axis = np.median(
        [np.median(one[p.person.drawn], axis=0) for one, p in zip(axes, people, strict=True)],
        axis=0,
    )
    if axis[1] > -np.hypot(axis[0], axis[2]):  # lying, or upside down: tells nothing
        return 0.0, 0.0
    return 0.0, float(np.clip(-axis[2] / axis[1], -0.6, 0.6))


def _standing_m(posed: Posed, stance: Stance) -> np.ndarray:
    """(n, 3) middles of the soles, one for every stretch in which a foot stands."""
    drawn = posed.person.drawn
    places = [
        posed.soles_m[stretch, foot][drawn[stretch]].mean(axis=(0, 1))
        for foot in (0, 1)
        for stretch in stance.stretches(foot)
        if drawn[stretch].any()
    ]
    return np.array(places).reshape(-1, 3)


def _own_height_m(posed: Posed, stance: Stance, floor: Floor) -> float:
    """Median height of the soles' lowest points while they stand, or while they are lowest."""
    drawn = posed.person.drawn
    lowest_m = floor.height_m(posed.soles_m).min(axis=2)
    standing = stance.standing & drawn[:, None]
    if standing.any():
        return float(np.median(lowest_m[standing]))
    return float(np.percentile(lowest_m[drawn], 100.0 * LOWEST_SHARE))


def _lowest_m(posed: Posed) -> np.ndarray:
    """(n, 3) soles in the frames in which they are lowest in camera axes, a tenth of all."""
    middle_m = posed.soles_m[posed.person.drawn].mean(axis=2).reshape(-1, 3)
    count = max(1, round(LOWEST_SHARE * len(middle_m)))
    return middle_m[np.argsort(-middle_m[:, 1])[:count]]

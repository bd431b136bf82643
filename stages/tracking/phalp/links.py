"""How likely it is that one piece of a track goes on in another: the evidence, cue by cue.

Every cue is the logarithm of how much likelier what is seen is if they are two people than if they
are one: below 0 it speaks for one person.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from stages.tracking._box_measures import scale_px
from stages.tracking.phalp.looks import Look, evidence_against
from stages.tracking.phalp.tracklets import End, Tracklet, World

PLACE_NOISE, PLACE_DRIFT = 0.25, 0.55
"""Deviation of the place from where it is expected: at once, and per second; in heights."""
UNKNOWN_SPEED = 1.2
"""Heights per second that somebody whose speed is not known may have."""
COASTING_S = 1.0
"""How long a speed is expected to last."""
SIZE_NOISE, SIZE_DRIFT, SIZE_BETWEEN = 0.12, 0.15, 0.5
"""Deviation of log size: at once, per root second, and between anybody."""
BETAS_NOISE, BETAS_BETWEEN, BETAS_TRUST = 0.6, 1.0, 0.3
EDGE = 0.06
"""Within this share of the picture's width of its left or right edge people come and go."""
APPEARING = 2.5
"""How rare it is that somebody comes into being in the middle of the picture (log)."""
FORGETTING = 0.35
"""What every second of absence takes off that."""
BLIND_FORGETTING = 2.5
"""The same where no look is known."""
LONG_AGO, BLIND_LONG_AGO = 1.5, 4.0
"""What an absence says at most against one person."""
FLASH = 4.0
"""Sightings of which a piece is somebody with about two in three."""
MOST_PLACE = 6.0
OVERLAP_S = 0.1
"""A piece may begin this long before the end of one that it goes on from: where a track goes over
to somebody else, a new one begins in its place before it is seen to have gone. In whole frames: of
a slow film a single frame in which both are seen says that they are two."""


@dataclass(frozen=True)
class Evidence:
    """Of one piece against another; each matrix is pieces by pieces, below 0 for one person."""

    look: Float64[np.ndarray, "n m"]
    place: Float64[np.ndarray, "n m"]
    size: Float64[np.ndarray, "n m"]
    shape: Float64[np.ndarray, "n m"]
    prior: Float64[np.ndarray, "n m"]
    gap_s: Float64[np.ndarray, "n m"]
    possible: np.ndarray
    """The second begins after the first ends, or `OVERLAP_S` before."""

    @property
    def total(self) -> Float64[np.ndarray, "n m"]:
        """All of it; infinite where it is impossible."""
        total = self.look + self.place + self.size + self.shape + self.prior
        return np.where(self.possible, total, np.inf)

    def told(self, first: int, second: int) -> str:
        """One pair's evidence in words."""
        at = first, second
        return (
            f"look {-self.look[at]:+.1f}, place {-self.place[at]:+.1f}, size {-self.size[at]:+.1f}"
            f", shape {-self.shape[at]:+.1f}, absence {-self.prior[at]:+.1f}"
        )


def link_evidence(
    world: World, firsts: list[Tracklet], seconds: list[Tracklet], most_gap_s: float
) -> Evidence:
    """Evidence of every piece of `firsts` going on in every piece of `seconds`."""
    ends, starts = [t.end for t in firsts], [t.start for t in seconds]
    gap_s = _column(starts)[None] - _column(ends)[:, None]
    safe_s = np.maximum(gap_s, 0.0)
    height = np.array([t.height_px for t in firsts])[:, None]
    crossed = _cuts_between(world, ends, starts)
    place = np.where(crossed, 0.0, _place(world, ends, starts, safe_s, height))
    size = np.where(crossed, 0.0, _size(firsts, seconds, safe_s))
    look = evidence_against(_looks(firsts), _looks(seconds), world.drift)
    return Evidence(
        look=look,
        place=place,
        size=size,
        shape=_shape(world, firsts, seconds),
        prior=_prior(world, firsts, seconds, safe_s, crossed, known=look != 0),
        gap_s=gap_s,
        possible=_in_order(world, firsts, seconds) & (gap_s <= most_gap_s),
    )


def _in_order(world: World, firsts: list[Tracklet], seconds: list[Tracklet]) -> np.ndarray:
    """(n, m) bool: whether the second comes after the first, but for a few frames of both."""
    start, end = (
        [np.array([getattr(t, side).frame for t in pieces]) for pieces in (firsts, seconds)]
        for side in ("start", "end")
    )
    most = int(OVERLAP_S * world.video.fps + 1e-6)
    begins = start[1][None] - end[0][:, None]
    longer = (start[1][None] - start[0][:, None] > most) & (end[1][None] - end[0][:, None] > most)
    return (begins > 0) | (longer & (begins > -most))


def _column(ends: list[End]) -> np.ndarray:
    return np.array([end.time_s for end in ends])


def _looks(pieces: list[Tracklet]) -> Look:
    return Look(
        np.concatenate([piece.look.mean for piece in pieces]),
        np.concatenate([piece.look.weight for piece in pieces]),
    )


def _place(
    world: World, ends: list[End], starts: list[End], gap_s: np.ndarray, height: np.ndarray
) -> np.ndarray:
    """Where the first would be if it went on, and where the second would have come from.

    A normal density around it against anywhere in the picture.
    """
    coasted = np.minimum(gap_s, COASTING_S)[..., None]
    end = np.stack([e.measure[:2] for e in ends])[:, None]
    start = np.stack([s.measure[:2] for s in starts])[None]
    forward = end + coasted * np.stack([e.velocity_px_s for e in ends])[:, None] - start
    backward = start - coasted * np.stack([s.velocity_px_s for s in starts])[None] - end
    gap = np.minimum(np.linalg.norm(forward, axis=-1), np.linalg.norm(backward, axis=-1)) / height
    known = np.array([e.velocity_known for e in ends])[:, None]
    known = known | np.array([s.velocity_known for s in starts])[None]
    drift = np.where(known, PLACE_DRIFT, UNKNOWN_SPEED)
    room = np.prod(world.size_px) / height**2
    variance = np.minimum(PLACE_NOISE**2 + np.square(drift * gap_s), room / (2 * np.pi))
    against = 0.5 * np.square(gap) / variance + np.log(2 * np.pi * variance / room)
    return np.asarray(np.clip(against, -MOST_PLACE, MOST_PLACE))


def _size(firsts: list[Tracklet], seconds: list[Tracklet], gap_s: np.ndarray) -> np.ndarray:
    gap = (
        np.array([t.end.measure[2] for t in firsts])[:, None]
        - np.array([t.start.measure[2] for t in seconds])[None]
    )
    same = SIZE_NOISE**2 + SIZE_DRIFT**2 * gap_s
    other = same + SIZE_BETWEEN**2
    return np.asarray(0.5 * (np.square(gap) * (1 / same - 1 / other) + np.log(same / other)))


def _shape(world: World, firsts: list[Tracklet], seconds: list[Tracklet]) -> np.ndarray:
    """Of the bodies' shapes; 0 where there are no bodies of their own."""
    if not world.has_bodies:
        return np.zeros((len(firsts), len(seconds)))
    gap = np.stack([t.betas for t in firsts])[:, None] - np.stack([t.betas for t in seconds])[None]
    same, other = 2 * BETAS_NOISE**2, 2 * (BETAS_NOISE**2 + BETAS_BETWEEN**2)
    against = 0.5 * (np.square(gap[..., :4]) * (1 / same - 1 / other) + np.log(same / other))
    return np.asarray(BETAS_TRUST * np.clip(against.sum(axis=-1), -3, 3))


def _prior(
    world: World,
    firsts: list[Tracklet],
    seconds: list[Tracklet],
    gap_s: np.ndarray,
    crossed: np.ndarray,
    *,
    known: np.ndarray,
) -> np.ndarray:
    """What is to be expected before anything is compared.

    People seldom appear in the middle of the picture; the longer ago, the less that says, and where
    no look is known, the sooner it is forgotten. A flash of few sightings may be nobody at all.
    """
    starts = [piece.start for piece in seconds]
    x = np.array([s.measure[0] for s in starts])
    half = np.array([scale_px(s.measure[None])[0] for s in starts]) * 0.25
    from_edge = np.minimum(x - half, world.size_px[0] - x - half) / world.size_px[0]
    rare = np.where(from_edge > EDGE, APPEARING, 0.0)[None]
    forgotten = np.where(known, FORGETTING, BLIND_FORGETTING) * gap_s
    lasting = np.minimum(_lasting(firsts)[:, None], _lasting(seconds)[None])
    prior = np.maximum(rare * lasting - forgotten, np.where(known, -LONG_AGO, -BLIND_LONG_AGO))
    return np.asarray(np.where(crossed, 0.0, -prior))


def _lasting(pieces: list[Tracklet]) -> np.ndarray:
    """0 to 1: how surely each piece is somebody, by its number of sightings."""
    return np.asarray(1 - np.exp(-np.array([len(piece) for piece in pieces]) / FLASH))


def _cuts_between(world: World, ends: list[End], starts: list[End]) -> np.ndarray:
    """(n, m) bool: whether a new shot begins between; then place and size say nothing."""
    cuts = world.video.cut_frames
    if cuts is None or not len(cuts):
        return np.zeros((len(ends), len(starts)), dtype=bool)
    before = np.searchsorted(cuts, [end.frame for end in ends], side="right")
    after = np.searchsorted(cuts, [start.frame for start in starts], side="right")
    return np.asarray(before[:, None] < after[None])

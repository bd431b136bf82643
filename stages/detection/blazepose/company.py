"""Everybody looked for in one frame, and who was seen where two are seen in one place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stages.detection.blazepose.chains import Chain
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.hidden import near_to, stands_before
from stages.detection.blazepose.landmarks import Pose
from stages.detection.blazepose.likeness import (
    is_better,
    outgrows,
    pose_distance,
    same_person,
)

ONE_PLACE = 0.2
"""Two who were followed for a while are seen as one only where this near, in torso lengths."""


@dataclass(frozen=True, eq=False)
class Sought:
    """Somebody to be looked for in a frame."""

    chain: Chain
    expected: Pose | None
    """Where by now; None of those seen too seldom to expect anything of."""
    others: tuple[Pose, ...]
    """Who is expected near."""

    @property
    def region(self) -> Region:
        """Where to look: alone, where the last pose was; else where the way leads."""
        steady = self.others or self.chain.hidden_since_s is not None
        return self.expected.region if self.expected and steady else self.chain.region


@dataclass(frozen=True, eq=False)
class Sighting:
    """Somebody who was looked for and what was seen there."""

    sought: Sought
    pose: Pose
    is_shared: bool = False
    """Another was looked for, and the same was seen."""


def sought_in(chains: Sequence[Chain], time_s: float, least_sightings: int) -> list[Sought]:
    """Everybody to be looked for in the frame of that time."""
    expected = [c.expected(time_s) if c.sightings >= least_sightings else None for c in chains]
    return [
        Sought(chain, own, tuple(near_to(own, expected)))
        for chain, own in zip(chains, expected, strict=True)
    ]


def settled(seen: Sequence[Sighting], doubtful: Sequence[Sighting]) -> list[Sighting]:
    """One sighting of everybody: of those who became one person, the best stays.

    The best is who was expected nearest to there. Whose place a pose tells that several share is
    open; only who surely stands before the others is surely seen.

    Args:
        seen: the poses of everybody.
        doubtful: poses of those who are hidden, not good enough to count; they share, too.
    """
    kept: list[Sighting] = []
    for one in seen:
        rivals = [other for other in kept if _became_one(one, other)]
        if any(not _is_nearer_expected(one, rival) for rival in rivals):
            kept = [_shared(other, one) if other in rivals else other for other in kept]
            continue
        left = [other for other in kept if other not in rivals]
        for rival in rivals:
            one = _shared(one, rival)  # noqa: PLW2901
        kept = [*left, one]
    for other in doubtful:
        kept = [_shared(s, other) if same_person(s.pose, other.pose) else s for s in kept]
    return kept


def _became_one(one: Sighting, other: Sighting) -> bool:
    if not same_person(one.pose, other.pose):
        return False
    if one.sought.expected is None or other.sought.expected is None:
        return True
    return pose_distance(one.pose, other.pose) < ONE_PLACE


def _is_nearer_expected(one: Sighting, rival: Sighting) -> bool:
    if outgrows(one.pose, rival.pose) or outgrows(rival.pose, one.pose):
        return outgrows(one.pose, rival.pose)
    own, other = one.sought.expected, rival.sought.expected
    if own is None or other is None:
        return is_better(one.pose, rival.pose)
    return pose_distance(one.pose, own) < pose_distance(rival.pose, other)


def _shared(one: Sighting, other: Sighting) -> Sighting:
    own, rival = one.sought.expected, other.sought.expected
    if own is not None and rival is not None and stands_before(own, rival):
        return one
    return replace(one, is_shared=True)

"""People as they are followed from frame to frame, and those who were lost a moment ago."""

from dataclasses import dataclass, field

from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.landmarks import Pose
from stages.detection.blazepose.likeness import is_better, same_person
from stages.detection.blazepose.tiles import Tile

SEARCH_OVER_REGION = 1.3


@dataclass(eq=False)
class Chain:
    """One person followed through consecutive frames."""

    region: Region
    """Where to look next."""
    sightings: int = 0
    """Number of frames seen in, earlier batches included."""
    presence_sum: float = 0.0
    """Sum of the presence over all sightings."""
    poses: dict[int, Pose] = field(default_factory=dict)
    """What was seen, by position in the present batch."""
    last: Pose | None = None
    """What was seen last."""

    @property
    def mean_presence(self) -> float:
        """Mean presence over all sightings."""
        return self.presence_sum / max(1, self.sightings)

    def see(self, position: int, pose: Pose) -> None:
        """Add a sighting."""
        self.poses[position] = pose
        self.sightings += 1
        self.presence_sum += pose.presence

    def see_next(self, position: int, pose: Pose) -> None:
        """Add a sighting in the frame after the last one."""
        self.see(position, pose)
        self.region, self.last = pose.next_region, pose

    def withdraw(self) -> None:
        """Take back what was seen in this batch: it was part of somebody else."""
        self.poses.clear()


@dataclass(eq=False)
class Lost:
    """Somebody who was followed and is gone, perhaps only hidden."""

    region: Region
    """Where the person was last."""
    since_s: float
    searched_s: float
    """When the place was last searched."""

    def is_near(self, region: Region) -> bool:
        """Whether somebody found in that region may be this person."""
        away = max(abs(region.x_px - self.region.x_px), abs(region.y_px - self.region.y_px))
        return away < self.region.size_px / 2


def search_tile(region: Region) -> Tile:
    """Where to search: the detector likes a person to fill half of its picture."""
    side = region.size_px * SEARCH_OVER_REGION
    return Tile(region.x_px - side / 2, region.y_px - side / 2, side)


def settled(found: list[tuple[Chain, Pose]], chain: Chain, pose: Pose) -> list[tuple[Chain, Pose]]:
    """Add a sighting; of those that became one person, the best stays."""
    rivals = [pair for pair in found if same_person(pose, pair[1])]
    if any(not is_better(pose, rival) for _, rival in rivals):
        return found
    return [*(pair for pair in found if pair not in rivals), (chain, pose)]

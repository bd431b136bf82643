"""People as they are followed from frame to frame, and those who were lost a moment ago."""

from dataclasses import dataclass, field, replace

import numpy as np

from stages.detection.blazepose.correction import Correction
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.landmarks import Pose
from stages.detection.blazepose.place import Place, first_seen
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
    place: Place | None = None
    """Where the hips are and how they move."""
    correction: Correction | None = None
    """What a second look last said differently."""
    hidden_since_s: float | None = None
    """Since when somebody nearer hides this one."""

    @property
    def mean_presence(self) -> float:
        """Mean presence over all sightings."""
        return self.presence_sum / max(1, self.sightings)

    def see(self, position: int, pose: Pose) -> None:
        """Add a sighting."""
        self.poses[position] = pose
        self.sightings += 1
        self.presence_sum += pose.presence

    def see_next(
        self,
        position: int,
        pose: Pose,
        time_s: float,
        *,
        beside: bool = False,
        shared: bool = False,
    ) -> None:
        """Add a sighting in the frame after the last one.

        Args:
            position: of the frame in the batch.
            pose: what was seen.
            time_s: of the frame.
            beside: others are near.
            shared: the same was seen where another was looked for: whose place it tells is open.
        """
        self.see(position, pose)
        self.region, self.last, self.hidden_since_s = pose.next_region, pose, None
        hips_px = np.array([pose.next_region.x_px, pose.next_region.y_px])
        if self.place is None:
            self.place = first_seen(hips_px, time_s)
        elif not shared:
            self.place = self.place.after(hips_px, time_s, beside=beside)

    def expected(self, time_s: float) -> Pose | None:
        """The last pose where the way leads by now; None before anything was seen."""
        if self.last is None or self.place is None:
            return None
        last = self.last.next_region
        x_px, y_px = self.place.at(time_s).tolist()
        moved_px = np.array([x_px - last.x_px, y_px - last.y_px], np.float32)
        region = replace(last, x_px=x_px, y_px=y_px)
        points_px = self.last.points_px + moved_px
        return replace(self.last, points_px=points_px, region=region, next_region=region)

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

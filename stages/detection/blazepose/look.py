"""The landmark network asked for somebody, and whether what it says counts."""

from collections.abc import Sequence

from pipeline.frame import Frame
from stages.detection.blazepose.company import Sighting, Sought
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.hidden import (
    STEADY,
    STRAYED,
    beside,
    is_seen_where_hidden,
    looked_apart,
    looked_behind,
)
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import is_usable, jump, pose_distance
from stages.detection.blazepose.settings import Config


class Look:
    """Looks at one frame; remembers nothing."""

    def __init__(self, config: Config, landmarks: LandmarkNetwork):
        self._config = config
        self._landmarks = landmarks

    def everybody(
        self, frame: Frame, sought: Sequence[Sought]
    ) -> tuple[list[Sighting], list[Sighting]]:
        """Those seen where they were looked for; and doubtful sightings of those hidden."""
        regions = [one.region for one in sought]
        poses = looked_apart(self._landmarks, frame.rgb, regions, [s.expected for s in sought])
        seen = [Sighting(one, pose) for one, pose in zip(sought, poses, strict=True)]
        good = [sighting for sighting in seen if self._counts(sighting, frame)]
        return good, [s for s in seen if s not in good and self._may_be_hidden(s)]

    def _counts(self, sighting: Sighting, frame: Frame) -> bool:
        """Whether a pose is of the one who was looked for; more is asked of those hidden."""
        sought, pose = sighting.sought, sighting.pose
        if sought.chain.hidden_since_s is None or sought.expected is None:
            return self.is_person(pose, frame, self._config.min_presence)
        return self.is_person(pose, frame, self._config.min_new_presence) and is_seen_where_hidden(
            pose, sought.expected, sought.others
        )

    def _may_be_hidden(self, sighting: Sighting) -> bool:
        """Whether a pose that does not count is near where somebody hidden is expected."""
        expected = sighting.sought.expected
        if sighting.sought.chain.hidden_since_s is None or expected is None:
            return False
        near = pose_distance(sighting.pose, expected) < STRAYED
        return near and sighting.pose.presence > self._config.min_presence

    def behind(self, frame: Frame, region: Region, known: list[Pose]) -> Pose | None:
        """Somebody in the region behind those who are known, if anybody is there."""
        front = beside(region, known)
        if not front or not is_usable(region, frame.width_px, frame.height_px):
            return None
        pose = looked_behind(self._landmarks, frame.rgb, region, front)
        if pose is None or not self.is_person(pose, frame, self._config.min_new_presence):
            return None
        return pose

    def behind_twice(self, frame: Frame, region: Region, known: list[Pose]) -> Pose | None:
        """Somebody behind the people known, still there at the second look."""
        first = self.behind(frame, region, known)
        return first and self.behind(frame, first.next_region, known)

    def twice(self, frame: Frame, regions: list[Region]) -> list[Pose | None]:
        """People in the regions who are still there when the region is set by their landmarks.

        What only looks like a person falls apart at the second look, and the detector's rough
        region becomes as good as one that follows somebody.
        """
        config = self._config
        first = self._landmarks(frame.rgb, regions)
        rows = [n for n, p in enumerate(first) if self.is_person(p, frame, config.min_presence)]
        second = self._landmarks(frame.rgb, [first[row].next_region for row in rows])
        seen: list[Pose | None] = [None] * len(regions)
        for row, pose in zip(rows, second, strict=True):
            if self.is_person(pose, frame, config.min_new_presence) and jump(pose) < STEADY:
                seen[row] = pose
        return seen

    def is_person(self, pose: Pose, frame: Frame, min_presence: float) -> bool:
        """Whether the network is so sure of somebody who can be followed."""
        return pose.presence >= min_presence and is_usable(
            pose.next_region, frame.width_px, frame.height_px
        )

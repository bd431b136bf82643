"""People through the frames of a video: found by scans, followed from frame to frame.

The detector scans the whole picture now and then; between scans every person is looked for where
the last frame's landmarks say, as MediaPipe does for one. Somebody found by a scan is also followed
back to the beginning of the batch, so that nobody appears late. Somebody lost is searched for
nearby for a while. A finding that does not last is dropped.
"""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.frame import Frame
from stages.detection.blazepose.chains import Chain, Lost, settled
from stages.detection.blazepose.crops import Region, region_around
from stages.detection.blazepose.detector import (
    BODY_CIRCLE,
    HIP_CENTER,
    Candidates,
    DetectorNetwork,
)
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import (
    distinct,
    explained,
    is_usable,
    jump,
    outgrows,
    same_person,
)
from stages.detection.blazepose.schedule import ScanSchedule
from stages.detection.blazepose.settings import Config
from stages.detection.blazepose.tiles import scan

STEADY = 0.5
"""A person at rest keeps the region still: a larger `jump` from one look to the next is none."""


class PeopleFinder:
    """Finds everybody in every frame; remembers whom it follows."""

    def __init__(self, config: Config, detector: DetectorNetwork, landmarks: LandmarkNetwork):
        self._config = config
        self._detector = detector
        self._landmarks = landmarks
        self.restart()

    def restart(self) -> None:
        """Forget everybody."""
        self._followed: list[Chain] = []
        self._lost: list[Lost] = []
        self._schedule = ScanSchedule(self._config)

    def __call__(self, frames: Sequence[Frame]) -> list[list[Pose]]:
        """The people of every frame, in the order in which they were first found."""
        everybody = list(self._followed)
        scans = self._regular_scans(frames)
        for position, frame in enumerate(frames):
            self._follow(frame, position)
            if position in scans:
                found = self._newly_found(frame, position, scans[position]())
            else:
                found = self._search_lost(frame, position)
            for chain in found:
                self._follow_back(chain, frames[:position], everybody)
                everybody.append(chain)
        lasting = [chain for chain in everybody if self._lasts(chain)]
        result = [
            [chain.poses[position] for chain in lasting if position in chain.poses]
            for position in range(len(frames))
        ]
        for chain in self._followed:
            chain.poses = {}
        return result

    def _lasts(self, chain: Chain) -> bool:
        stays = chain.sightings >= self._config.min_sightings or chain in self._followed
        return stays and chain.mean_presence >= self._config.min_mean_presence

    def _regular_scans(self, frames: Sequence[Frame]) -> dict[int, Callable[[], Candidates]]:
        """Start the regular scans of this batch; they run while people are followed."""
        least_score = self._config.min_candidate_score
        due = [self._schedule.tiles_due(frame, self._followed) for frame in frames]
        return {
            position: scan(self._detector, frames[position].rgb, tiles, least_score)
            for position, tiles in enumerate(due)
            if tiles
        }

    def _follow(self, frame: Frame, position: int) -> None:
        """Look for everybody where the last frame says."""
        poses = self._landmarks(frame.rgb, [chain.region for chain in self._followed])
        found: list[tuple[Chain, Pose]] = []
        for chain, pose in zip(self._followed, poses, strict=True):
            if self._is_person(pose, frame, self._config.min_presence):
                found = settled(found, chain, pose)
        for chain, pose in found:
            chain.see_next(position, pose)
        still = [chain for chain, _ in found]
        for chain in self._followed:
            if chain not in still and self._lasts(chain):
                self._lost.append(Lost(chain.region, frame.time_s, -np.inf))
        self._followed = still

    def _search_lost(self, frame: Frame, position: int) -> list[Chain]:
        """Search around the last places of those who were lost a moment ago."""
        config, now_s = self._config, frame.time_s
        self._lost = [lost for lost in self._lost if now_s - lost.since_s <= config.search_lost_s]
        due = [lost for lost in self._lost if now_s - lost.searched_s >= config.search_every_s]
        if not due:
            return []
        for lost in due:
            lost.searched_s = now_s
        tiles = [lost.search_tile() for lost in due]
        candidates = scan(self._detector, frame.rgb, tiles, config.min_lost_score)()
        return self._newly_found(frame, position, candidates)

    def _newly_found(self, frame: Frame, position: int, candidates: Candidates) -> list[Chain]:
        """Follow the candidates that are people nobody follows yet."""
        known = [chain.poses[position] for chain in self._followed]
        unknown = distinct(candidates.taken(np.flatnonzero(~explained(candidates, known))))
        regions = [
            region_around(points[HIP_CENTER], points[BODY_CIRCLE]) for points in unknown.points_px
        ]
        chains = []
        for pose in self._seen_twice(frame, regions):
            rivals = [c for c in self._followed if same_person(pose, c.poses[position])]
            if any(not outgrows(pose, rival.poses[position]) for rival in rivals):
                continue
            for rival in rivals:
                rival.withdraw()
                self._followed.remove(rival)
            chain = Chain(pose.next_region)
            chain.see_next(position, pose)
            chains.append(chain)
            self._followed.append(chain)
            self._lost = [lost for lost in self._lost if not lost.is_near(pose.region)]
        return chains

    def _seen_twice(self, frame: Frame, regions: list[Region]) -> list[Pose]:
        """People in the regions who are still there when the region is set by their landmarks.

        What only looks like a person falls apart at the second look, and the detector's rough
        region becomes as good as one that follows somebody.
        """
        config = self._config
        usable = [r for r in regions if is_usable(r, frame.width_px, frame.height_px)]
        first = self._landmarks(frame.rgb, usable)
        better = [p.next_region for p in first if self._is_person(p, frame, config.min_presence)]
        second = self._landmarks(frame.rgb, better)
        return [
            pose
            for pose in second
            if self._is_person(pose, frame, config.min_new_presence) and jump(pose) < STEADY
        ]

    def _follow_back(self, chain: Chain, earlier: Sequence[Frame], others: list[Chain]) -> None:
        """Look for a new person in the earlier frames of the batch, too."""
        region = chain.region
        for position in reversed(range(len(earlier))):
            frame = earlier[position]
            pose = self._landmarks(frame.rgb, [region])[0]
            known = [other.poses[position] for other in others if position in other.poses]
            if not self._is_person(pose, frame, self._config.min_presence) or any(
                same_person(pose, other) for other in known
            ):
                return
            chain.see(position, pose)
            region = pose.next_region

    def _is_person(self, pose: Pose, frame: Frame, min_presence: float) -> bool:
        return pose.presence >= min_presence and is_usable(
            pose.next_region, frame.width_px, frame.height_px
        )

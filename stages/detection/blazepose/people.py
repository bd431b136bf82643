"""People through the frames of a video: found by scans, followed from frame to frame.

The detector scans the whole picture now and then; between scans every person is looked for where
the last frame's landmarks say, as MediaPipe does for one. Somebody found by a scan is also followed
back to the beginning of the batch, so that nobody appears late. Somebody lost is searched for
nearby for a while. A finding that does not last is dropped. Where the network sees somebody nearer
instead, that one is painted out and it is asked again (`hidden`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.frame import Frame
from stages.detection.blazepose.chains import Chain, Lost, search_tile, settled
from stages.detection.blazepose.crops import Region, region_around
from stages.detection.blazepose.detector import (
    BODY_CIRCLE,
    HIP_CENTER,
    Candidates,
    DetectorNetwork,
)
from stages.detection.blazepose.hidden import STEADY, beside, looked_apart, looked_behind
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import (
    distinct,
    explained,
    is_usable,
    jump,
    outgrows,
    same_person,
    upside_down_on,
)
from stages.detection.blazepose.schedule import ScanSchedule
from stages.detection.blazepose.settings import Config
from stages.detection.blazepose.tiles import scan


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
        self._company = False
        self._schedule = ScanSchedule(self._config)

    def __call__(self, frames: Sequence[Frame]) -> list[list[Pose]]:
        """The people of every frame, in the order in which they were first found."""
        everybody = list(self._followed)
        scans = self._regular_scans(frames)
        for position, frame in enumerate(frames):
            self._follow(frame, position)
            if position in scans:
                found = self._newly_found(frame, position, scans[position]())
                found += self._search_beside(frame, position)
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
        regions = [chain.region for chain in self._followed]
        least = self._config.min_sightings
        before = [chain.last if chain.sightings >= least else None for chain in self._followed]
        poses = looked_apart(self._landmarks, frame.rgb, regions, before)
        found: list[tuple[Chain, Pose]] = []
        for chain, pose in zip(self._followed, poses, strict=True):
            if self._is_person(pose, frame, self._config.min_presence):
                found = settled(found, chain, pose)
        for chain, pose in found:
            chain.see_next(position, pose)
        still = [chain for chain, _ in found]
        for chain in self._followed:
            if chain in still or not self._lasts(chain):
                continue
            known = [other.poses[position] for other in still]
            hidden = self._behind(frame, chain.region, known)
            if hidden is not None:
                chain.see_next(position, hidden)
                still.append(chain)
            else:
                self._lost.append(Lost(chain.region, frame.time_s, -np.inf))
        self._followed = still

    def _behind(self, frame: Frame, region: Region, known: list[Pose]) -> Pose | None:
        """Somebody in the region behind those who are known, if anybody is there."""
        front = beside(region, known)
        if not front or not is_usable(region, frame.width_px, frame.height_px):
            return None
        pose = looked_behind(self._landmarks, frame.rgb, region, front)
        if pose is None or not self._is_person(pose, frame, self._config.min_new_presence):
            return None
        return pose

    def _search_lost(self, frame: Frame, position: int) -> list[Chain]:
        """Search around the last places of those who were lost a moment ago."""
        config, now_s = self._config, frame.time_s
        self._lost = [lost for lost in self._lost if now_s - lost.since_s <= config.search_lost_s]
        due = [lost for lost in self._lost if now_s - lost.searched_s >= config.search_every_s]
        if not due:
            return []
        for lost in due:
            lost.searched_s = now_s
        tiles = [search_tile(lost.region) for lost in due]
        known = self._known(position)
        candidates = scan(self._detector, frame.rgb, tiles, config.min_lost_score, known)()
        return self._newly_found(frame, position, candidates, painted=True)

    def _search_beside(self, frame: Frame, position: int) -> list[Chain]:
        """Search around those who are followed, themselves painted out.

        Only once two were seen together: who was always alone has nobody behind.
        """
        self._company |= len(self._followed) > 1
        if not self._followed or not self._company:
            return []
        tiles = [search_tile(chain.region) for chain in self._followed]
        score, known = self._config.min_candidate_score, self._known(position)
        candidates = scan(self._detector, frame.rgb, tiles, score, known)()
        return self._newly_found(frame, position, candidates, painted=True)

    def _newly_found(
        self, frame: Frame, position: int, candidates: Candidates, *, painted: bool = False
    ) -> list[Chain]:
        """Follow the candidates that are people nobody follows yet.

        Those found with the people known `painted` out are looked at in the same way only: the two
        together readily give one made of both.
        """
        regions, known = (
            self._regions_of_unknown(frame, position, candidates),
            self._known(position),
        )
        hidden = [painted and bool(beside(region, known)) for region in regions]
        alone = [region for region, is_hidden in zip(regions, hidden, strict=True) if not is_hidden]
        seen = iter(self._seen_twice(frame, alone))
        chains = []
        for region, is_hidden in zip(regions, hidden, strict=True):
            pose = None if is_hidden else self._unless_known(next(seen), position)
            pose = pose or self._behind_twice(frame, region, position)
            if pose is not None and not any(upside_down_on(pose, other) for other in known):
                chains.append(self._begun(pose, position))
        return chains

    def _regions_of_unknown(
        self, frame: Frame, position: int, candidates: Candidates
    ) -> list[Region]:
        known = self._known(position)
        unknown = distinct(candidates.taken(np.flatnonzero(~explained(candidates, known))))
        regions = [
            region_around(points[HIP_CENTER], points[BODY_CIRCLE]) for points in unknown.points_px
        ]
        return [r for r in regions if is_usable(r, frame.width_px, frame.height_px)]

    def _begun(self, pose: Pose, position: int) -> Chain:
        """Somebody new, who may be one of those lost."""
        chain = Chain(pose.next_region)
        chain.see_next(position, pose)
        self._followed.append(chain)
        self._lost = [lost for lost in self._lost if not lost.is_near(pose.region)]
        return chain

    def _known(self, position: int) -> list[Pose]:
        return [chain.poses[position] for chain in self._followed]

    def _unless_known(self, pose: Pose | None, position: int) -> Pose | None:
        """The pose, unless it is of somebody known; who is a misread part of it gives way."""
        if pose is None:
            return None
        rivals = self._rivals(pose, position)
        if not all(outgrows(pose, rival.poses[position]) for rival in rivals):
            return None
        for rival in rivals:
            rival.withdraw()
            self._followed.remove(rival)
        return pose

    def _behind_twice(self, frame: Frame, region: Region, position: int) -> Pose | None:
        """Somebody behind the people known, still there at the second look."""
        known = self._known(position)
        first = self._behind(frame, region, known)
        return first and self._behind(frame, first.next_region, known)

    def _rivals(self, pose: Pose, position: int) -> list[Chain]:
        return [c for c in self._followed if same_person(pose, c.poses[position])]

    def _seen_twice(self, frame: Frame, regions: list[Region]) -> list[Pose | None]:
        """People in the regions who are still there when the region is set by their landmarks.

        What only looks like a person falls apart at the second look, and the detector's rough
        region becomes as good as one that follows somebody.
        """
        config = self._config
        first = self._landmarks(frame.rgb, regions)
        rows = [n for n, p in enumerate(first) if self._is_person(p, frame, config.min_presence)]
        second = self._landmarks(frame.rgb, [first[row].next_region for row in rows])
        seen: list[Pose | None] = [None] * len(regions)
        for row, pose in zip(rows, second, strict=True):
            if self._is_person(pose, frame, config.min_new_presence) and jump(pose) < STEADY:
                seen[row] = pose
        return seen

    def _follow_back(self, chain: Chain, earlier: Sequence[Frame], others: list[Chain]) -> None:
        """Look for a new person in the earlier frames of the batch, too."""
        region = chain.region
        for position in reversed(range(len(earlier))):
            frame = earlier[position]
            seen = self._landmarks(frame.rgb, [region])[0]
            known = [other.poses[position] for other in others if position in other.poses]
            pose: Pose | None = seen
            if not self._is_person(seen, frame, self._config.min_presence) or any(
                same_person(seen, other) for other in known
            ):
                pose = self._behind(frame, region, known)
            if pose is None:
                return
            chain.see(position, pose)
            region = pose.next_region

    def _is_person(self, pose: Pose, frame: Frame, min_presence: float) -> bool:
        return pose.presence >= min_presence and is_usable(
            pose.next_region, frame.width_px, frame.height_px
        )

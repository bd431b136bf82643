"""People through the frames of a video: found by scans, followed from frame to frame.

The detector scans the whole picture now and then (`scan_every_s`); between scans every person is
looked for where the last frame's landmarks say. Somebody found by a scan is also followed back to
the beginning of the batch, so that nobody appears late. A finding that does not last is dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.backends import BackendConfig
from pipeline.frame import Frame
from stages.detection.blazepose.crops import Region, region_around
from stages.detection.blazepose.detector import (
    BODY_CIRCLE,
    HIP_CENTER,
    Candidates,
    DetectorNetwork,
)
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import (
    SAME_PERSON,
    distinct,
    explained,
    is_usable,
    jump,
    pose_distance,
)
from stages.detection.blazepose.tiles import pyramid, scan


class Config(BackendConfig):
    """Settings of the `blazepose` backend."""

    levels: tuple[float, ...] = (1.0, 0.6, 0.4)
    """Sides of the detector's tiles over the picture's longer side; smaller finds smaller people."""
    scan_every_s: float = 0.4
    """The whole picture is searched for new people this often (video time)."""
    rescan_after_s: float = 0.1
    """When somebody is lost, the picture is searched at once, but not more often than this."""
    min_candidate_score: float = 0.5
    """What the detector must say for a place to be looked at."""
    min_new_presence: float = 0.9
    """What the landmark network must say for a new person to count."""
    min_presence: float = 0.5
    """What it must say for a person to be followed on."""
    min_sightings: int = 3
    """A person seen in fewer frames before being lost is dropped."""


@dataclass(eq=False)
class Chain:
    """One person followed through consecutive frames."""

    region: Region
    """Where to look next."""
    sightings: int = 0
    """Number of frames seen in, earlier batches included."""
    poses: dict[int, Pose] = field(default_factory=dict)
    """What was seen, by position in the present batch."""

    def see(self, position: int, pose: Pose) -> None:
        """Add a sighting in the next frame."""
        self.poses[position] = pose
        self.sightings += 1
        self.region = pose.next_region


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
        self._planned_s = -np.inf
        self._scanned_s = -np.inf

    def __call__(self, frames: Sequence[Frame]) -> list[list[Pose]]:
        """The people of every frame, in the order in which they were first found."""
        everybody = list(self._followed)
        scans = self._planned_scans(frames)
        for position, frame in enumerate(frames):
            somebody_lost = self._follow(frame, position)
            if position in scans:
                candidates = scans[position]()
            elif somebody_lost and frame.time_s - self._scanned_s >= self._config.rescan_after_s:
                candidates = self._start_scan(frame)()
            else:
                continue
            self._scanned_s = frame.time_s
            for chain in self._newly_found(frame, position, candidates):
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
        return chain.sightings >= self._config.min_sightings or chain in self._followed

    def _start_scan(self, frame: Frame) -> Callable[[], Candidates]:
        tiles = pyramid(frame.width_px, frame.height_px, self._config.levels)
        return scan(self._detector, frame.rgb, tiles, self._config.min_candidate_score)

    def _planned_scans(self, frames: Sequence[Frame]) -> dict[int, Callable[[], Candidates]]:
        """Start the regular scans of this batch; they run while people are followed."""
        scans = {}
        for position, frame in enumerate(frames):
            if frame.time_s - self._planned_s >= self._config.scan_every_s:
                scans[position] = self._start_scan(frame)
                self._planned_s = frame.time_s
        return scans

    def _follow(self, frame: Frame, position: int) -> bool:
        """Look for everybody where the last frame says; returns whether somebody was lost."""
        poses = self._landmarks(frame.rgb, [chain.region for chain in self._followed])
        found: list[tuple[Chain, Pose]] = []
        for chain, pose in zip(self._followed, poses, strict=True):
            if self._is_person(pose, frame, self._config.min_presence):
                found = _settled(found, chain, pose)
        for chain, pose in found:
            chain.see(position, pose)
        somebody_lost = len(found) < len(self._followed)
        self._followed = [chain for chain, _ in found]
        return somebody_lost

    def _newly_found(self, frame: Frame, position: int, candidates: Candidates) -> list[Chain]:
        """Follow the candidates that are people nobody follows yet."""
        known = [chain.poses[position] for chain in self._followed]
        unknown = distinct(candidates.taken(np.flatnonzero(~explained(candidates, known))))
        regions = [
            region_around(points[HIP_CENTER], points[BODY_CIRCLE]) for points in unknown.points_px
        ]
        chains = []
        for pose in self._landmarks(frame.rgb, regions):
            if not self._is_person(pose, frame, self._config.min_new_presence):
                continue
            if any(pose_distance(pose, other) < SAME_PERSON for other in known):
                continue
            known.append(pose)
            chain = Chain(pose.next_region)
            chain.see(position, pose)
            chains.append(chain)
        self._followed += chains
        return chains

    def _follow_back(self, chain: Chain, earlier: Sequence[Frame], others: list[Chain]) -> None:
        """Look for a new person in the earlier frames of the batch, too."""
        region = chain.region
        for position in reversed(range(len(earlier))):
            frame = earlier[position]
            pose = self._landmarks(frame.rgb, [region])[0]
            known = [other.poses[position] for other in others if position in other.poses]
            if not self._is_person(pose, frame, self._config.min_presence) or any(
                pose_distance(pose, other) < SAME_PERSON for other in known
            ):
                return
            chain.poses[position] = pose
            chain.sightings += 1
            region = pose.next_region

    def _is_person(self, pose: Pose, frame: Frame, min_presence: float) -> bool:
        return pose.presence >= min_presence and is_usable(
            pose.next_region, frame.width_px, frame.height_px
        )


def _settled(found: list[tuple[Chain, Pose]], chain: Chain, pose: Pose) -> list[tuple[Chain, Pose]]:
    """Add a sighting; of two that became the same person, the steadier one stays."""
    for other, other_pose in found:
        if pose_distance(pose, other_pose) < SAME_PERSON:
            if jump(other_pose) <= jump(pose):
                return found
            return [*(pair for pair in found if pair[0] is not other), (chain, pose)]
    return [*found, (chain, pose)]

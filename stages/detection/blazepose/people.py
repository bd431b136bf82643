"""People through the frames of a video: found by scans, followed from frame to frame.

The detector scans the whole picture now and then; between scans every person is looked for where
the last frame's landmarks say, as MediaPipe does for one, and beside others where the way so far
leads (`company`). Somebody found by a scan is also followed back to the beginning of the batch, so
that nobody appears late. Somebody lost is searched for nearby for a while. A finding that does not
last is dropped. Where the network sees somebody nearer instead, that one is painted out and it is
asked again (`hidden`).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline.frame import Frame
from stages.detection.blazepose.chains import Chain, Lost, search_tile
from stages.detection.blazepose.company import Sought, settled, sought_in
from stages.detection.blazepose.crops import Region, region_around
from stages.detection.blazepose.detector import (
    BODY_CIRCLE,
    HIP_CENTER,
    Candidates,
    DetectorNetwork,
)
from stages.detection.blazepose.hidden import beside
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose
from stages.detection.blazepose.likeness import (
    distinct,
    explained,
    is_usable,
    outgrows,
    pose_distance,
    same_person,
    upside_down_on,
)
from stages.detection.blazepose.look import Look
from stages.detection.blazepose.memory import (
    LOST_ROW,
    ROW,
    chains_of,
    lost_of,
    lost_rows_of,
    rows_of,
)
from stages.detection.blazepose.schedule import ScanSchedule
from stages.detection.blazepose.second import SecondLook
from stages.detection.blazepose.settings import Config
from stages.detection.blazepose.tiles import scan

SAME_HIDDEN = 1.0
"""Somebody new this near to where one hidden is expected, in torso lengths, is that one."""


class PeopleFinder:
    """Finds everybody in every frame; remembers whom it follows."""

    def __init__(
        self,
        config: Config,
        detector: DetectorNetwork,
        landmarks: LandmarkNetwork,
        second: SecondLook | None = None,
    ):
        self._config = config
        self._second = second
        self._detector = detector
        self._landmarks = landmarks
        self._look = Look(config, landmarks)
        self.restart()

    def restart(self) -> None:
        """Forget everybody."""
        self._followed: list[Chain] = []
        self._lost: list[Lost] = []
        self._hidden: list[Chain] = []
        self._company = False
        self._schedule = ScanSchedule(self._config)

    def remembered(self) -> dict[str, np.ndarray]:
        """Whom it follows, hidden or not, and who was lost, as finite numbers; between batches."""
        return {
            "chains": rows_of([*self._followed, *self._hidden]),
            "lost": lost_rows_of(self._lost),
            "company": np.array([float(self._company)]),
        }

    def remember(self, known: Mapping[str, np.ndarray]) -> None:
        """Go on with these people, whatever came before; the picture is searched at once.

        Raises:
            ValueError, KeyError: it is not what `remembered` gives.
        """
        for name, shape in (("chains", (ROW,)), ("lost", (LOST_ROW,)), ("company", ())):
            rows = known[name]
            if rows.dtype != np.float64 or rows.shape[1:] != shape:
                raise ValueError(f"{name} is of another form")
            if not np.isfinite(rows).all():
                raise ValueError(f"{name} holds numbers that are not finite")
        self.restart()
        chains = chains_of(known["chains"])
        self._followed = [chain for chain in chains if chain.hidden_since_s is None]
        self._hidden = [chain for chain in chains if chain.hidden_since_s is not None]
        self._lost = lost_of(known["lost"])
        self._company = bool(known["company"].any())

    def __call__(self, frames: Sequence[Frame]) -> list[list[Pose]]:
        """The people of every frame, in the order in which they were first found."""
        everybody = [*self._followed, *self._hidden]
        scans = self._regular_scans(frames)
        asked = self._second.positions(frames) if self._second else set()
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
            if self._second and position in asked:
                self._second.ask(frame, position, self._followed)
        lasting = [chain for chain in everybody if self._lasts(chain)]
        if self._second:
            self._second.correct(lasting, frames)
        result = [
            [chain.poses[position] for chain in lasting if position in chain.poses]
            for position in range(len(frames))
        ]
        for chain in (*self._followed, *self._hidden):
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
        """Look for everybody where the way so far leads, for those hidden a moment, too."""
        still_hidden = [chain for chain in self._hidden if self._is_waited_for(chain, frame)]
        chains = [*self._followed, *still_hidden]
        sought = sought_in(chains, frame.time_s, self._config.min_sightings)
        for seen in settled(*self._look.everybody(frame, sought)):
            near = bool(seen.sought.others)
            seen.sought.chain.see_next(
                position, seen.pose, frame.time_s, beside=near, shared=seen.is_shared
            )
        still = [chain for chain in chains if position in chain.poses]
        self._hidden = [chain for chain in still_hidden if chain not in still]
        for chain in still_hidden:
            if chain in still:
                self._lost = [lost for lost in self._lost if not lost.is_near(chain.region)]
        for one in sought[: len(self._followed)]:
            if one.chain not in still and self._lasts(one.chain):
                self._miss(one, frame, position, still)
        self._followed = still

    def _is_waited_for(self, chain: Chain, frame: Frame) -> bool:
        away, since_s = chain.expected(frame.time_s), chain.hidden_since_s
        if away is None or since_s is None or frame.time_s - since_s > self._config.search_lost_s:
            return False
        return is_usable(away.region, frame.width_px, frame.height_px)

    def _miss(self, sought: Sought, frame: Frame, position: int, still: list[Chain]) -> None:
        """Somebody not seen: behind those who are, or lost; beside them, hidden for a while."""
        chain, known = sought.chain, [other.poses[position] for other in still]
        behind = self._look.behind(frame, chain.region, known)
        if behind is not None:
            chain.see_next(position, behind, frame.time_s, beside=True)
            still.append(chain)
            return
        self._lost.append(Lost(chain.region, frame.time_s, -np.inf))
        if sought.expected is not None and beside(chain.region, known):
            chain.hidden_since_s = frame.time_s
            self._hidden.append(chain)

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
        seen = iter(self._look.twice(frame, alone))
        chains = []
        for region, is_hidden in zip(regions, hidden, strict=True):
            pose = None if is_hidden else self._unless_known(next(seen), position)
            pose = pose or self._look.behind_twice(frame, region, known)
            if pose is not None and not any(upside_down_on(pose, other) for other in known):
                chains.append(self._begun(pose, position, frame.time_s))
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

    def _begun(self, pose: Pose, position: int, time_s: float) -> Chain:
        """Somebody new, who may be one of those lost or hidden."""
        chain = Chain(pose.next_region)
        chain.see_next(position, pose, time_s)
        self._followed.append(chain)
        self._lost = [lost for lost in self._lost if not lost.is_near(pose.region)]
        away = {id(c): c.expected(time_s) for c in self._hidden}
        off = {n: pose_distance(pose, e) for n, e in away.items() if e is not None}
        nearest = min(off, key=lambda n: off[n], default=None)
        if nearest is not None and off[nearest] < SAME_HIDDEN:
            self._hidden = [c for c in self._hidden if id(c) != nearest]
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

    def _rivals(self, pose: Pose, position: int) -> list[Chain]:
        return [c for c in self._followed if same_person(pose, c.poses[position])]

    def _follow_back(self, chain: Chain, earlier: Sequence[Frame], others: list[Chain]) -> None:
        """Look for a new person in the earlier frames of the batch, too."""
        region = chain.region
        for position in reversed(range(len(earlier))):
            frame = earlier[position]
            seen = self._landmarks(frame.rgb, [region])[0]
            known = [other.poses[position] for other in others if position in other.poses]
            pose: Pose | None = seen
            if not self._look.is_person(seen, frame, self._config.min_presence) or any(
                same_person(seen, other) for other in known
            ):
                pose = self._look.behind(frame, region, known)
            if pose is None:
                return
            chain.see(position, pose)
            region = pose.next_region

"""Association over the whole video: what followed from frame to frame is judged again, at once.

Tracks are cut where they may be wrong (where two meet, after an absence), and the pieces are put
together anew so that the evidence over all links is best: a minimum-cost cover of the pieces by
paths, which is an assignment of ends to beginnings. What was one track before keeps a bonus, so
that only evidence undoes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from scipy.optimize import linear_sum_assignment

from pipeline.blocks import blocks
from pipeline.boxes import paired_iou
from pipeline.context import Context
from stages.tracking.phalp.changes import look_changes
from stages.tracking.phalp.contacts import Contact, contacts_of, cut_at, cut_frame, windows_of
from stages.tracking.phalp.links import OVERLAP_S, Evidence, link_evidence
from stages.tracking.phalp.strays import Stray, given_back, strays_in
from stages.tracking.phalp.tracklets import Tracklet, World, tracklet_of

KEPT_CONTACT, KEPT_ABSENCE, KEPT_STEADY = 3.5, 1.5, 12.0
"""What speaks for leaving two pieces of one track together: at a meeting, after an absence, and
where it went on without either, however it looked."""
WENT_ON_FRAMES = 3
ABSENCE_S = 0.35
"""After a longer absence a track is judged again."""
ROUNDS = 2
SAME_PLACE_IOU, SAME_PLACE_SHARE = 0.6, 0.7
"""Of two tracks that overlap by this, for this share of the shorter, the shorter is a duplicate."""
MOST_EVENTS = 40
A_LITTLE_S = 1e-3
ROWS = 200
"""Pieces that are held against all others at a time."""


@dataclass(frozen=True)
class Piece:
    """A piece, and the track that it was cut from."""

    tracklet: Tracklet
    track: int
    after_contact: Contact | None
    """The meeting at which it was cut from what came before."""


def associated(
    world: World, tracks: Sequence[np.ndarray], most_gap_s: float, context: Context
) -> list[np.ndarray]:
    """The tracks of a video, judged again as a whole; every change is an event."""
    teller = _Teller(context)
    tracks = without_duplicates(world, list(tracks), teller)
    for round_number in range(ROUNDS):
        if len(tracks) < 1:
            break
        tracks = _relinked(world, tracks, most_gap_s, teller, cut=round_number == 0)
    strays = strays_in(world, tracks)
    _tell_strays(world, strays, teller)
    tracks = given_back(world, tracks, strays)
    teller.finish()
    return tracks


def _relinked(
    world: World, tracks: list[np.ndarray], most_gap_s: float, teller: "_Teller", *, cut: bool
) -> list[np.ndarray]:
    pieces = _pieces(world, tracks, cut=cut)
    following = best_links(_costs(world, pieces, most_gap_s))
    _tell(world, pieces, following, teller)
    return _chains(world, pieces, following)


def _costs(world: World, pieces: list[Piece], most_gap_s: float) -> Float64[np.ndarray, "n n"]:
    """Of every link: the evidence against it, less what speaks for the order found before.

    Of some pieces at a time against those that begin soon enough after them: an hour has thousands
    of pieces, and the evidence a dozen matrices of them.
    """
    tracklets = [piece.tracklet for piece in pieces]
    start_s = np.array([tracklet.start.time_s for tracklet in tracklets])
    cost = np.full((len(pieces), len(pieces)), np.inf)
    for rows in blocks(len(pieces), ROWS):
        end_s = [tracklet.end.time_s for tracklet in tracklets[rows]]
        soon = (start_s >= min(end_s) - OVERLAP_S) & (
            start_s <= max(end_s) + most_gap_s + A_LITTLE_S
        )
        if soon.any():
            near = [tracklets[number] for number in np.flatnonzero(soon)]
            cost[rows, soon] = link_evidence(world, tracklets[rows], near, most_gap_s).total
    for row, (before, after) in enumerate(pairwise(pieces)):
        if before.track == after.track:
            cost[row, row + 1] -= _kept(before, after)
    return cost


def best_links(cost: Float64[np.ndarray, "n n"]) -> dict[int, int]:
    """The links of least total cost; every piece has at most one before and one after it.

    The matrix is used up: of an hour it is large.
    """
    worth = np.minimum(cost, 0.0, out=cost)
    worth[~np.isfinite(worth)] = 0.0
    return {
        int(first): int(second)
        for first, second in zip(*linear_sum_assignment(worth), strict=True)
        if worth[first, second] < 0
    }


def _pieces(world: World, tracks: list[np.ndarray], *, cut: bool) -> list[Piece]:
    contacts = contacts_of(world, tracks) if cut else []
    pieces = []
    for number, track in enumerate(tracks):
        own = windows_of(world, tracks, contacts, number)
        frames = [cut_frame(world, track, window) for window in own]
        frames += look_changes(world, track) if cut else []
        parts = cut_at(world, track, frames, ABSENCE_S) if cut else [track]
        for part in parts:
            first = int(world.frame[part[0]])
            met = [c for c in own if c.start_frame - 2 <= first <= c.end_frame + 2]
            pieces.append(Piece(tracklet_of(world, part), number, met[0] if met else None))
    return pieces


def _kept(before: Piece, after: Piece) -> float:
    if after.after_contact:
        return KEPT_CONTACT
    went_on = after.tracklet.start.frame - before.tracklet.end.frame <= WENT_ON_FRAMES
    return KEPT_STEADY if went_on else KEPT_ABSENCE


def _chains(world: World, pieces: list[Piece], following: dict[int, int]) -> list[np.ndarray]:
    """Sightings of linked pieces, in order of time; where two overlap, those of the later one."""
    later = set(following.values())
    chains = []
    for start in range(len(pieces)):
        if start in later:
            continue
        chain, at = [], start
        while at in following:
            rows = pieces[at].tracklet.rows
            at = following[at]
            chain.append(rows[world.frame[rows] < pieces[at].tracklet.start.frame])
        chain.append(pieces[at].tracklet.rows)
        chains.append(np.concatenate(chain))
    return chains


def without_duplicates(
    world: World, tracks: list[np.ndarray], teller: "_Teller"
) -> list[np.ndarray]:
    """Without tracks that follow a longer one in the same place."""
    order = sorted(range(len(tracks)), key=lambda n: -len(tracks[n]))
    starts, ends = (np.array([world.frame[track[end]] for track in tracks]) for end in (0, -1))
    kept: list[int] = []
    for number in order:
        meanwhile = (starts[kept] <= ends[number]) & (ends[kept] >= starts[number])
        others = (kept[place] for place in np.flatnonzero(meanwhile))
        twin = next((k for k in others if _same_place(world, tracks[k], tracks[number])), None)
        if twin is None:
            kept.append(number)
        else:
            first, last = world.frame[tracks[number][[0, -1]]]
            teller.drop(
                f"A track of {len(tracks[number])} frames ({first} to {last}) repeats a longer "
                "one in the same place; it is dropped.",
                int(first),
            )
    return [tracks[number] for number in sorted(kept)]


def _same_place(world: World, longer: np.ndarray, shorter: np.ndarray) -> bool:
    shared, a, b = np.intersect1d(world.frame[longer], world.frame[shorter], return_indices=True)
    if len(shared) < SAME_PLACE_SHARE * len(shorter):
        return False
    boxes = world.boxes_xyxy_px
    overlap = paired_iou(boxes[longer[a]], boxes[shorter[b]])
    return bool(np.median(overlap) > SAME_PLACE_IOU)


def _tell(world: World, pieces: list[Piece], following: dict[int, int], teller: "_Teller") -> None:
    """Events for links between tracks, swaps undone, and tracks parted."""
    for first, second in sorted(following.items()):
        a, b = pieces[first], pieces[second]
        if a.track == b.track:
            continue
        seen_to, seen_from = a.tracklet.end.frame, b.tracklet.start.frame
        evidence = _evidence_of(world, a, b)
        why = evidence.told(0, 0)
        if b.after_contact and seen_from - seen_to <= 2 + ABSENCE_S * world.video.fps:
            teller.info(f"Two people who met changed places; undone: {why}.", seen_from)
        else:
            gap = max(evidence.gap_s[0, 0], 0.0)
            teller.info(
                f"Somebody last seen in frame {seen_to} is the one seen from frame {seen_from} on "
                f"({gap:.2f} s later): {why}.",
                seen_from,
            )
    for row, (a, b) in enumerate(pairwise(pieces)):
        if a.track == b.track and following.get(row) != row + 1:
            why = _evidence_of(world, a, b).told(0, 0)
            start = b.tracklet.start.frame
            teller.info(f"A track was parted before frame {start}: {why}.", start)


def _tell_strays(world: World, strays: list[Stray], teller: "_Teller") -> None:
    """One event for those of one track and one owner."""
    frames: dict[tuple[int, int], list[int]] = {}
    for stray in strays:
        pair = (stray.track, stray.owner)
        frames.setdefault(pair, []).append(int(world.frame[stray.row]))
    for own in frames.values():
        teller.info(
            f"{len(own)} sightings (frames {own[0]} to {own[-1]}) lie on the way of somebody who "
            "was away then, and aside of the track that they were in; they are that one's.",
            own[0],
        )


def _evidence_of(world: World, first: Piece, second: Piece) -> Evidence:
    """Of one link, however long the absence."""
    return link_evidence(world, [first.tracklet], [second.tracklet], np.inf)


@dataclass
class _Teller:
    """Events of the association, the first ones one by one."""

    context: Context
    count: int = 0

    def info(self, text: str, frame: int) -> None:
        """Something decided."""
        self._record("info", text, frame)

    def drop(self, text: str, frame: int) -> None:
        """Something left out."""
        self._record("drop", text, frame)

    def _record(self, kind: str, text: str, frame: int) -> None:
        self.count += 1
        if self.count <= MOST_EVENTS:
            self.context.events.record("tracking", kind, text, frame_index=frame)  # type: ignore[arg-type]

    def finish(self) -> None:
        """How many were not told one by one."""
        if self.count > MOST_EVENTS:
            self.context.events.record(
                "tracking",
                "info",
                f"{self.count - MOST_EVENTS} more decisions over the whole video.",
            )

"""Frame after frame in blocks, each a part that outlives an interruption (`pipeline.parts`).

A tracker's state goes on from block to block as plain arrays, whether the block was made now or
read back, so that an interrupted film comes to the same tracks.
"""

from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from pipeline.blocks import blocks
from pipeline.context import Context
from pipeline.parts import Arrays

BLOCK_FRAMES = 500


@runtime_checkable
class Follower(Protocol):
    """A tracker at work."""

    sighted: list[tuple[int, int]]
    """Since this was emptied: numbers of tracks, in order of their birth, and the detections in
    which they were seen."""
    repeated: list[int]
    """Since then: frames of detections left out because they repeat another."""

    def see(self, number: int) -> None:
        """Take in the next frame, by its number from 0."""

    def state(self) -> Arrays:
        """All that later frames depend on."""

    def go_on_from(self, state: Arrays) -> None:
        """Take up such a state, whatever the present one."""


@dataclass(frozen=True)
class Followed:
    """What was found from frame to frame."""

    tracks: list[Int64[np.ndarray, " _"]]
    """Detections of every track, in order of its birth."""
    repeated: list[int]
    """Frames of detections that repeat another."""


def follow(follower: Follower, frames: int, context: Context) -> Followed:
    """Lead a tracker through so many frames."""
    sighted, repeated = [np.zeros((0, 2), np.int64)], list[int]()
    with context.progress("Tracking", frames) as advance:
        for number, block in enumerate(blocks(frames, BLOCK_FRAMES)):
            arrays = context.parts.get(f"frames {number}", partial(_through, follower, block))
            state = {key: array.copy() for key, array in arrays.items()}  # the part stays as it is
            sighted.append(state.pop("sighted"))
            repeated += state.pop("repeated").tolist()
            follower.go_on_from(state)
            advance(block.stop - block.start)
    return Followed(_by_track(np.concatenate(sighted)), repeated)


def _through(follower: Follower, block: slice) -> Arrays:
    follower.sighted, follower.repeated = [], []
    for number in range(block.start, block.stop):
        follower.see(number)
    return {
        **follower.state(),
        "sighted": np.array(follower.sighted, np.int64).reshape(-1, 2),
        "repeated": np.array(follower.repeated, np.int64),
    }


def _by_track(sighted: Int64[np.ndarray, "n 2"]) -> list[Int64[np.ndarray, " _"]]:
    """Detections of each track, in the order in which they were made."""
    if not len(sighted):
        return []
    order = np.argsort(sighted[:, 0], kind="stable")
    track, detection = sighted[order].T
    return np.split(detection, np.flatnonzero(np.diff(track)) + 1)

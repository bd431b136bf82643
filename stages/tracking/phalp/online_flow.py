"""The project's own evidence (`online`) led through a film, block by block."""

from dataclasses import fields

import numpy as np

from pipeline.context import Context
from pipeline.parts import Arrays
from pipeline.types import Bodies
from stages.tracking._in_blocks import Followed, follow
from stages.tracking._motion import Motion
from stages.tracking.phalp.facing import facing_of
from stages.tracking.phalp.frames import Frames
from stages.tracking.phalp.looks import Look, look_of
from stages.tracking.phalp.online import OnlineSettings, OnlineTracks, Seen

PLAIN = ("who", "seen_s", "last", "facing")
MOTION = tuple(field.name for field in fields(Motion))


def follow_evidence(
    frames: Frames, bodies: Bodies, settings: OnlineSettings, context: Context
) -> Followed:
    """Sightings of every track, the short ones too, and the frames of repeated detections."""
    return follow(_Follower(frames, bodies, settings), len(frames), context)


class _Follower(OnlineTracks):
    """Online tracks that find for themselves what is to be seen."""

    def __init__(self, frames: Frames, bodies: Bodies, settings: OnlineSettings) -> None:
        super().__init__(settings)
        self._frames, self._facing = frames, facing_of(bodies)
        appearance = bodies.appearance
        self._looks = np.zeros((len(bodies), 0)) if appearance is None else appearance

    def see(self, number: int) -> None:
        """Take in the next frame."""
        one = self._frames[number]
        self.repeated += [one.frame] * one.repeated
        index = one.found.index
        seen = Seen(one.found, look_of(self._looks[index]), self._facing[index])
        self.step(seen, one.time_s, one.frame, is_cut=one.is_cut)

    def state(self) -> Arrays:
        """See `Follower`."""
        return state_of(self)

    def go_on_from(self, state: Arrays) -> None:
        """See `Follower`."""
        self.count, self.time_s = int(state["count"]), float(state["time_s"])
        for name in PLAIN:
            setattr(self, name, state[name])
        self.motion = Motion(**{name: state[f"motion.{name}"] for name in MOTION})
        self.landmarks_px = state.get("landmarks_px")
        has_look = "look.mean" in state
        self.look = Look(state["look.mean"], state["look.weight"]) if has_look else None


def state_of(tracks: OnlineTracks) -> Arrays:
    """All that is known of the tracks that are followed."""
    state = {name: getattr(tracks, name) for name in PLAIN}
    state |= {f"motion.{name}": getattr(tracks.motion, name) for name in MOTION}
    state |= {"count": np.array(tracks.count), "time_s": np.array(tracks.time_s)}
    if tracks.landmarks_px is not None:
        state["landmarks_px"] = tracks.landmarks_px
    if tracks.look is not None:
        state |= {"look.mean": tracks.look.mean, "look.weight": tracks.look.weight}
    return state

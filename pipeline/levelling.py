"""Export axes that stand on the floor: level, with height 0 where the people stand.

The floor is the one that the report and the viewer show (`pipeline.judging.floor`): a plane through
standing feet. The camera's tilt and roll against it are taken out; the camera's heading stays.
"""

from dataclasses import replace

import numpy as np

from pipeline.events import EventLog, Kind
from pipeline.judging.feet import find_stance
from pipeline.judging.floor import Floor, find_floor
from pipeline.judging.posed import pose_person
from pipeline.skeletons import SMPL24
from pipeline.take import Take
from pipeline.types import Person

FRAMES_AT_ONCE = 64
"""Posed at a time, which bounds the memory."""
_FEET = SMPL24.indices(*(f"{s}_{part}" for s in ("left", "right") for part in ("ankle", "foot")))


def floor_of(take: Take) -> Floor:
    """The floor under everybody in a take (give the whole result's for the report's own)."""
    posed = [pose_person(person, take.body) for person in take.people]
    return find_floor(posed, [find_stance(one, take.camera) for one in posed])


def on_floor(take: Take, floor: Floor) -> Take:
    """The take in level axes, the first person above the origin.

    Height 0 is the floor where standing feet tell it, else the lowest sole of the take.
    """
    level = replace(take, floor_axes=floor.axes, shift_m=(0.0, 0.0, 0.0))
    up = 1 if take.up == "y" else 2
    first = min(take.people, key=lambda person: (person.frame_index[0], person.id))
    shift_m = -level.posed(first, slice(0, 1)).joints_m[0, 0].numpy()
    if floor.is_told:
        shift_m[up] = -float(floor.point_m @ floor.up)
    else:
        shift_m[up] = -min(_lowest_sole_m(level, person, up) for person in take.people)
    x, y, z = (float(value) for value in shift_m)
    return replace(level, shift_m=(x, y, z))


def tell_floor(floor: Floor, events: EventLog) -> None:
    """How the camera was held against the floor, and where height 0 is."""
    x, y, z = floor.up / np.linalg.norm(floor.up)
    down_deg, roll_deg = float(np.degrees(np.arcsin(-z))), float(np.degrees(np.arctan2(x, -y)))
    if floor.is_told:
        where = "height 0 is the floor through standing feet"
    elif floor.source == "lowest feet":
        where = "nobody's feet stand in the picture: level by the lowest feet, height 0 the lowest"
    else:
        where = "no floor was found: as level as the camera, height 0 is the lowest sole"
    slant = f"the camera looked {down_deg:.1f} degrees down and was rolled by {roll_deg:.1f}"
    kind: Kind = "info" if floor.is_told else "assumption"
    events.record("export", kind, f"--floor: {where}; {slant}")


def _lowest_sole_m(take: Take, person: Person, up: int) -> float:
    """Lowest height of a foot's skin over all frames in which the body is to be believed."""
    feet = (take.body.weights[:, list(_FEET)].sum(1) > 0.5).nonzero()[:, 0]  # noqa: PLR2004
    lowest_m = np.inf
    for start in range(0, len(person), FRAMES_AT_ONCE):
        rows = slice(start, start + FRAMES_AT_ONCE)
        heights_m = take.posed(person, rows).vertices(feet)[..., up].numpy()
        lowest_m = min(lowest_m, heights_m[person.drawn[rows]].min(initial=np.inf))
    return float(lowest_m)

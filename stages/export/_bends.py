"""What a format loses that knows skinning but not SMPL's corrections of the bent body."""

import numpy as np
import torch

from pipeline.context import Context
from pipeline.take import Take
from pipeline.types import Person

LOOKED_AT = 20


def tell_lost_bends(take: Take, format_name: str, context: Context) -> None:
    """Record how far the skin moves at most because pose corrections are left out."""
    if take.body.posedirs is None:
        return
    lost_mm = max(_lost_mm(take, person) for person in take.people)
    context.events.record(
        "export",
        "drop",
        f"{format_name} has no place for the body's pose corrections: its skin lies up to "
        f"{lost_mm:.1f} mm off (joints are exact). obj and ply hold the full skin",
    )


def _lost_mm(take: Take, person: Person) -> float:
    model = take.exact_body
    assert model.posedirs is not None
    pose = take.posed(person).pose_rotmat[:: max(1, len(person) // LOOKED_AT), 1:]
    bends = (pose - torch.eye(3, dtype=pose.dtype)).flatten(1)
    moved = bends @ model.posedirs.flatten(0, 1).mT
    return 1000 * float(np.linalg.norm(moved.unflatten(-1, (-1, 3)).numpy(), axis=-1).max())

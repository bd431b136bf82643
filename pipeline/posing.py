"""People posed for drawing: the bodies of a stretch of frames, in their colours."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from pipeline.body import BodyModel
from pipeline.palette import colour_of
from pipeline.types import Person, PosedMesh, Status

ALPHA_WHERE_FILLED = 0.55
"""Bodies between sightings are drawn fainter."""


@dataclass(frozen=True)
class Poser:
    """Poses everybody for a stretch of frames."""

    people: tuple[Person, ...]
    body: BodyModel

    @cached_property
    def _shaped(self) -> dict[int, Any]:
        return {p.id: self.body.with_shape(torch.from_numpy(p.betas)) for p in self.people}

    def meshes(self, start: int, end: int) -> list[list[PosedMesh]]:
        """The bodies to draw in each of the source frames start..end-1."""
        frames: list[list[PosedMesh]] = [[] for _ in range(start, end)]
        for person in self.people:
            first = int(person.frame_index[0])
            rows = np.arange(max(start - first, 0), min(end - first, len(person)))
            rows = rows[person.drawn[rows]] if len(rows) else rows
            for row, vertices_m in zip(rows, self._vertices(person, rows), strict=True):
                frames[row + first - start].append(_mesh(person, int(row), vertices_m))
        return frames

    def _vertices(self, person: Person, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.zeros((0, 0, 3), np.float32)
        posed = self._shaped[person.id].with_pose(
            torch.from_numpy(person.pose_rotvec[rows]), torch.from_numpy(person.t_camera_m[rows])
        )
        return posed.vertices().numpy()


def _mesh(person: Person, row: int, vertices_m: np.ndarray) -> PosedMesh:
    observed = person.status[row] == Status.OBSERVED
    return PosedMesh(
        person_id=person.id,
        vertices_camera_m=vertices_m,
        rgb=colour_of(person.id),
        alpha=1.0 if observed else ALPHA_WHERE_FILLED,
        label=str(person.id),
    )

"""The second and last pass over pixels: every body drawn over its frame, into a video.

Decoding runs ahead in a thread and encoding in a process of its own, while bodies are posed
(a block of frames at a time) and drawn here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.body import BodyModel
from pipeline.composite import blend_on_yuv
from pipeline.context import Context
from pipeline.encode import OverlayWriter
from pipeline.overlap import prefetch
from pipeline.palette import colour_of
from pipeline.types import Camera, Person, PosedMesh, Status, Video
from pipeline.video import Frame, read_frames

BLOCK_FRAMES = 16
PREFETCHED_FRAMES = 6
ALPHA_WHERE_FILLED = 0.55


@dataclass(frozen=True)
class Overlay:
    """What to draw, and with what."""

    people: tuple[Person, ...]
    camera: Camera
    renderer: Any
    context: Context
    decoder: str = "pyav"

    def write(self, path: Path, video: Video) -> list[Path]:
        """Draw everybody over every frame; the file has the video's frames at their times."""
        context, faces = self.context, self.context.body.faces
        poser = _Poser(self.people, context.body)
        frames = read_frames(video, decoder=self.decoder, events=context.events)
        with (
            context.progress("Drawing", video.frame_count) as advance,
            prefetch(frames, PREFETCHED_FRAMES) as ahead,
            OverlayWriter(path, video, events=context.events) as writer,
        ):
            for frame, meshes in _with_meshes(islice(ahead, video.frame_count), poser):
                size_px = (frame.width_px, frame.height_px)
                layer = self.renderer(meshes, faces, self.camera.K_px, *size_px)
                image = frame.yuv420()
                blend_on_yuv(layer, image)
                writer.write(image, frame.time_s)
                advance(1)
        return [path]


def _with_meshes(
    frames: Iterator[Frame], poser: "_Poser"
) -> Iterator[tuple[Frame, list[PosedMesh]]]:
    """Every frame with the bodies in it; a block of frames is posed at once."""
    while block := list(islice(frames, BLOCK_FRAMES)):
        yield from zip(block, poser.meshes(block[0].index, block[-1].index + 1), strict=True)


@dataclass(frozen=True)
class _Poser:
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

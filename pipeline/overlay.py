"""The second and last pass over pixels: every body drawn over its frame, into a video.

Decoding runs ahead in a thread and encoding in a process of its own, while bodies are posed
(a block of frames at a time) and drawn here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.composite import blend_on_yuv
from pipeline.context import Context
from pipeline.encode import OverlayWriter
from pipeline.overlap import prefetch
from pipeline.posing import Poser
from pipeline.types import Camera, Person, PosedMesh, Video
from pipeline.video import Frame, read_frames

BLOCK_FRAMES = 16
PREFETCHED_FRAMES = 6


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
        poser = Poser(self.people, context.body)
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
    frames: Iterator[Frame], poser: "Poser"
) -> Iterator[tuple[Frame, list[PosedMesh]]]:
    """Every frame with the bodies in it; a block of frames is posed at once."""
    while block := list(islice(frames, BLOCK_FRAMES)):
        yield from zip(block, poser.meshes(block[0].index, block[-1].index + 1), strict=True)

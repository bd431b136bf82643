"""The second and last pass over pixels: every body drawn over its frame, into a video.

Decoding runs ahead in a thread and encoding in a process of its own, while bodies are posed
(a block of frames at a time) and drawn here.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.composite import blend_on_yuv
from pipeline.context import Context
from pipeline.encode import OverlayWriter
from pipeline.overlap import prefetch
from pipeline.posing import Poser
from pipeline.types import Camera, Layer, Person, PosedMesh, Video
from pipeline.video import Frame, read_frames

BLOCK_FRAMES = 16
PREFETCHED_FRAMES = 6
FRAMES_IN_FLIGHT = 3
"""So many frames may be with a GPU before the first is asked for."""


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
        context = self.context
        poser = Poser(self.people, context.body)
        frames = read_frames(video, decoder=self.decoder, events=context.events)
        with (
            context.progress("Drawing", video.frame_count) as advance,
            prefetch(frames, PREFETCHED_FRAMES) as ahead,
            OverlayWriter(path, video, events=context.events) as writer,
        ):
            for frame, layer in self._drawn(islice(ahead, video.frame_count), poser):
                image = frame.yuv420()
                blend_on_yuv(layer, image)
                writer.write(image, frame.time_s)
                advance(1)
        return [path]

    def _drawn(self, frames: Iterator[Frame], poser: Poser) -> Iterator[tuple[Frame, Layer]]:
        """Every frame with what was drawn; a renderer that can has some frames in flight."""
        begin = getattr(self.renderer, "begin", None)
        flying: deque[tuple[Frame, Callable[[], Layer]]] = deque()
        for frame, meshes in _with_meshes(frames, poser):
            size_px = (frame.width_px, frame.height_px)
            view = (meshes, self.context.body.faces, self.camera.K_px, *size_px)
            if begin is None:
                yield frame, self.renderer(*view)
                continue
            flying.append((frame, begin(*view)))
            if len(flying) > FRAMES_IN_FLIGHT:
                done, layer = flying.popleft()
                yield done, layer()
        for done, layer in flying:
            yield done, layer()


def _with_meshes(frames: Iterator[Frame], poser: Poser) -> Iterator[tuple[Frame, list[PosedMesh]]]:
    """Every frame with the bodies in it; a block of frames is posed at once."""
    while block := list(islice(frames, BLOCK_FRAMES)):
        yield from zip(block, poser.meshes(block[0].index, block[-1].index + 1), strict=True)

"""The second and last pass over pixels: every body drawn over its frame, into a video.

Decoding runs ahead in a thread and encoding in a process of its own, while bodies are posed
(a block of frames at a time) and drawn here. The film is written in segments, so that an
interrupted run goes on where it stopped.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pipeline.composite import blend_on_yuv
from pipeline.context import Advance, Context
from pipeline.encode import record_padding
from pipeline.overlap import prefetch
from pipeline.posing import Poser
from pipeline.segments import SEGMENT_FRAMES, Picture, Segments
from pipeline.types import Camera, Layer, Person, PosedMesh, Video
from pipeline.video import Frame, read_frames

BLOCK_FRAMES = 16
"""Divides a segment, so that a continued run poses the same blocks."""
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

    def write(self, path: Path, video: Video, unfinished: Path) -> list[Path]:
        """Draw everybody over every frame; the file has the video's frames at their times.

        Args:
            path: the mp4 to write.
            video: with the times of the frames that really decode.
            unfinished: folder for segments; those that are there already are not drawn again.
        """
        context = self.context
        record_padding(video.width_px, video.height_px, context.events)
        segments = Segments(unfinished, video, context.events)
        done = segments.whole()
        with context.progress("Drawing", video.frame_count) as advance:
            advance(min(done * SEGMENT_FRAMES, video.frame_count))
            if done * SEGMENT_FRAMES < video.frame_count:
                self._write_from(done, segments, video, advance)
        segments.join(path)
        return [path]

    def _write_from(self, number: int, segments: Segments, video: Video, advance: Advance) -> None:
        """Write the segments from one on."""
        poser = Poser(self.people, self.context.body)
        done = number * SEGMENT_FRAMES
        frames = read_frames(
            video,
            first_frame=video.first_frame + done,
            decoder=self.decoder,
            events=self.context.events,
        )
        with prefetch(frames, PREFETCHED_FRAMES) as ahead:
            drawn = self._pictures(islice(ahead, video.frame_count - done), poser, advance)
            for picture in drawn:
                segments.write(number, chain([picture], islice(drawn, SEGMENT_FRAMES - 1)))
                number += 1

    def _pictures(
        self, frames: Iterator[Frame], poser: Poser, advance: Advance
    ) -> Iterator[Picture]:
        for frame, layer in self._drawn(frames, poser):
            image = frame.yuv420()
            blend_on_yuv(layer, image)
            yield image, frame.time_s
            advance(1)

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

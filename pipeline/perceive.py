"""The one pass over pixels that thinks: decode, detect, regress; keep only arrays.

Frames go through in batches, and results are written chunk by chunk, so that an interrupted run
goes on where it stopped. With a chunk lies what the detector knew of people then; it goes on from
that, as arrays, in an undisturbed run too, so that a continued one gives the same. A detector that
cannot tell starts afresh at every chunk. A regressor that looks over time gets all chunks at the
end; its own finished parts (`pipeline.parts`) lie beside them in the same folder.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import storage
from pipeline.appearance_source import AlongLandmarks, Looks
from pipeline.chunk_file import CHUNK_FRAMES, Chunk, joined, save_chunk, saved_chunks
from pipeline.context import Advance, Context
from pipeline.errors import InputError
from pipeline.files import output_errors
from pipeline.heap import give_back
from pipeline.overlap import prefetch
from pipeline.shots import find_cuts, signature
from pipeline.types import Bodies, Camera, Detections, Video
from pipeline.video import Frame, read_frames

LOGGER = logging.getLogger(__name__)

MOST_BATCH_FRAMES = 20
LEAST_BATCH_FRAMES = 4
BATCH_BYTES = 120_000_000
"""What a batch of pictures may take; up to three of them are on their way."""
BYTES_PER_PIXEL = 4.5
"""RGB, and the decoder's 4:2:0."""
PREFETCHED_FRAMES = 8
PREFETCHED_BATCHES = 1
SHOWN_CUTS = 10


@dataclass(frozen=True)
class Perceived:
    """What the first pass found."""

    video: Video
    """With the times of the frames that really decoded, and where new shots begin."""
    detections: Detections
    bodies: Bodies


@dataclass(frozen=True)
class _Batch:
    frames: list[Frame]
    detections: Detections
    ends_chunk: bool
    remembered: storage.Arrays
    """What the detector knows then, where the batch ends a chunk."""


@dataclass(frozen=True)
class Perceiver:
    """The two backends of this pass."""

    detector: Any
    regressor: Any
    camera: Camera
    context: Context
    decoder: str = "pyav"
    looks: Looks = field(default_factory=AlongLandmarks)

    def __call__(self, video: Video, chunk_folder: Path) -> Perceived:
        """Detect and regress every frame, going on after the chunks in `chunk_folder`."""
        with output_errors(chunk_folder):
            chunk_folder.mkdir(parents=True, exist_ok=True)
        chunks = list(saved_chunks(chunk_folder, video.first_frame))
        for event in (event for chunk in chunks for event in chunk.events):
            self.context.events.add(event)
        done = sum(len(chunk.time_s) for chunk in chunks)
        with self.context.progress("Finding people", video.frame_count) as advance:
            advance(done)
            came_s = np.concatenate([np.zeros(0), *(chunk.time_s for chunk in chunks)])
            known = chunks[-1].remembered if chunks else {}
            for chunk in self._new_chunks(video, came_s, known, advance):
                save_chunk(chunk_folder / f"{len(chunks):06d}.npz", chunk)
                chunks.append(chunk)
        give_back()  # of batches and queues: what comes now takes room of its own
        whole = _whole(video, chunks)
        chunks.clear()
        give_back()
        seen = Perceived(self._cut(video, whole), whole.detections, whole.bodies)
        if self._in_time:
            bodies = self.regressor.over_time(seen.video, seen.detections, self.camera)
            seen = replace(seen, bodies=bodies)
        if seen.bodies.appearance is None:
            self.looks.tell(whole.bodies, self.context.events)
            seen = replace(seen, bodies=replace(seen.bodies, appearance=whole.looks))
        return seen

    def _cut(self, video: Video, whole: Chunk) -> Video:
        """The video with the frames that really came and the cuts between its shots."""
        cuts = (video.first_frame + find_cuts(whole.signatures)).astype(np.int32)
        if len(cuts):
            shown = ", ".join(map(str, cuts[:SHOWN_CUTS].tolist()))
            more = f", ... ({len(cuts)} in all)" if len(cuts) > SHOWN_CUTS else ""
            self.context.events.record(
                "perception", "info", f"New shots begin in frames {shown}{more}."
            )
        return replace(video, time_s=whole.time_s, cut_frames=cuts)

    @property
    def _in_time(self) -> bool:
        """Whether the regressor wants the detections of the whole video, and no pixels."""
        return hasattr(self.regressor, "over_time")

    def _new_chunks(
        self, video: Video, came_s: np.ndarray, known: storage.Arrays, advance: Advance
    ) -> Iterator[Chunk]:
        """The chunks behind these frames; detection runs a batch ahead of regression."""
        recorded = len(self.context.events.events)
        parts: list[Chunk] = []
        with prefetch(self._detected(video, came_s, known), PREFETCHED_BATCHES) as ahead:
            for batch in ahead:
                bodies = _no_bodies()
                if not self._in_time:
                    bodies = self.regressor(batch.frames, batch.detections, self.camera)
                looks = self.looks(batch.frames, batch.detections, bodies, self.camera)
                parts.append(_chunk_of(batch, bodies, looks))
                advance(len(batch.frames))
                if batch.ends_chunk:
                    chunk = joined(parts, self.context.events.events[recorded:])
                    yield replace(chunk, remembered=batch.remembered)
                    recorded, parts = len(self.context.events.events), []
        if parts:
            yield joined(parts, self.context.events.events[recorded:])

    def _detected(
        self, video: Video, came_s: np.ndarray, known: storage.Arrays
    ) -> Iterator[_Batch]:
        """Batches of frames with their detections; the detector knows what it knew at the last."""
        frames = read_frames(video, came_s=came_s, decoder=self.decoder, events=self.context.events)
        with prefetch(_with_pixels(frames), PREFETCHED_FRAMES) as ahead:
            in_chunk, most = 0, batch_frames(video)
            while batch := list(islice(ahead, min(most, CHUNK_FRAMES - in_chunk))):
                if in_chunk == 0:
                    self._begin(known)
                detections = self.detector(batch)
                in_chunk = (in_chunk + len(batch)) % CHUNK_FRAMES
                if in_chunk == 0 and hasattr(self.detector, "remembered"):
                    known = self.detector.remembered()
                yield _Batch(batch, detections, in_chunk == 0, known)

    def _begin(self, known: storage.Arrays) -> None:
        """Start the detector on a chunk, with what it knew at the end of the one before."""
        self.detector.restart()
        if not known or not hasattr(self.detector, "remember"):
            return
        try:
            self.detector.remember(known)
        except (KeyError, ValueError) as error:
            LOGGER.warning("what the detector knew is of no use (%s); it starts afresh", error)
            self.detector.restart()


def _chunk_of(batch: _Batch, bodies: Bodies, looks: np.ndarray) -> Chunk:
    """What is kept of a batch; its pictures are looked at for the last time."""
    return Chunk(
        time_s=np.array([frame.time_s for frame in batch.frames]),
        detections=batch.detections,
        bodies=bodies,
        looks=looks,
        signatures=np.stack([signature(frame.rgb) for frame in batch.frames]).astype(np.float16),
        events=[],
    )


def _no_bodies() -> Bodies:
    """Stands for bodies that come when the pass is over."""
    zeros = [np.zeros((0, *shape), np.float32) for shape in ((24, 3), (10,), (3,))]
    return Bodies(*zeros)


def batch_frames(video: Video) -> int:
    """How many frames go through together: fewer of large ones, so that memory stays bounded."""
    fitting = BATCH_BYTES / (video.width_px * video.height_px * BYTES_PER_PIXEL)
    return int(min(max(fitting, LEAST_BATCH_FRAMES), MOST_BATCH_FRAMES))


def _with_pixels(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Convert to RGB where frames are read, not where they are used."""
    for frame in frames:
        _ = frame.rgb
        yield frame


def _whole(video: Video, chunks: list[Chunk]) -> Chunk:
    """All chunks as one."""
    if not chunks:
        raise InputError(f"{video.path}: not one frame can be decoded. Is the file whole?")
    return joined(chunks, [])

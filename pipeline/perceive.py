"""The one pass over pixels that thinks: decode, detect, regress; keep only arrays.

Frames go through in batches, and results are written chunk by chunk, so that an interrupted run
goes on where it stopped. The detector starts afresh at every chunk, so that a continued run gives
what an undisturbed one would have given. A regressor that looks over time gets all chunks at the
end; its own finished parts (`pipeline.parts`) lie beside them in the same folder.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import storage
from pipeline.appearance_source import AlongLandmarks, Looks
from pipeline.context import Advance, Context
from pipeline.errors import InputError, OutputError
from pipeline.events import Event, events_from
from pipeline.files import output_errors, write_npz
from pipeline.overlap import prefetch
from pipeline.shots import SIGNATURE, find_cuts, signature
from pipeline.types import Bodies, Camera, Detections, Video
from pipeline.video import Frame, read_frames

LOGGER = logging.getLogger(__name__)

CHUNK_FRAMES = 120
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
class _Chunk:
    time_s: np.ndarray
    detections: Detections
    bodies: Bodies
    looks: np.ndarray
    """(n, d) the detections' appearance, read off the pictures."""
    signatures: np.ndarray
    """(f, s) statistics of every frame's colours, to find cuts by."""
    events: list[Event]


@dataclass(frozen=True)
class _Batch:
    frames: list[Frame]
    detections: Detections
    ends_chunk: bool


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
        chunks = list(_saved_chunks(chunk_folder, video.first_frame))
        for event in (event for chunk in chunks for event in chunk.events):
            self.context.events.add(event)
        done = sum(len(chunk.time_s) for chunk in chunks)
        with self.context.progress("Finding people", video.frame_count) as advance:
            advance(done)
            came_s = np.concatenate([np.zeros(0), *(chunk.time_s for chunk in chunks)])
            for chunk in self._new_chunks(video, came_s, advance):
                _save_chunk(chunk_folder / f"{len(chunks):06d}.npz", chunk)
                chunks.append(chunk)
        whole = _whole(video, chunks)
        chunks.clear()
        seen = Perceived(self._cut(video, whole), whole.detections, whole.bodies)
        if self._in_time:
            bodies = self.regressor.over_time(seen.video, seen.detections, self.camera)
            seen = replace(seen, bodies=bodies)
        if seen.bodies.appearance is None:
            self.looks.tell(whole.bodies, self.context.events)
            seen = replace(seen, bodies=replace(seen.bodies, appearance=whole.looks))
        return seen

    def _cut(self, video: Video, whole: _Chunk) -> Video:
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

    def _new_chunks(self, video: Video, came_s: np.ndarray, advance: Advance) -> Iterator[_Chunk]:
        """The chunks behind these frames; detection runs a batch ahead of regression."""
        recorded = len(self.context.events.events)
        parts: list[_Chunk] = []
        with prefetch(self._detected(video, came_s), PREFETCHED_BATCHES) as ahead:
            for batch in ahead:
                bodies = _no_bodies()
                if not self._in_time:
                    bodies = self.regressor(batch.frames, batch.detections, self.camera)
                looks = self.looks(batch.frames, batch.detections, bodies, self.camera)
                parts.append(_chunk_of(batch, bodies, looks))
                advance(len(batch.frames))
                if batch.ends_chunk:
                    yield _joined(parts, self.context.events.events[recorded:])
                    recorded, parts = len(self.context.events.events), []
        if parts:
            yield _joined(parts, self.context.events.events[recorded:])

    def _detected(self, video: Video, came_s: np.ndarray) -> Iterator[_Batch]:
        """Batches of frames with their detections; the detector starts afresh at every chunk."""
        frames = read_frames(video, came_s=came_s, decoder=self.decoder, events=self.context.events)
        with prefetch(_with_pixels(frames), PREFETCHED_FRAMES) as ahead:
            in_chunk, most = 0, batch_frames(video)
            while batch := list(islice(ahead, min(most, CHUNK_FRAMES - in_chunk))):
                if in_chunk == 0:
                    self.detector.restart()
                detections = self.detector(batch)
                in_chunk = (in_chunk + len(batch)) % CHUNK_FRAMES
                yield _Batch(batch, detections, ends_chunk=in_chunk == 0)


def _chunk_of(batch: _Batch, bodies: Bodies, looks: np.ndarray) -> _Chunk:
    """What is kept of a batch; its pictures are looked at for the last time."""
    return _Chunk(
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


def _joined(parts: list[_Chunk], events: list[Event]) -> _Chunk:
    return _Chunk(
        np.concatenate([part.time_s for part in parts]),
        storage.joined(Detections, [part.detections for part in parts]),
        storage.joined(Bodies, [part.bodies for part in parts]),
        np.concatenate([part.looks for part in parts]),
        np.concatenate([part.signatures for part in parts]),
        events,
    )


def _whole(video: Video, chunks: list[_Chunk]) -> _Chunk:
    """All chunks as one."""
    if not chunks:
        raise InputError(f"{video.path}: not one frame can be decoded. Is the file whole?")
    return _joined(chunks, [])


def _saved_chunks(folder: Path, frame: int) -> Iterator[_Chunk]:
    """The whole chunks already on disk without a hole; the first begins at `frame`."""
    before: _Chunk | None = None
    for number, path in enumerate(sorted(folder.glob("[0-9]*.npz"))):
        if path.name != f"{number:06d}.npz":
            return
        try:
            chunk = _chunk_from(storage.read_npz(path))
            if before is not None and not _follows(chunk, before):
                raise OutputError("does not go on where the chunk before it ends")
            if not _of_frames(chunk, frame):
                raise OutputError("its people are not in its frames")
        except OutputError as error:
            LOGGER.warning("%s: %s; the work goes on from there", path.name, error)
            return
        yield chunk
        before, frame = chunk, frame + len(chunk.time_s)


def _of_frames(chunk: _Chunk, first: int) -> bool:
    """Whether its people are in its frames, in their order."""
    frames = chunk.detections.frame_index.astype(np.int64) - first
    inside = (frames >= 0) & (frames < len(chunk.time_s))
    return bool(inside.all() and (np.diff(frames) >= 0).all())


def _chunk_from(arrays: storage.Arrays) -> _Chunk:
    """A chunk from its file.

    Raises:
        OutputError: the arrays do not make one up.
    """
    for name, dimensions in (("time_s", 1), ("looks", 2), ("signatures", 2), ("events", 0)):
        kind = "U" if name == "events" else "f"
        if name not in arrays or (arrays[name].ndim, arrays[name].dtype.kind) != (dimensions, kind):
            raise OutputError(f"{name} is missing or of another form")
    if arrays["signatures"].shape[1] != SIGNATURE:
        raise OutputError("signatures are of another size")
    time_s, detections = arrays["time_s"], _without_prefix(arrays, "detections.")
    chunk = _Chunk(
        time_s,
        storage.noun_from(Detections, detections),
        storage.noun_from(Bodies, _without_prefix(arrays, "bodies.")),
        arrays["looks"],
        arrays["signatures"],
        events_from(arrays["events"]),
    )
    counts = len(chunk.detections), len(time_s)
    fits = (len(chunk.looks), len(chunk.signatures)) == counts and 0 < counts[1] <= CHUNK_FRAMES
    if not fits or len(chunk.bodies) not in (0, counts[0]) or (np.diff(time_s) <= 0).any():
        raise OutputError("its parts do not belong together")
    return chunk


def _follows(chunk: _Chunk, before: _Chunk) -> bool:
    """Whether two chunks' arrays can be put behind each other."""
    forms: list[dict[str, Any]] = []
    for one in (before, chunk):
        arrays = {"signatures": one.signatures}
        if len(one.detections):
            arrays |= storage.arrays_of(one.detections) | {"looks": one.looks}
        if len(one.bodies):
            arrays |= storage.arrays_of(one.bodies)
        forms.append({k: v.shape[1:] if np.ndim(v) else v for k, v in arrays.items()})
    shared = forms[0].keys() & forms[1].keys()
    alike = all(forms[0][key] == forms[1][key] for key in shared)
    return alike and float(chunk.time_s[0]) > float(before.time_s[-1])


def _save_chunk(path: Path, chunk: _Chunk) -> None:
    arrays: dict[str, Any] = {
        "time_s": chunk.time_s,
        "looks": chunk.looks,
        "signatures": chunk.signatures,
    }
    for prefix, noun in (("detections.", chunk.detections), ("bodies.", chunk.bodies)):
        arrays |= {prefix + key: value for key, value in storage.arrays_of(noun).items()}
    arrays["events"] = json.dumps([asdict(event) for event in chunk.events])
    write_npz(path, arrays, compressed=False)


def _without_prefix(arrays: storage.Arrays, prefix: str) -> storage.Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

"""Frames in: open a video, and stream its frames upright, in order, with their true times."""

import importlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from pipeline.decoders import Picture
from pipeline.decoders.pyav import time_tolerance_s
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.events import EventLog
from pipeline.frame import Frame, Orientation, orientation_of
from pipeline.probe import Probe, probe
from pipeline.types import Video

__all__ = ["DECODERS", "Frame", "FrameReader", "open_video", "read_frames"]

DECODERS = ("pyav", "decord")


def open_video(
    path: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    decoder: str = "pyav",
    events: EventLog | None = None,
) -> Video:
    """Look a video over, without decoding it, and choose the frames to work on.

    Args:
        path: the video file.
        start_s: first second to use, counted from the first frame.
        end_s: second to stop before, counted from the first frame.
        decoder: name of the decoder that `read_frames` will be given.
        events: where lost frames and assumptions are recorded.

    Raises:
        InputError: the file is missing, unreadable or no video, or no frame lies in the range.
    """
    _load_decoder(decoder)
    found = probe(Path(path))
    after_first_s = found.times_s - found.times_s[0]
    chosen = np.flatnonzero(
        (after_first_s >= (start_s or 0.0) - 1e-9)
        & (after_first_s < (np.inf if end_s is None else end_s) - 1e-9)
    )
    if len(chosen) == 0:
        raise InputError(
            f"{path}: no frame between {start_s or 0:g} s and "
            f"{'the end' if end_s is None else f'{end_s:g} s'}; the video's last frame is at "
            f"{after_first_s[-1]:.3f} s. Choose --start and --end within that."
        )
    _record(found, chosen, Path(path), events or EventLog())
    return Video(
        path=Path(path),
        width_px=found.width_px,
        height_px=found.height_px,
        first_frame=int(chosen[0]),
        time_s=found.times_s[chosen],
        rotation_deg=found.orientation.clockwise_deg,
        has_audio=found.has_audio,
        codec=found.codec,
    )


def _record(found: Probe, chosen: np.ndarray, path: Path, events: EventLog) -> None:
    """Say what is not as it should be."""
    count = len(found.times_s)
    if found.lost_frames and chosen[-1] == count - 1:
        events.record(
            "video",
            "truncation",
            f"{path.name} is cut off: {found.lost_frames} of {count + found.lost_frames} frames "
            f"are lost, the first {count} are used. Copy the file again if you have it whole.",
        )
    if found.times_are_guessed:
        events.record(
            "video", "assumption", f"{path.name} holds no frame times; an even rate is assumed."
        )
    if not found.turned_exactly:
        events.record(
            "video",
            "assumption",
            f"{path.name} asks for a rotation that is no multiple of 90 degrees; "
            f"{found.orientation.clockwise_deg} is used.",
        )
    if abs(found.pixel_aspect - 1) > 1e-3:  # noqa: PLR2004
        events.record(
            "video",
            "assumption",
            f"{path.name} has pixels {found.pixel_aspect:.3f} times as wide as high; they are "
            "taken as square, so people look stretched. Convert it to square pixels first.",
        )


def read_frames(
    video: Video,
    *,
    first_frame: int | None = None,
    decoder: str = "pyav",
    events: EventLog | None = None,
) -> "FrameReader":
    """Stream the frames of a video, from source frame `first_frame` on where it is given."""
    return FrameReader(video, first_frame, decoder, events or EventLog())


class FrameReader:
    """An iterator over frames that knows, when it is through, what really came.

    Indices count the frames that decode, so they stay consecutive when one is lost.
    """

    def __init__(
        self, video: Video, first_frame: int | None, decoder: str, events: EventLog
    ) -> None:
        self._video = video
        self._first = video.first_frame if first_frame is None else first_frame
        self._events = events
        self._times_s: list[float] = []
        self._pictures = _load_decoder(decoder)(video, self._first)
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Close the file early."""
        self._frames.close()
        self._pictures.close()

    def seen(self) -> Video:
        """The video with the frames that really came, in place of those that were announced.

        Raises:
            InputError: not a single frame came.
        """
        if not self._times_s:
            raise InputError(
                f"{self._video.path}: no frame can be decoded from frame {self._first} on. "
                "The file is damaged; copy it again."
            )
        return replace(
            self._video, first_frame=self._first, time_s=np.array(self._times_s, dtype=np.float64)
        )

    @property
    def lost(self) -> int:
        """Frames announced by the container that did not come (so far)."""
        announced = self._video.frame_count - (self._first - self._video.first_frame)
        return max(0, announced - len(self._times_s))

    def _read(self) -> Generator[Frame, None, None]:
        last_s = self._video.time_s[-1] + time_tolerance_s(self._video)
        orientation: Orientation | None = None
        for stored in self._pictures:
            if stored.time_s > last_s:
                break
            if orientation is None:
                orientation, _ = orientation_of(stored.picture)
            index = self._first + len(self._times_s)
            self._times_s.append(stored.time_s)
            yield Frame(index, stored.time_s, self._sized(stored, orientation), orientation)
        self._pictures.close()
        if self.lost and self._times_s:
            self._events.record("video", "truncation", self._loss())

    def _sized(self, stored: Picture, orientation: Orientation) -> av.VideoFrame:
        """The picture in the video's own size, whatever the file switches to half-way."""
        picture = stored.picture
        width_px, height_px = orientation.size_px(self._video.width_px, self._video.height_px)
        if (picture.width, picture.height) == (width_px, height_px):
            return picture
        self._events.record(
            "video",
            "fallback",
            f"{self._video.path.name} changes its picture size to {picture.width}x"
            f"{picture.height} on the way; from there on pictures are scaled to "
            f"{width_px}x{height_px}.",
        )
        return picture.reformat(width=width_px, height=height_px)

    def _loss(self) -> str:
        came = len(self._times_s)
        return (
            f"{self._video.path.name}: {self.lost} of {came + self.lost} frames do not decode and "
            f"are lost; the {came} others are used. The file is damaged; copy it again if you can."
        )


def _load_decoder(name: str) -> Callable[[Video, int], Generator[Picture, None, None]]:
    """The decoder's `decode`, imported late.

    Raises:
        SettingsError: no such decoder.
        MissingError: its package is not installed; the text is the pip line.
    """
    if name not in DECODERS:
        raise SettingsError(f"video: unknown decoder '{name}'. Known: {', '.join(DECODERS)}")
    try:
        module = importlib.import_module(f"pipeline.decoders.{name}")
    except ModuleNotFoundError as error:
        raise MissingError(
            f"The decoder '{name}' needs the package '{error.name}'. Install it with: "
            f"pip install 'humans4d[{name}]'"
        ) from error
    return module.decode

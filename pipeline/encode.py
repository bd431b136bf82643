"""Frames out: an H.264 mp4 with exactly the source's frame times and its sound."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from jaxtyping import UInt8

from pipeline.audio import SoundTrack
from pipeline.decoders.pyav import open_container, picture_stream
from pipeline.errors import OutputError
from pipeline.events import EventLog
from pipeline.frame import assumed_matrix, rgb_to_yuv420
from pipeline.h264_pipe import H264Pipe
from pipeline.nut_pipe import LEAD_S
from pipeline.types import Video
from pipeline.yuv import YuvImage

LONGEST_DELAY_S = 1.0
"""A first frame later than this is taken for the reading of a running clock."""


class OverlayWriter:
    """Writes frames one by one; use as a context manager.

    The n-th image gets the time of the video's n-th frame. The file appears under its name when
    the block ends well; when it ends with an error nothing is left.
    """

    def __init__(
        self,
        path: Path,
        video: Video,
        *,
        preset: str = "ultrafast",
        crf: int = 21,
        events: EventLog | None = None,
        pixel_aspect: Fraction | None = None,
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            path: the mp4 to write.
            video: the source, for frame times, pixel shape and sound.
            preset: x264's trade of speed for size.
            crf: x264's quality, 0 (best) to 51; around 20 is hard to tell from the source.
            events: where padding and re-encoded sound are recorded.
            pixel_aspect: width of a pixel over its height; None: the source's, read from its file.
        """
        self._path = Path(path)
        self._part = self._path.with_name(f".{self._path.stem}.part.mp4")
        self._video = video
        self._preset = preset
        self._crf = crf
        self._events = events or EventLog()
        self._given_aspect = pixel_aspect
        self._pipe: H264Pipe | None = None
        self._sound: SoundTrack | None = None
        self._shift_s = 0.0
        self.frames_written = 0

    def __enter__(self) -> "OverlayWriter":
        """Check that the folder can be written.

        Raises:
            OutputError: it cannot.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch()
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {error.strerror}. Choose another output folder "
                "(-o) or give yourself permission to write there."
            ) from error
        return self

    def write(
        self, image: "YuvImage | UInt8[np.ndarray, 'h w 3']", time_s: float | None = None
    ) -> None:
        """Add the next frame: 4:2:0 planes, or RGB pixels.

        Args:
            image: the picture.
            time_s: its time on the source's clock, by default that of the video's next frame.

        Raises:
            OutputError: the encoder stopped (disk full, killed, ...).
        """
        if isinstance(image, np.ndarray):
            image = rgb_to_yuv420(image, assumed_matrix(image.shape[1], image.shape[0]))
        if self._pipe is None:
            self._pipe = self._start(image)
        if time_s is None:
            time_s = float(self._video.time_s[self.frames_written])
        try:
            if self._sound:
                self._sound.write_until(time_s)
            self._pipe.write(image, time_s + self._shift_s)
        except (av.FFmpegError, OSError) as error:
            raise self._pipe.failure(self._path) from error
        self.frames_written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish and rename, or clean up.

        Raises:
            OutputError: the encoder failed at the end, or no frame was written.
        """
        try:
            if kind is None:
                self._finish()
        finally:
            if self._pipe:
                self._pipe.close()
            if self._sound:
                self._sound.close()
            with contextlib.suppress(OSError):
                self._part.unlink()

    def _start(self, image: YuvImage) -> H264Pipe:
        """Start the encoder, now that size and colours are known."""
        record_padding(image.width_px, image.height_px, self._events)
        self._shift_s = clock_shift_s(self._video)
        self._sound = open_sound(self._video, self._events)
        return H264Pipe(
            self._part,
            image,
            fps=self._video.fps,
            pixel_aspect=self._given_aspect or pixel_aspect_of(self._video),
            sound=self._sound,
            preset=self._preset,
            crf=self._crf,
        )

    def _finish(self) -> None:
        if self._pipe is None:
            raise OutputError(f"{self._path}: no frame was given to write.")
        try:
            if self._sound:
                self._sound.write_until(end_s(self._video))
            if not self._pipe.finish():
                raise self._pipe.failure(self._path)
        except (av.FFmpegError, OSError) as error:
            raise self._pipe.failure(self._path) from error
        try:
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            self._part.replace(self._path)
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {error.strerror}. Check the disk and run again."
            ) from error


def record_padding(width_px: int, height_px: int, events: EventLog) -> None:
    """Say that a picture of an odd size grows by a pixel."""
    width, height = width_px + width_px % 2, height_px + height_px % 2
    if (width, height) != (width_px, height_px):
        events.record(
            "video",
            "info",
            f"H.264 4:2:0 needs even sizes: the overlay of {width_px}x"
            f"{height_px} is padded at the edge to {width}x{height}.",
        )


def open_sound(video: Video, events: EventLog) -> SoundTrack | None:
    """The sound to copy; a damaged one must not cost the overlay."""
    if not video.has_audio:
        return None
    try:
        return SoundTrack(video, end_s(video), clock_shift_s(video) + LEAD_S, events)
    except (av.FFmpegError, ValueError) as error:
        events.record("video", "drop", f"The sound cannot be read ({error}); the overlay has none.")
        return None


def clock_shift_s(video: Video) -> float:
    """What to add to source times: nothing for a whole video, a part starts at 0.

    So does a whole one on a running clock (broadcast streams start at any time of day).
    """
    first_s = float(video.time_s[0])
    keeps_clock = video.first_frame == 0 and 0 <= first_s < LONGEST_DELAY_S
    return 0.0 if keeps_clock else -first_s


def pixel_aspect_of(video: Video) -> Fraction:
    """Width of a pixel over its height, upright."""
    with open_container(video.path) as source:
        aspect = picture_stream(source).sample_aspect_ratio or Fraction(1)
    return 1 / aspect if video.rotation_deg in (90, 270) else aspect


def end_s(video: Video) -> float:
    """When the last frame ends, on the source's clock."""
    return float(video.time_s[-1]) + 1.0 / video.fps

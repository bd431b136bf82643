"""Frames out: an H.264 mp4 with exactly the source's frame times and its sound."""

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO

import av
import ffmpeg
import numpy as np
from av.container import OutputContainer
from jaxtyping import UInt8

from pipeline.audio import SoundTrack
from pipeline.decoders.pyav import open_container, picture_stream
from pipeline.errors import OutputError
from pipeline.events import EventLog
from pipeline.ffmpeg_binary import ffmpeg_binary
from pipeline.frame import assumed_matrix, rgb_to_yuv420
from pipeline.types import Video
from pipeline.yuv import YuvImage

LOGGER = logging.getLogger(__name__)

TICKS_PER_S = 120_000
"""Holds 24, 25, 30, 50 and 60 fps and their 1000/1001 relatives without rounding."""
LEAD_S = 10
"""Times in the pipe are this much later: NUT holds no negative ones, early sound has them."""
LONGEST_DELAY_S = 1.0
"""A first frame later than this is taken for the reading of a running clock."""
COLOUR_NAME = {"bt601": "smpte170m", "bt709": "bt709"}
PIPE_BYTES = 1 << 20


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
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            path: the mp4 to write.
            video: the source, for frame times, pixel shape and sound.
            preset: x264's trade of speed for size.
            crf: x264's quality, 0 (best) to 51; around 20 is hard to tell from the source.
            events: where padding and re-encoded sound are recorded.
        """
        self._path = Path(path)
        self._part = self._path.with_name(f".{self._path.stem}.part.mp4")
        self._video = video
        self._preset = preset
        self._crf = crf
        self._events = events or EventLog()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: OutputContainer | None = None
        self._sound: SoundTrack | None = None
        self._log: IO[bytes] | None = None
        self._write_end = -1
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

    def write(self, image: "YuvImage | UInt8[np.ndarray, 'h w 3']") -> None:
        """Add the next frame: 4:2:0 planes, or RGB pixels.

        Raises:
            OutputError: the encoder stopped (disk full, killed, ...).
        """
        if isinstance(image, np.ndarray):
            image = rgb_to_yuv420(image, assumed_matrix(image.shape[1], image.shape[0]))
        time_s = float(self._video.time_s[self.frames_written])
        try:
            if self._pipe is None:
                self._start(image)
            if self._sound:
                self._sound.write_until(time_s)
            self._mux(image, time_s)
        except (av.FFmpegError, OSError) as error:
            raise self._failure() from error
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
            self._clean_up()

    def _start(self, image: YuvImage) -> None:
        """Start ffmpeg and the NUT stream into it, now that size and colours are known."""
        height, width = image.y.shape
        if (height, width) != (image.height_px, image.width_px):
            self._events.record(
                "video",
                "info",
                f"H.264 4:2:0 needs even sizes: the overlay of {image.width_px}x"
                f"{image.height_px} is padded at the edge to {width}x{height}.",
            )
        read_end, write_end = os.pipe()
        self._write_end = write_end
        self._shift_s = self._clock_shift_s() + LEAD_S
        self._sound = self._open_sound()
        self._log = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                self._command(image),
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # a Ctrl-C is ours to handle
            )
        finally:
            os.close(read_end)
        self._pipe = av.open(
            f"pipe:{write_end}",
            "w",
            format="nut",
            buffer_size=PIPE_BYTES,
            # Without this the muxer holds back ten seconds of raw pictures when sound ends early.
            container_options={"max_interleave_delta": "1"},
        )
        self._stream = self._pipe.add_stream("rawvideo", rate=Fraction(round(self._video.fps), 1))
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, TICKS_PER_S)
        self._stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        if self._sound:
            self._sound.add_to(self._pipe)

    def _open_sound(self) -> SoundTrack | None:
        """The sound to copy; a damaged one must not cost the overlay."""
        if not self._video.has_audio:
            return None
        try:
            return SoundTrack(self._video, self._end_s(), self._shift_s, self._events)
        except (av.FFmpegError, ValueError) as error:
            self._events.record(
                "video", "drop", f"The sound cannot be read ({error}); the overlay has none."
            )
            return None

    def _command(self, image: YuvImage) -> list[str]:
        """The ffmpeg command line."""
        colour = COLOUR_NAME[image.matrix]
        tags = f"setparams=colorspace={colour}:range={'pc' if image.full_range else 'tv'}"
        tags += f",setsar={self._pixel_aspect()}"
        source = ffmpeg.input("pipe:0", format="nut", itsoffset=-LEAD_S)
        streams = [source["v"], source["a"]] if self._sound else [source["v"]]
        sound = {"c:a": "copy" if self._sound.is_copied else "aac"} if self._sound else {}
        output = ffmpeg.output(
            *streams,
            f"file:{self._part}",
            format="mp4",
            vf=tags,
            fps_mode="passthrough",
            enc_time_base=f"1/{TICKS_PER_S}",
            video_track_timescale=TICKS_PER_S,
            movie_timescale=TICKS_PER_S,
            movflags="+faststart",
            preset=self._preset,
            crf=self._crf,
            pix_fmt="yuv420p",
            **{"c:v": "libx264"},
            **sound,
        )
        command = output.global_args("-copyts", "-nostdin", "-hide_banner", "-v", "warning")
        return [str(part) for part in command.compile(cmd=ffmpeg_binary(), overwrite_output=True)]

    def _clock_shift_s(self) -> float:
        """What to add to source times: nothing for a whole video, a part starts at 0.

        So does a whole one on a running clock (broadcast streams start at any time of day).
        """
        first_s = float(self._video.time_s[0])
        keeps_clock = self._video.first_frame == 0 and 0 <= first_s < LONGEST_DELAY_S
        return 0.0 if keeps_clock else -first_s

    def _pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height, upright."""
        with open_container(self._video.path) as source:
            aspect = picture_stream(source).sample_aspect_ratio or Fraction(1)
        return 1 / aspect if self._video.rotation_deg in (90, 270) else aspect

    def _end_s(self) -> float:
        return float(self._video.time_s[-1]) + 1.0 / self._video.fps

    def _mux(self, image: YuvImage, time_s: float) -> None:
        assert self._pipe is not None
        packet = av.Packet(_bytes_of(image))  # type: ignore[arg-type]  # any buffer is taken
        packet.time_base = Fraction(1, TICKS_PER_S)
        packet.pts = packet.dts = round((time_s + self._shift_s) * TICKS_PER_S)
        packet.is_keyframe = True
        packet.stream = self._stream
        self._pipe.mux(packet)

    def _finish(self) -> None:
        if self._pipe is None or self._process is None:
            raise OutputError(f"{self._path}: no frame was given to write.")
        try:
            if self._sound:
                self._sound.write_until(self._end_s())
            self._pipe.close()
            self._pipe = None
            self._close_pipe_end()
            if self._process.wait() != 0:
                raise self._failure()
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            self._part.replace(self._path)
        except (av.FFmpegError, OSError) as error:
            raise self._failure() from error

    def _failure(self) -> OutputError:
        """What to tell the user, from how ffmpeg ended and what it said."""
        if self._process is None or self._log is None:
            return OutputError(
                f"{self._path} was not written: ffmpeg ({ffmpeg_binary()}) could not be started."
            )
        self._close_pipe_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip()
        LOGGER.error("ffmpeg ended with %s: %s", self._process.returncode, said[-2000:])
        if "No space left on device" in said:
            return OutputError(
                f"{self._path} cannot be written: the disk is full. Free some space and run again."
            )
        code = self._process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return OutputError(
                f"{self._path} was not written: the encoder (ffmpeg) was stopped by {name}. "
                "Run again; check memory and disk limits if it happens twice."
            )
        last_line = said.splitlines()[-1] if said else "it gave no reason"
        return OutputError(f"{self._path} was not written: the encoder (ffmpeg) said: {last_line}")

    def _close_pipe_end(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    def _clean_up(self) -> None:
        """Leave no process, no open file and no half-written file."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            with contextlib.suppress(av.FFmpegError, OSError):
                self._pipe.close()
        if self._process is not None:
            self._close_pipe_end()
        if self._sound:
            self._sound.close()
        if self._log is not None:
            self._log.close()
        with contextlib.suppress(OSError):
            self._part.unlink()


def _bytes_of(image: YuvImage) -> np.ndarray:
    """The planes behind each other; without a copy where they already are."""
    base = image.y.base
    planes = (image.y, image.u, image.v)
    if base is not None and all(plane.base is base for plane in planes):
        if isinstance(base, np.ndarray) and base.size == sum(plane.size for plane in planes):
            return base
    return np.concatenate([plane.ravel() for plane in planes])

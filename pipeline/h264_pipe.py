"""Raw pictures with their times through a pipe into ffmpeg, which writes them as H.264."""

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg
import numpy as np

from pipeline.audio import SoundTrack
from pipeline.errors import OutputError
from pipeline.ffmpeg_binary import ffmpeg_binary
from pipeline.yuv import YuvImage

LOGGER = logging.getLogger(__name__)

TICKS_PER_S = 120_000
"""Holds 24, 25, 30, 50 and 60 fps and their 1000/1001 relatives without rounding."""
LEAD_S = 10
"""Times in the pipe are this much later: NUT holds no negative ones, early sound has them."""
COLOUR_NAME = {"bt601": "smpte170m", "bt709": "bt709"}
PIPE_BYTES = 1 << 20
ENCODER_THREADS = 4
"""x264's bytes depend on it, so it is the same on every machine and in every batch."""


class H264Pipe:
    """One ffmpeg process and the NUT stream into it."""

    def __init__(
        self,
        path: Path,
        like: YuvImage,
        *,
        fps: float,
        pixel_aspect: Fraction,
        sound: SoundTrack | None,
        preset: str,
        crf: int,
    ) -> None:
        """Start ffmpeg.

        Args:
            path: the mp4 it writes.
            like: a picture with the size and the colours of all that follow.
            fps: a rough rate; the times alone decide.
            pixel_aspect: width of a pixel over its height.
            sound: goes into the same stream, written by itself.
            preset: x264's trade of speed for size.
            crf: x264's quality.

        Raises:
            OutputError: ffmpeg does not start.
        """
        self._path = path
        self._log = tempfile.TemporaryFile()  # not a pipe: nobody would empty it
        command = _command(path, like, pixel_aspect, sound, preset, crf)
        read_end, self._write_end = os.pipe()
        try:
            self.process = subprocess.Popen(
                command,
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # a Ctrl-C is ours to handle
            )
        except OSError as error:
            os.close(self._write_end)
            self._log.close()
            raise OutputError(
                f"ffmpeg ({command[0]}) does not start: {error.strerror}. Install it anew with: "
                "pip install --force-reinstall imageio-ffmpeg"
            ) from error
        finally:
            os.close(read_end)
        self._open_stream(like, fps, sound)

    def write(self, image: YuvImage, time_s: float) -> None:
        """Send a picture.

        Raises:
            av.FFmpegError, OSError: ffmpeg is gone; ask `failure` why.
        """
        packet = av.Packet(_bytes_of(image))  # type: ignore[arg-type]  # any buffer is taken
        packet.time_base = Fraction(1, TICKS_PER_S)
        packet.pts = packet.dts = round((time_s + LEAD_S) * TICKS_PER_S)
        packet.is_keyframe = True
        packet.stream = self._stream
        self._out.mux(packet)

    def finish(self) -> bool:
        """Send the end and wait; whether ffmpeg is content."""
        self._out.close()
        self._close_write_end()
        return self.process.wait() == 0

    def failure(self, target: Path) -> OutputError:
        """What to tell the user, from how ffmpeg ended and what it said."""
        self._close_write_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip()
        code = self.process.returncode
        LOGGER.error("ffmpeg ended with %s: %s", code, said[-2000:])
        if "No space left on device" in said:
            return OutputError(
                f"{target} cannot be written: the disk is full. Free some space and run again."
            )
        if code is not None and code < 0:
            return OutputError(
                f"{target} was not written: the encoder (ffmpeg) was stopped by "
                f"{signal.Signals(-code).name}. Run again; check memory and disk limits if it "
                "happens twice."
            )
        last_line = said.splitlines()[-1] if said else "it gave no reason"
        return OutputError(f"{target} was not written: the encoder (ffmpeg) said: {last_line}")

    def close(self) -> None:
        """Leave no process and no open file."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(av.FFmpegError, OSError):
            self._out.close()
        self._close_write_end()
        self._log.close()

    def _open_stream(self, like: YuvImage, fps: float, sound: SoundTrack | None) -> None:
        self._out = av.open(
            f"pipe:{self._write_end}",
            "w",
            format="nut",
            buffer_size=PIPE_BYTES,
            # Without this the muxer holds back ten seconds of raw pictures when sound ends early.
            container_options={"max_interleave_delta": "1"},
        )
        self._stream = self._out.add_stream("rawvideo", rate=max(1, round(fps)))
        self._stream.height, self._stream.width = like.y.shape
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, TICKS_PER_S)
        self._stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        if sound:
            sound.add_to(self._out)

    def _close_write_end(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1


def _command(
    path: Path,
    like: YuvImage,
    pixel_aspect: Fraction,
    sound: SoundTrack | None,
    preset: str,
    crf: int,
) -> list[str]:
    """The ffmpeg command line: every picture at its own time, colours tagged, not converted."""
    value_range = "pc" if like.full_range else "tv"
    tags = f"setparams=colorspace={COLOUR_NAME[like.matrix]}:range={value_range}"
    source = ffmpeg.input("pipe:0", format="nut", itsoffset=-LEAD_S)
    streams = [source["v"], source["a"]] if sound else [source["v"]]
    sound_codec = {"c:a": "copy" if sound.is_copied else "aac"} if sound else {}
    output = ffmpeg.output(
        *streams,
        f"file:{path}",
        format="mp4",
        vf=f"{tags},setsar={pixel_aspect}",
        fps_mode="passthrough",
        enc_time_base=f"1/{TICKS_PER_S}",
        video_track_timescale=TICKS_PER_S,
        movie_timescale=TICKS_PER_S,
        movflags="+faststart",
        preset=preset,
        crf=crf,
        threads=ENCODER_THREADS,
        pix_fmt="yuv420p",
        **{"c:v": "libx264"},
        **sound_codec,
    )
    command = output.global_args("-copyts", "-nostdin", "-hide_banner", "-v", "warning")
    return [str(part) for part in command.compile(cmd=ffmpeg_binary(), overwrite_output=True)]


def _bytes_of(image: YuvImage) -> np.ndarray:
    """The planes behind each other; without a copy where they already are."""
    base = image.y.base
    planes = (image.y, image.u, image.v)
    if base is not None and all(plane.base is base for plane in planes):
        if isinstance(base, np.ndarray) and base.size == sum(plane.size for plane in planes):
            return base
    return np.concatenate([plane.ravel() for plane in planes])

"""A film written in segments that outlive an interruption, and joined without encoding again.

Every segment is encoded by itself and begins with a key frame, so that the film's bytes are the
same whether it was written in one go or with any number of interruptions.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import ffmpeg

from pipeline.audio import SoundTrack
from pipeline.encode import clock_shift_s, end_s, open_sound, pixel_aspect_of
from pipeline.errors import OutputError
from pipeline.events import EventLog
from pipeline.ffmpeg_binary import ffmpeg_binary
from pipeline.files import written_aside
from pipeline.h264_pipe import MP4, H264Pipe
from pipeline.nut_pipe import LEAD_S, TICKS_PER_S, NutPipe
from pipeline.types import Video
from pipeline.yuv import YuvImage

SEGMENT_FRAMES = 240
"""About ten seconds of work at most; x264 would set its next key frame at 250 anyhow."""
PRESET, CRF = "ultrafast", 21

Picture = tuple[YuvImage, float]
"""A picture and its time on the source's clock, in seconds."""


@dataclass(frozen=True)
class Segments:
    """The segments of one film in one folder."""

    folder: Path
    video: Video
    """The source, for frame times, pixel shape and sound."""
    events: EventLog

    def path(self, number: int) -> Path:
        """Where a segment lies."""
        return self.folder / f"{number:06d}.nut"

    def whole(self) -> int:
        """How many segments are there already, from the first, without a hole."""
        number = 0
        while self._frames(number) == SEGMENT_FRAMES:
            number += 1
        return number

    def write(self, number: int, pictures: Iterator[Picture]) -> None:
        """Encode one segment.

        Raises:
            OutputError: the encoder stopped (disk full, killed, ...).
        """
        image, time_s = next(pictures)
        shift_s = clock_shift_s(self.video)
        with written_aside(self.path(number)) as aside:
            pipe = H264Pipe(
                aside,
                image,
                fps=self.video.fps,
                pixel_aspect=pixel_aspect_of(self.video),
                sound=None,
                preset=PRESET,
                crf=CRF,
            )
            with closing(pipe):
                for image, time_s in chain([(image, time_s)], pictures):  # noqa: B020
                    with _failures(pipe, self.path(number)):
                        pipe.write(image, time_s + shift_s)
                _finish(pipe, self.path(number))

    def join(self, path: Path) -> None:
        """Put all segments behind each other, with the source's sound, packet by packet.

        Raises:
            OutputError: there is no segment, or the file cannot be written.
        """
        if not self.path(0).is_file():
            raise OutputError(f"{path}: no frame was given to write.")
        sound = open_sound(self.video, self.events)
        with written_aside(path) as aside:
            pipe = NutPipe(_join_command(aside, sound, self.video.fps))
            with closing(pipe), closing(sound) if sound else nullcontext():
                with _failures(pipe, path):
                    self._copy(pipe, sound)
                _finish(pipe, path)

    def _copy(self, pipe: NutPipe, sound: SoundTrack | None) -> None:
        shift_s, stream = clock_shift_s(self.video), None
        for packet in self._packets():
            if stream is None:
                stream = pipe.out.add_stream_from_template(packet.stream)
                stream.time_base = Fraction(1, TICKS_PER_S)
                if sound:
                    sound.add_to(pipe.out)
            assert packet.pts is not None
            time_s = packet.pts * packet.time_base
            if sound:
                sound.write_until(float(time_s) - shift_s)
            packet.time_base = Fraction(1, TICKS_PER_S)
            packet.pts = packet.dts = round((time_s + LEAD_S) * TICKS_PER_S)
            packet.stream = stream
            pipe.out.mux(packet)
        if sound:
            sound.write_until(end_s(self.video))

    def _packets(self) -> Iterator[av.Packet]:
        number = 0
        while self.path(number).is_file():
            with av.open(str(self.path(number)), format="nut") as container:
                yield from (packet for packet in container.demux(video=0) if packet.size)
            number += 1

    def _frames(self, number: int) -> int:
        """How many frames a segment holds; 0 where there is none, or no whole one."""
        if not self.path(number).is_file():
            return 0
        try:
            with av.open(str(self.path(number)), format="nut") as container:
                return sum(packet.size > 0 for packet in container.demux(video=0))
        except av.FFmpegError:
            return 0


def _join_command(path: Path, sound: SoundTrack | None, fps: float) -> list[str]:
    """The ffmpeg command line: pictures as they are, sound as mp4 holds it."""
    source = ffmpeg.input("pipe:0", format="nut", itsoffset=-LEAD_S)
    streams = [source["v"], source["a"]] if sound else [source["v"]]
    # NUT holds no durations: without one players leave the last frame out.
    codecs = {"c:v": "copy", "bsf:v": f"setts=duration={max(1, round(TICKS_PER_S / fps))}"}
    if sound:
        codecs["c:a"] = "copy" if sound.is_copied else "aac"
    output = ffmpeg.output(*streams, f"file:{path}", **codecs, **MP4)
    command = output.global_args("-copyts", "-nostdin", "-hide_banner", "-v", "warning")
    return [str(part) for part in command.compile(cmd=ffmpeg_binary(), overwrite_output=True)]


@contextmanager
def _failures(pipe: NutPipe, path: Path) -> Iterator[None]:
    """In a user's words, where ffmpeg is gone."""
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise pipe.failure(path) from error


def _finish(pipe: NutPipe, path: Path) -> None:
    with _failures(pipe, path):
        content = pipe.finish()
    if not content:
        raise pipe.failure(path)

"""Raw pictures with their times through a pipe into ffmpeg, which writes them as H.264."""

from fractions import Fraction
from pathlib import Path

import av
import ffmpeg
import numpy as np

from pipeline.audio import SoundTrack
from pipeline.ffmpeg_binary import ffmpeg_binary
from pipeline.nut_pipe import LEAD_S, TICKS_PER_S, NutPipe
from pipeline.yuv import YuvImage

COLOUR_NAME = {"bt601": "smpte170m", "bt709": "bt709"}
ENCODER_THREADS = 4
"""x264's bytes depend on it, so it is the same on every machine and in every batch."""
MP4 = {
    "format": "mp4",
    "video_track_timescale": TICKS_PER_S,
    "movie_timescale": TICKS_PER_S,
    "movflags": "+faststart",
}
NUT = {"format": "nut"}


class H264Pipe(NutPipe):
    """Pictures in; an mp4, or a NUT file of a part of one, out."""

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
            path: the file it writes: .nut for a part to be joined, else mp4.
            like: a picture with the size and the colours of all that follow.
            fps: a rough rate; the times alone decide.
            pixel_aspect: width of a pixel over its height.
            sound: goes into the same stream, written by itself.
            preset: x264's trade of speed for size.
            crf: x264's quality.

        Raises:
            OutputError: ffmpeg does not start.
        """
        super().__init__(_command(path, like, pixel_aspect, sound, preset, crf))
        self._stream = self.out.add_stream("rawvideo", rate=max(1, round(fps)))
        self._stream.height, self._stream.width = like.y.shape
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, TICKS_PER_S)
        self._stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        if sound:
            sound.add_to(self.out)

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
        self.out.mux(packet)


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
        vf=f"{tags},setsar={pixel_aspect}",
        fps_mode="passthrough",
        enc_time_base=f"1/{TICKS_PER_S}",
        preset=preset,
        crf=crf,
        threads=ENCODER_THREADS,
        pix_fmt="yuv420p",
        **{"c:v": "libx264"},
        **sound_codec,
        **(NUT if path.suffix == ".nut" else MP4),
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

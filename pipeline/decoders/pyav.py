"""Frames through FFmpeg's libraries (PyAV), decoded by several threads, streamed."""

import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from pipeline.cores import given_cores
from pipeline.decoders import Picture
from pipeline.limits import MAX_PIXELS
from pipeline.types import Video

LOGGER = logging.getLogger(__name__)

SEEK_FROM_FRAME = 48
"""Decoding this many frames costs about as much as seeking and decoding from a key frame."""
MIN_STEP_S = 1e-5
"""Frames with the same time (a fault of the file) are put this far apart."""

REFUSED_FORMATS = frozenset(
    "applehttp avisynth concat dash ffmetadata hls imf lavfi rtp rtsp sap sdp tty vapoursynth "
    "webm_dash_manifest".split()
)
"""What FFmpeg takes for videos and is a list of other files, an address or a program."""
FORMATS = ",".join(sorted(av.formats_available - REFUSED_FORMATS))


def open_container(path: Path, max_pixels: int = MAX_PIXELS) -> InputContainer:
    """Open a file for reading: never an address, a list of other files, or a pattern of names.

    Args:
        path: the file, whatever its name looks like.
        max_pixels: larger pictures are not decoded; nothing is allocated for them.
    """
    careful = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        "pattern_type": "none",
        "max_pixels": str(max_pixels),
    }
    container = av.open(f"file:{path}", options=careful)
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = {"max_pixels": str(max_pixels)}
    return container


def picture_stream(container: InputContainer) -> VideoStream:
    """The first video stream that is no cover picture.

    Raises:
        LookupError: there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise LookupError("no video stream")


def decode(video: Video, first_frame: int) -> Generator[Picture, None, None]:
    """See `pipeline.decoders`."""
    start_s = float(video.time_s[first_frame - video.first_frame])
    tolerance_s = time_tolerance_s(video)
    if first_frame >= SEEK_FROM_FRAME:
        pictures = _pictures(video, seek_s=start_s)
        for picture in pictures:
            if picture.time_s < start_s - tolerance_s:
                continue
            if picture.time_s > start_s + tolerance_s:
                break  # the key frame was too late, or the container's seeking lies
            yield picture
            yield from pictures
            return
        LOGGER.info("%s: cannot seek to %.3f s, decoding from the start", video.path, start_s)
    for picture in _pictures(video, seek_s=None):
        if picture.time_s >= start_s - tolerance_s:
            yield picture


def time_tolerance_s(video: Video) -> float:
    """Less than half the shortest distance of two frames, at most a millisecond."""
    shortest_s = float(np.diff(video.time_s).min()) if video.frame_count > 1 else 1.0
    return min(0.4 * shortest_s, 1e-3)


def tick_s(stream: VideoStream) -> Fraction:
    """Seconds of one unit of the stream's time stamps."""
    return stream.time_base or Fraction(1, av.time_base)


def decoded(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Decode packet by packet, stepping over what is damaged."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            LOGGER.info("demuxing stopped: %s", error)
            packet = None
        if packet is None:
            yield from _flushed(stream)
            return
        if packet.size == 0 or packet.is_corrupt:  # demux's own end mark, or cut off
            continue
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            LOGGER.info("packet at %s did not decode: %s", packet.pts, error)


def _flushed(stream: VideoStream) -> Iterator[av.VideoFrame]:
    """The pictures still inside the decoder; an error costs it one, so it comes to an end."""
    while True:
        try:
            yield from stream.decode(None)
            return
        except av.EOFError:
            return
        except av.FFmpegError as error:
            LOGGER.info("a last picture did not decode: %s", error)


def _pictures(video: Video, seek_s: float | None) -> Generator[Picture, None, None]:
    """Pictures from the key frame before `seek_s` on, or from the start, with their times."""
    with open_container(video.path, max(MAX_PIXELS, video.width_px * video.height_px)) as container:
        stream = picture_stream(container)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = given_cores()  # 0: as many as there are
        if seek_s is not None:
            try:
                container.seek(int(seek_s / tick_s(stream)), stream=stream)
            except av.FFmpegError:
                return
        previous_s = -np.inf
        for ordinal, picture in enumerate(decoded(container, stream)):
            time_s = _time_s(
                picture, tick_s(stream), video, None if seek_s is not None else ordinal
            )
            if time_s is None:
                return
            previous_s = max(time_s, previous_s + MIN_STEP_S)
            yield Picture(previous_s, picture)


def _time_s(
    picture: av.VideoFrame, tick: Fraction, video: Video, ordinal: int | None
) -> float | None:
    """A picture's time; where the file holds none it follows from counting from the start."""
    if picture.pts is not None:
        return float(picture.pts * tick)
    if ordinal is None or ordinal >= video.first_frame + video.frame_count:
        return None
    if ordinal < video.first_frame:
        return float(video.time_s[0]) - (video.first_frame - ordinal) / video.fps
    return float(video.time_s[ordinal - video.first_frame])

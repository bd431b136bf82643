"""Frames through decord, for those who prefer it; PyAV is faster and reads more.

Decord 0.6 gives RGB only; where a file names no colour matrix it takes BT.601 at any size.
"""

import logging
from collections.abc import Generator

import av
import decord
import numpy as np

from pipeline.decoders import Picture
from pipeline.decoders.pyav import open_container, picture_stream, tick_s, time_tolerance_s
from pipeline.errors import InputError
from pipeline.types import Video

LOGGER = logging.getLogger(__name__)


def decode(video: Video, first_frame: int) -> Generator[Picture, None, None]:
    """See `pipeline.decoders`.

    Raises:
        InputError: decord cannot read the file.
    """
    try:
        with open_container(video.path):  # refuses lists of files and addresses
            # An absolute path: decord would take 'http:...' and 'concat:...' for addresses.
            reader = decord.VideoReader(str(video.path.absolute()), ctx=decord.cpu(0))
        times_s = _times_s(reader, video)
    except (decord.DECORDError, RuntimeError, av.FFmpegError) as error:
        raise _unreadable(video) from error
    if times_s[0] < video.time_s[0] and video.first_frame == 0:
        # Decord counts the frames that an edit list hides, and then gives others for them.
        raise _unreadable(video)
    start_s = video.time_s[first_frame - video.first_frame] - time_tolerance_s(video)
    came = False
    for i, time_s in enumerate(times_s):
        if time_s < start_s:
            continue
        try:
            rgb = reader[i].asnumpy()
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        except (decord.DECORDError, RuntimeError) as error:
            LOGGER.info("frame %d did not decode: %s", i, error)
            continue
        except ValueError as error:  # very small pictures come with their line padding
            raise _unreadable(video) from error
        came = True
        yield Picture(float(time_s), picture)
    if not came:
        raise _unreadable(video)


def _times_s(reader: decord.VideoReader, video: Video) -> np.ndarray:
    """(decord's frames,) times on the source's clock; by order where decord knows none.

    Decord counts from the stream's start, in 32 bits; times that mean a frame of ours become exact.
    """
    times_s = np.asarray(reader.get_frame_timestamp(range(len(reader))), dtype=np.float64)[:, 0]
    if times_s.min() < -1e6 or (np.diff(times_s) <= 0).any():  # noqa: PLR2004  (not set, in ticks)
        LOGGER.info("%s: decord has no frame times, counting instead", video.path)
        by_order_s = np.full(video.first_frame + video.frame_count, -np.inf)
        by_order_s[video.first_frame :] = video.time_s
        return by_order_s[: len(times_s)]
    with open_container(video.path) as container:
        stream = picture_stream(container)
        times_s += float((stream.start_time or 0) * tick_s(stream))
    after = np.searchsorted(video.time_s, times_s).clip(1, max(1, video.frame_count - 1))
    before = np.minimum(after - 1, video.frame_count - 1)
    after = np.minimum(after, video.frame_count - 1)
    is_before = times_s - video.time_s[before] < video.time_s[after] - times_s
    nearest_s = video.time_s[np.where(is_before, before, after)]
    return np.where(np.abs(nearest_s - times_s) < time_tolerance_s(video), nearest_s, times_s)


def _unreadable(video: Video) -> InputError:
    return InputError(f"{video.path}: decord cannot read this file. Set the decoder to 'pyav'.")

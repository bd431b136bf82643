"""Frames in: open a video, and stream its frames upright, in order, with their true times."""

from pathlib import Path

import numpy as np

from pipeline.decoders import DECODERS, load_decoder
from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.frame import Frame
from pipeline.limits import DEFAULT_LIMITS, VideoLimits
from pipeline.probe import Probe, probe
from pipeline.reader import FrameReader
from pipeline.types import Video

__all__ = ["DECODERS", "Frame", "FrameReader", "open_video", "read_frames"]


def open_video(
    path: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    decoder: str = "pyav",
    events: EventLog | None = None,
    limits: VideoLimits = DEFAULT_LIMITS,
) -> Video:
    """Look a video over, without decoding it, and choose the frames to work on.

    Args:
        path: the video file.
        start_s: first second to use, counted from the first frame.
        end_s: second to stop before, counted from the first frame.
        decoder: name of the decoder that `read_frames` will be given.
        events: where lost frames and assumptions are recorded.
        limits: how large a video may be.

    Raises:
        InputError: the file is missing, unreadable, no video or beyond the limits, or no frame
            lies in the range.
    """
    load_decoder(decoder)
    found = probe(Path(path), limits)
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
    came_s: np.ndarray | None = None,
    decoder: str = "pyav",
    events: EventLog | None = None,
) -> FrameReader:
    """Stream the frames of a video.

    Args:
        video: from `open_video`.
        first_frame: source frame to start with, by default the video's first.
        came_s: times in seconds of the frames that an interrupted reading gave; it goes on
            behind them, and counts on.
        decoder: its name.
        events: where lost frames are recorded.
    """
    return FrameReader(video, first_frame, decoder, events or EventLog(), came_s)

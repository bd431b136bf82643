"""What a container says about its video: a walk over the packets, without decoding them."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard
from av.video.stream import VideoStream
from jaxtyping import Float64

from pipeline.decoders.pyav import MIN_STEP_S, decoded, open_container, picture_stream, tick_s
from pipeline.errors import InputError
from pipeline.frame import Orientation, orientation_of
from pipeline.limits import DEFAULT_LIMITS, VideoLimits
from pipeline.truncation import lost_frames

VP8_SHOWN_BIT = 0x10


@dataclass(frozen=True)
class Probe:
    """Facts of a file's first video stream."""

    width_px: int
    """Upright, as decoded."""
    height_px: int
    orientation: Orientation
    turned_exactly: bool
    """False where the rotation is not a multiple of 90 degrees."""
    times_s: Float64[np.ndarray, " f"]
    """Presentation times of all frames that are there, increasing."""
    times_are_guessed: bool
    lost_frames: int
    """Frames that the container announces but does not hold."""
    pixel_aspect: float
    """Width of a pixel over its height."""
    has_audio: bool
    codec: str


def probe(path: Path, limits: VideoLimits = DEFAULT_LIMITS) -> Probe:
    """Read all packet times and decode one frame.

    Raises:
        InputError: not a video, nothing in it can be decoded, or it is beyond the limits.
    """
    check_file(path)
    try:
        with open_container(path, limits.max_pixels) as container:
            return _probe(container, path, limits)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(_unreadable(path, error)) from error


def check_file(path: Path) -> None:
    """Raise an `InputError` unless this is a file with something in it that we may read."""
    if not _is_text(path):
        shown = str(path).encode("utf-8", "backslashreplace").decode()
        raise InputError(f"{shown}: its name is no UTF-8 text, which results must hold. Rename it")
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a video. Give the path of one video file.")
        if path.exists() and not path.is_file():
            raise InputError(
                f"{path} is a pipe or a device, not a file. Save it as a file: it is read twice."
            )
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty (0 bytes). Copy or download it again.")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist. Check the path of the video.") from error
    except PermissionError as error:
        raise InputError(
            f"{path} may not be read. Give yourself permission to read it (chmod u+r)."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the disk.") from error


def _is_text(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return (
            f"{path} has lost its index (the recording or copy was cut off), so no frame can be "
            "decoded. Copy it again, or repair it with a tool such as untrunc."
        )
    reason = getattr(error, "strerror", None) or error
    return f"{path} is not a video that can be read ({reason}). Convert it to mp4 and try again."


def _probe(container: InputContainer, path: Path, limits: VideoLimits) -> Probe:
    try:
        stream = picture_stream(container)
    except LookupError as error:
        if not container.streams.audio:
            raise InputError(_unreadable(path, error)) from None
        raise InputError(f"{path} holds only sound. Give a file with moving pictures.") from None
    if stream.codec_context is None:
        raise InputError(f"{path} is coded in an unknown way. Convert it to mp4 (H.264) first.")
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    _check_size(stream.codec_context.width, stream.codec_context.height, path, limits)
    pts = _packet_times(container, stream, path, limits)
    picture = first_picture(path, limits.max_pixels)
    if picture is None or not pts:
        raise InputError(
            f"{path}: no frame of its {stream.codec_context.name} video can be decoded. "
            "The file is damaged; copy it again or convert it to mp4. (Pictures of more than "
            f"video.max_pixels={limits.max_pixels} are not decoded.)"
        )
    _check_size(picture.width, picture.height, path, limits)
    times_s, guessed = _times(pts, stream)
    orientation, exact = orientation_of(picture)
    width_px, height_px = orientation.size_px(picture.width, picture.height)
    return Probe(
        width_px=width_px,
        height_px=height_px,
        orientation=orientation,
        turned_exactly=exact,
        times_s=times_s,
        times_are_guessed=guessed,
        lost_frames=lost_frames(container, stream, times_s, path),
        pixel_aspect=float(stream.sample_aspect_ratio or 1) or 1.0,
        has_audio=bool(container.streams.audio),
        codec=stream.codec_context.name,
    )


def _check_size(width_px: int, height_px: int, path: Path, limits: VideoLimits) -> None:
    if width_px * height_px > limits.max_pixels:
        raise InputError(
            f"{path}: its pictures are {width_px}x{height_px}, more than "
            f"video.max_pixels={limits.max_pixels} allows. Make the video smaller, or raise that"
        )


def first_picture(path: Path, max_pixels: int) -> av.VideoFrame | None:
    """The first picture that decodes."""
    with open_container(path, max_pixels) as container:
        return next(decoded(container, picture_stream(container)), None)


def _packet_times(
    container: InputContainer, stream: VideoStream, path: Path, limits: VideoLimits
) -> list[int | None]:
    """Time of every packet that will show a picture, in stream ticks, in file order."""
    times: list[int | None] = []
    is_vp8 = stream.codec_context.name == "vp8"
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_corrupt or packet.is_discard:
                continue
            if is_vp8 and not bytes(packet)[0] & VP8_SHOWN_BIT:
                continue  # VP8 stores reference pictures that are never shown
            times.append(packet.pts if packet.pts is not None else packet.dts)
            if len(times) > limits.max_frames:
                raise InputError(
                    f"{path}: has more frames than video.max_frames={limits.max_frames} allows. "
                    "Cut the video into parts, or raise that"
                )
    except av.FFmpegError:
        pass  # cut off here; what was lost is counted by `lost_frames`
    return times


def _times(pts: list[int | None], stream: VideoStream) -> tuple[Float64[np.ndarray, " f"], bool]:
    """Presentation order and seconds; guessed from the frame rate where there are no times."""
    known = [tick for tick in pts if tick is not None]
    if len(known) < len(pts):
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        return np.arange(len(pts)) / rate, True
    ticks = np.sort(np.array(known, dtype=np.int64))
    times_s = ticks * float(tick_s(stream))
    for i in np.flatnonzero(np.diff(ticks) == 0) + 1:
        times_s[i] = max(times_s[i], times_s[i - 1] + MIN_STEP_S)
    return times_s, False

"""How many frames a container announces that are not in the file: signs of a cut-off copy."""

from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from jaxtyping import Float64


def lost_frames(
    container: InputContainer, stream: VideoStream, times_s: Float64[np.ndarray, " f"], path: Path
) -> int:
    """Frames announced by the index (mp4), header (avi) or tags (Matroska, an estimate)."""
    format_name = container.format.name
    if "mp4" in format_name:
        listed = sum(not entry.is_discard for entry in stream.index_entries)
        return max(0, listed - len(times_s))
    if format_name == "avi" and path.stat().st_size < _riff_bytes(path):
        return max(0, stream.frames - len(times_s))
    if "matroska" in format_name and len(times_s) > 1:
        step_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
        missing_s = _tagged_end_s(stream) - (times_s[-1] + step_s)
        return round(missing_s / step_s) if missing_s > 1.5 * step_s else 0
    return 0


def _riff_bytes(path: Path) -> int:
    """Size that an avi file says it has."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(8)[4:8], "little") + 8


def _tagged_end_s(stream: VideoStream) -> float:
    """End of the stream by Matroska's DURATION tag (HH:MM:SS.fraction); 0 where there is none."""
    parts = stream.metadata.get("DURATION", "").rstrip("\0").split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return 0.0
    return hours * 3600 + minutes * 60 + seconds

"""How much of a video is believed: what a header claims costs nothing to write."""

from dataclasses import dataclass

MAX_PIXELS = 8192 * 8192
"""A picture of 67 million pixels: 8K film has half of that."""
MAX_FRAMES = 5_000_000
"""46 hours at 30 frames a second."""


@dataclass(frozen=True)
class VideoLimits:
    """Beyond these a video is refused before anything of that size is allocated."""

    max_frames: int = MAX_FRAMES
    max_pixels: int = MAX_PIXELS
    """Of one picture."""


DEFAULT_LIMITS = VideoLimits()

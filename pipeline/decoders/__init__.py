"""Decoders: one module each, chosen by name in `pipeline.video`.

A decoder module holds one function, ``decode(video, first_frame) -> Generator[Picture]``: the
pictures in presentation order from source frame `first_frame` on, to the end of the file. What
does not decode is left out. A decoder seeks by itself where that saves time.
"""

from dataclasses import dataclass

import av


@dataclass(frozen=True)
class Picture:
    """A decoded picture, not yet upright where it carries a display matrix."""

    time_s: float
    """Presentation time on the source's clock; increases from picture to picture."""
    picture: av.VideoFrame

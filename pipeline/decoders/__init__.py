"""Decoders: one module each, chosen by name in `pipeline.video`.

A decoder module holds one function, ``decode(video, first_frame) -> Generator[Picture]``: the
pictures in presentation order from source frame `first_frame` on, to the end of the file. What
does not decode is left out. A decoder seeks by itself where that saves time.
"""

import importlib
from collections.abc import Callable, Generator
from dataclasses import dataclass

import av

from pipeline.errors import MissingError, SettingsError
from pipeline.types import Video

DECODERS = ("pyav", "decord")


@dataclass(frozen=True)
class Picture:
    """A decoded picture, not yet upright where it carries a display matrix."""

    time_s: float
    """Presentation time on the source's clock; increases from picture to picture."""
    picture: av.VideoFrame


def load_decoder(name: str) -> Callable[[Video, int], Generator[Picture, None, None]]:
    """The decoder's `decode`, imported late.

    Raises:
        SettingsError: no such decoder.
        MissingError: its package is not installed; the text is the pip line.
    """
    if name not in DECODERS:
        raise SettingsError(f"video: unknown decoder '{name}'. Known: {', '.join(DECODERS)}")
    try:
        module = importlib.import_module(f"pipeline.decoders.{name}")
    except ModuleNotFoundError as error:
        raise MissingError(
            f"The decoder '{name}' needs the package '{error.name}'. Install it with: "
            f"pip install 'humans4d[{name}]'"
        ) from error
    return module.decode

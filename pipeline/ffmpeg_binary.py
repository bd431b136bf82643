"""Which ffmpeg program to use: the system's where it is good enough, else imageio-ffmpeg's."""

import functools
import logging
import re
import shutil
import subprocess

from pipeline.errors import MissingError

LOGGER = logging.getLogger(__name__)
OLDEST_VERSION = (5, 1)
"""The first one with `-fps_mode`."""


@functools.cache
def ffmpeg_binary() -> str:
    """Path of the ffmpeg program.

    Raises:
        MissingError: neither the system nor imageio-ffmpeg has one.
    """
    system = shutil.which("ffmpeg")
    if system and fits(version_text(system)):
        return system
    import imageio_ffmpeg  # noqa: PLC0415  (only where the system has none)

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingError(
            "No ffmpeg program was found to write the overlay. Install it with: "
            "pip install --force-reinstall imageio-ffmpeg (or your system's package 'ffmpeg')"
        ) from error


def version_text(program: str) -> str:
    """What the program says about itself; empty where it does not start."""
    try:
        return subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        LOGGER.info("%s does not start: %s", program, error)
        return ""


def fits(text: str) -> bool:
    """Whether a `-version` text is of an ffmpeg that is new enough and writes H.264."""
    if "--enable-libx264" not in text:
        return False
    release = re.match(r"ffmpeg version n?(\d+)\.(\d+)", text)
    if release:
        return (int(release[1]), int(release[2])) >= OLDEST_VERSION
    return re.match(r"ffmpeg version (N-\d+|git-)", text) is not None  # built from the sources

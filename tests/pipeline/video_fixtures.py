"""Small clips with known content, made on the spot.

Every frame carries its number as eight black or white squares (16 px or more): lossy coding moves
values by a few levels, never across the middle, so the number reads back exactly. The corners
carry saturated colours, so orientation and colour can be told as well.
"""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pipeline.ffmpeg_binary import ffmpeg_binary

BITS = 8
CORNER_RGB = {"top_left": (200, 30, 30), "top_right": (30, 160, 30), "bottom_left": (40, 40, 200)}


def numbered_rgb(number: int, width_px: int, height_px: int) -> np.ndarray:
    """A grey picture with coloured corners and `number` written in squares across the middle."""
    rgb = np.full((height_px, width_px, 3), 128, dtype=np.uint8)
    square = width_px // BITS
    for bit in range(BITS):
        value = 235 if number >> bit & 1 else 16
        rgb[height_px // 3 : 2 * height_px // 3, bit * square : (bit + 1) * square] = value
    h, w = height_px // 4, width_px // 4
    rgb[:h, :w] = CORNER_RGB["top_left"]
    rgb[:h, -w:] = CORNER_RGB["top_right"]
    rgb[-h:, :w] = CORNER_RGB["bottom_left"]
    return rgb


def read_number(rgb: np.ndarray) -> int:
    """The number in an upright picture."""
    height_px, width_px = rgb.shape[:2]
    square = width_px // BITS
    row = rgb[height_px // 2 - 4 : height_px // 2 + 4].mean(axis=(0, 2))
    centres = [
        row[bit * square + square // 4 : (bit + 1) * square - square // 4].mean()
        for bit in range(BITS)
    ]
    return sum(1 << bit for bit, value in enumerate(centres) if value > 128)


def corner_rgb(rgb: np.ndarray, corner: str) -> np.ndarray:
    """Mean colour well inside a corner."""
    h, w = rgb.shape[0] // 4, rgb.shape[1] // 4
    rows = slice(2, h - 2) if corner.startswith("top") else slice(-h + 2, -2)
    columns = slice(2, w - 2) if corner.endswith("left") else slice(-w + 2, -2)
    return rgb[rows, columns].reshape(-1, 3).mean(axis=0)


def make_clip(
    path: Path,
    *,
    times_s: list[float] | np.ndarray | int = 12,
    size_px: tuple[int, int] = (320, 240),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    rotation_ccw_deg: int = 0,
    display_matrix: tuple[int, ...] | None = None,
    pixel_aspect: Fraction | None = None,
    sound: str | None = None,
    tags: dict[str, int] | None = None,
) -> Path:
    """Write a clip of numbered frames; an int for `times_s` means that many frames at 25 fps."""
    times = np.arange(times_s) / 25 if isinstance(times_s, int) else np.asarray(times_s)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = size_px
        stream.pix_fmt = pixel_format
        fine = path.suffix in (".mp4", ".mov", ".nut")
        tick = Fraction(1, 90000) if fine else Fraction(1, 25)
        if path.suffix in (".mkv", ".webm"):
            tick = Fraction(1, 1000)
        stream.codec_context.time_base = tick
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation_ccw_deg:
            stream.set_display_rotation(rotation_ccw_deg)
        if display_matrix:
            stream.set_display_matrix(display_matrix)
        audio = container.add_stream(sound, rate=48000) if sound else None
        if audio:
            audio.layout = "mono"
        for number, time_s in enumerate(times):
            rgb = numbered_rgb(number, *size_px)
            colours = {}
            if tags and "colorspace" in tags:
                colours["dst_colorspace"] = tags["colorspace"]
            if tags and tags.get("color_range") == 2:
                colours["dst_color_range"] = 2
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame = frame.reformat(format=pixel_format, **colours)
            frame.pts, frame.time_base = round(time_s / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio:
            seconds = float(times[-1]) + 0.04
            _add_sine(container, audio, seconds)
    return path


def _add_sine(container: av.container.OutputContainer, audio: av.AudioStream, seconds: float):
    samples = np.arange(round(48000 * seconds))
    wave = (8000 * np.sin(2 * np.pi * 440 * samples / 48000)).astype(np.int16)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "s16", "mono")
        frame.rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


def run_ffmpeg(*arguments: str | Path) -> None:
    """Run the ffmpeg program."""
    command = [ffmpeg_binary(), "-y", "-v", "error", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def fast_start(source: Path, target: Path) -> Path:
    """The same file with its index in front, so that cutting the end leaves it readable."""
    run_ffmpeg("-i", source, "-c", "copy", "-movflags", "+faststart", target)
    return target

"""Seed films of every common container, and damaged copies of them."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fuzz.doors import command, decoded
from benchmarks.fuzz.mutations import Rng, damaged, spliced
from benchmarks.fuzz.trial import Trial
from pipeline.ffmpeg_binary import ffmpeg_binary

SIZE = "160x120"
SECONDS = 1.6
SOUND = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}")
FILMS: dict[str, tuple[str, ...]] = {
    "h264.mp4": ("-c:v", "libx264", "-g", "12", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "fragmented.mp4": (
        *("-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p", "-an"),
        *("-movflags", "frag_keyframe+empty_moov"),
    ),
    "mpeg4.avi": ("-c:v", "mpeg4", "-q:v", "5", "-c:a", "mp3"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", "8", "-pix_fmt", "yuvj420p", "-an"),
    "vp8.webm": ("-c:v", "libvpx", "-b:v", "200k", "-c:a", "libvorbis"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-b:v", "200k", "-cpu-used", "8", "-an"),
}
SIDES_PX = (0, 1, 2, 30000, 65535)
WHOLE_RUN_LIMIT_S = 90.0


@dataclass(frozen=True)
class Seeds:
    """The whole films by name."""

    content: dict[str, bytes]


def seed_films(folder: Path) -> Seeds:
    """Make the films (again only where they are missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in FILMS.items():
        if not (folder / name).exists():
            _make(folder / name, options)
    return Seeds({name: (folder / name).read_bytes() for name in FILMS})


def _make(path: Path, options: Sequence[str]) -> None:
    # One thread and bit-exact: the same bytes on every machine with the same ffmpeg.
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate=20:duration={SECONDS}")
    exact = ("-threads", "1", "-flags", "+bitexact", "-fflags", "+bitexact", "-shortest")
    command_line = [ffmpeg_binary(), "-v", "error", "-y", *picture, *SOUND, *options, *exact]
    subprocess.run([*command_line, f"file:{path}"], check=True)


def video_trials(seeds: Seeds, count: int, seed: int) -> list[Trial]:
    """Damaged films through probing and decoding."""
    return [_trial(seeds, number, seed, _decode, "decode", 20.0) for number in range(count)]


def whole_trials(seeds: Seeds, count: int, seed: int) -> list[Trial]:
    """Damaged films through a whole run."""
    trials = (_trial(seeds, number, seed, _run, "whole run", 0.0) for number in range(count))
    return [Trial(t.name, t.kind, t.steps, WHOLE_RUN_LIMIT_S) for t in trials]


def _decode(path: Path) -> list[Callable[[], int]]:
    return [decoded(path)]


def _run(path: Path) -> list[Callable[[], int]]:
    out = path.with_name("out")
    steps = [command("run", path, "-o", out, "-q")]
    return [*steps, command("inspect", out), command("validate", out)]


def _trial(
    seeds: Seeds,
    number: int,
    seed: int,
    steps_on: Callable[[Path], list[Callable[[], int]]],
    word: str,
    limit_s: float,
) -> Trial:
    name = list(seeds.content)[number % len(seeds.content)]

    def steps(folder: Path) -> list[Callable[[], int]]:
        rng = np.random.default_rng([seed, number])
        path = folder / f"film.{name.rpartition('.')[2]}"
        path.write_bytes(damaged_film(seeds, name, rng))
        return steps_on(path)

    kind = f"{name.rpartition('.')[2]}, {word}"
    return Trial(f"{word.replace(' ', '_')}-{number:04d}", kind, steps, limit_s)


def damaged_film(seeds: Seeds, name: str, rng: Rng) -> bytes:
    """A film damaged at random: bytes, a splice with another film, or a claimed size."""
    data, chance = seeds.content[name], rng.random()
    if chance < 0.1:
        return spliced(data, seeds.content[str(rng.choice(list(seeds.content)))], rng)
    if chance < 0.25:
        return with_claimed_size(data, name, rng)
    return damaged(data, rng)[0]


def with_claimed_size(data: bytes, name: str, rng: Rng) -> bytes:
    """Width and height in the container's header set to extremes."""
    changed, sides = bytearray(data), rng.choice(SIDES_PX, 2)
    for start, width in _size_fields(data, name):
        order = "little" if name.endswith("avi") else "big"
        for i, side in enumerate(sides):
            place = start + i * width
            changed[place : place + width] = (int(side) & ((1 << 8 * width) - 1)).to_bytes(
                width,
                order,  # type: ignore[arg-type]
            )
    return bytes(changed)


def _size_fields(data: bytes, name: str) -> list[tuple[int, int]]:
    """Where width and height lie side by side: (offset, bytes each)."""
    found = []
    if name.endswith("mp4"):
        at = data.find(b"avc1", data.find(b"stsd"))
        found.append((at + 28, 2))
    elif name.endswith("avi"):
        found.append((data.find(b"strf") + 12, 4))
        found.append((data.find(b"avih") + 40, 4))
    else:  # EBML ids of PixelWidth and PixelHeight (Matroska), with a size of one or two bytes
        for code in (b"\xb0", b"\xba"):
            at = data.find(code + b"\x81", 200)
            at = at if at >= 0 else data.find(code + b"\x82", 200)
            if at >= 0:
                found.append((at + 2, 1))
    return found

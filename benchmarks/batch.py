"""Rate of two workers against one with one core and one with all, and whether results agree.

``python -m benchmarks.batch FOLDER [--clips 200] [--blocks 4]`` films short clips into FOLDER, runs
them in blocks with one worker and with two in turn (what else runs on the machine then weighs on
both alike), compares every result with the other's and, by `--singles`, with `humans4d run`'s.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.same_results import differences
from pipeline.batch.find import search
from pipeline.batch.manifest import FILE_NAME, Manifest
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.film_file import CLIP_NAME, FilmOptions, make_film
from pipeline.scenes.specs import Procedural, Role, SceneSpec
from pipeline.scenes.staging import staged

MOTIONS = ("reach", "squat")
SECONDS, FPS = 1.2, 20.0
OUTPUTS = ("one_core", "one", "two")


@dataclass
class Tally:
    """One way to run a block."""

    name: str
    workers: int
    cores: int
    """How many the batch may use, its driver included."""
    seconds: list[float] = field(default_factory=list)


def film(folder: Path, count: int, blocks: int) -> None:
    """Clips of 320x240 with one person each, every one with its own clothes, place and noise."""
    body, context = load_body(), Context()
    for number in range(count):
        target = folder / f"block{number % blocks}" / f"clip_{number:04d}.mp4"
        if target.exists():
            continue
        spec = SceneSpec(
            f"s{number}",
            "single",
            (Role(Procedural(MOTIONS[number % 2]), number + 1),),
            SECONDS,
            camera=CameraPlan(distance_m=3.6 + 0.1 * (number % 9)),
            fps=FPS,
            width_px=320,
            height_px=240,
        )
        work = folder / "filming"
        make_film(staged(spec, body, None), work, context, FilmOptions(noise=3.0, seed=number))
        target.parent.mkdir(parents=True, exist_ok=True)
        (work / CLIP_NAME).replace(target)


def run_block(block: Path, out: Path, tally: Tally) -> None:
    """A batch as a user starts it, in a process of its own."""
    command = [sys.executable, "-m", "pipeline", "batch", str(block), "-o", str(out), "-q"]
    allowed = sorted(os.sched_getaffinity(0))
    began_s = time.perf_counter()
    # A worker decodes while it thinks and so uses somewhat more than a core if it may.
    os.sched_setaffinity(0, allowed[: tally.cores])
    try:
        subprocess.run([*command, "--workers", str(tally.workers)], check=True)
    finally:
        os.sched_setaffinity(0, allowed)
    tally.seconds.append(time.perf_counter() - began_s)


def run_single(video: Path, out: Path) -> None:
    """`humans4d run`."""
    command = [sys.executable, "-m", "pipeline", "run", str(video), "-o", str(out), "-q"]
    subprocess.run(command, check=True)


def compare(folder: Path, blocks: list[Path], singles: int) -> tuple[int, list[str]]:
    """How many results were compared with a single run's, and what differs anywhere."""
    wrong, compared = [], 0
    for block in blocks:
        for found in search(block, folder / "nowhere").videos:
            *ones, two = (folder / name / block.name / found.name for name in OUTPUTS)
            for one in ones:
                wrong += [f"{found.name}: {name}" for name in differences(one, two)]
            if compared < singles:
                alone = folder / "single" / found.name
                run_single(block / found.name, alone)
                wrong += [f"{found.name}, single: {name}" for name in differences(alone, two)]
                compared += 1
    return compared, wrong


def main() -> None:
    """Film, run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--singles", type=int, default=20)
    given = parser.parse_args()
    film(given.folder, given.clips, given.blocks)
    blocks = sorted(given.folder.glob("block*"))
    cores = len(os.sched_getaffinity(0))
    tallies = [Tally(*row) for row in zip(OUTPUTS, (1, 1, 2), (1, cores, cores), strict=True)]
    for number, block in enumerate(blocks):
        for tally in tallies if number % 2 == 0 else tallies[::-1]:
            run_block(block, given.folder / tally.name / block.name, tally)
            print(f"{block.name}: {tally.name} {tally.seconds[-1]:.1f} s, ", end="")
            print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    *slower, two = (given.clips / sum(tally.seconds) for tally in tallies)
    for tally, rate in zip(tallies, slower, strict=False):
        print(f"{tally.name}: {rate:.3f} videos/s; two: {two:.3f}, {two / rate:.2f} times")
    done = 0
    for block in blocks:
        with Manifest(given.folder / OUTPUTS[-1] / block.name / FILE_NAME) as manifest:
            done += manifest.counts()["done"][0]
    compared, wrong = compare(given.folder, blocks, given.singles)
    print(f"done {done} of {given.clips}; {compared} compared with a single run; differ: {wrong}")


if __name__ == "__main__":
    main()

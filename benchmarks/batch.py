"""Rate of two workers against one, and whether every result is that of a single run.

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
from pipeline.cores import VARIABLE
from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.film_file import CLIP_NAME, FilmOptions, make_film
from pipeline.scenes.specs import Procedural, Role, SceneSpec
from pipeline.scenes.staging import staged

MOTIONS = ("reach", "squat")
SECONDS, FPS = 1.2, 20.0


@dataclass
class Tally:
    """One number of workers."""

    workers: int
    environment: dict[str, str]
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
    began_s = time.perf_counter()
    subprocess.run(
        [*command, "--workers", str(tally.workers)],
        check=True,
        env={**os.environ, **tally.environment},
    )
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
            one, two = (folder / f"out{n}" / block.name / found.name for n in (1, 2))
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
    tallies = [Tally(1, {VARIABLE: "1", "OMP_NUM_THREADS": "1"}), Tally(2, {})]
    for number, block in enumerate(blocks):
        for tally in tallies if number % 2 == 0 else tallies[::-1]:
            run_block(block, given.folder / f"out{tally.workers}" / block.name, tally)
            print(f"{block.name}: {tally.workers} worker(s) {tally.seconds[-1]:.1f} s, ", end="")
            print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    rates = [given.clips / sum(tally.seconds) for tally in tallies]
    print(f"rate: {rates[0]:.3f} and {rates[1]:.3f} videos/s, {rates[1] / rates[0]:.2f} times")
    done = 0
    for block in blocks:
        with Manifest(given.folder / "out2" / block.name / FILE_NAME) as manifest:
            done += manifest.counts()["done"][0]
    compared, wrong = compare(given.folder, blocks, given.singles)
    print(f"done {done} of {given.clips}; {compared} compared with a single run; differ: {wrong}")


if __name__ == "__main__":
    main()

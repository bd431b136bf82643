"""kill -9 at the start, the middle and the end of every stage, at random moments, and ffmpeg's."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.row import Row
from benchmarks.faults.runs import Bench, children_of, kept_in, made_in
from pipeline.parts import VARIABLE

STAGES = ("perception", "tracking", "refinement", "smoothing", "people", "rendering", "report")
FIRST_FILE = {
    "perception": "video.npz",
    "tracking": "tracks.npz",
    "refinement": "refined.npz",
    "smoothing": "smoothed.npz",
    "people": "people/person_001.npz",
    "rendering": "overlay.mp4",
    "report": "report.json",
}
RANDOM_SEED = 7


@dataclass(frozen=True)
class Kill:
    """When to kill."""

    name: str
    moment: Callable[[Path], bool]
    wait_s: float = 0.0


@dataclass(frozen=True)
class Chain:
    """Kills on one result folder, each run going on after the one before."""

    name: str
    kills: tuple[Kill, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the environment, for the runs that are killed."""


def chains(bench: Bench, at_random: int) -> Iterator[Chain]:
    """Every stage's start, middle and end; where parts are written; the rest at random."""
    begins = dict(zip(STAGES, (_begins(before) for before in (None, *STAGES)), strict=False))
    half_s = {stage: bench.stage_seconds[stage] / 2 for stage in STAGES}
    starts = (Kill(f"{stage} starts", begins[stage]) for stage in STAGES)
    yield Chain("start of every stage", tuple(starts))
    middles = (Kill(f"half of {stage}", begins[stage], half_s[stage]) for stage in STAGES)
    yield Chain("middle of every stage", tuple(middles))
    ends = (Kill(f"{stage} wrote", _exists(FIRST_FILE[stage])) for stage in STAGES)
    yield Chain("first file of every stage", tuple(ends))
    parts = ("000000.npz", "000001.npz", "000002.npz", "000000.nut", "000001.nut")
    yield Chain("every chunk and segment", tuple(Kill(part, _part(part)) for part in parts))
    chance, whole_s = random.Random(RANDOM_SEED), sum(bench.stage_seconds.values())
    waits_s = (chance.uniform(0, whole_s) for _ in range(at_random))
    started = _exists("run.json")
    yield Chain("random moments", tuple(Kill(f"{s:.1f} s on", started, s) for s in waits_s))


def killed_inside(bench: Bench) -> Row:
    """Kills inside lifting, tracking and refinement, whose every part is written at once.

    The last run, which reads them, and the undisturbed one write when seconds have gathered.
    """
    lifting = [Kill(f"{n} parts lifted", new_parts(None, n)) for n in (1, 2, 1)]
    tracking = [Kill(f"{n} parts tracked", new_parts("perception", n)) for n in (1, 1)]
    fitting = [Kill(f"{n} parts fitted", new_parts("tracking", n)) for n in (1, 2, 2, 2, 1, 1, 1)]
    kills = (*lifting, *tracking, *fitting)
    chain = Chain("inside lifting, tracking and refinement", kills, {VARIABLE: "0"})
    return killed(bench, chain)


def killed(bench: Bench, chain: Chain) -> Row:
    """Kill after kill, and the run that is let finish."""
    out = bench.scratch / "killed" / chain.name.replace(" ", "_")
    out.parent.mkdir(exist_ok=True)
    count, kept = 0, []
    for kill in chain.kills:
        count += bench.kill_when(out, kill.moment, kill.wait_s, chain.variables)
        kept.append(kept_in(out))
    wrong = bench.wrong_after(out)
    return Row(f"kill -9: {chain.name}", f"killed {count} times", "; ".join(kept), wrong)


def encoder_killed(bench: Bench) -> Row:
    """Only ffmpeg is killed: the run ends with one line, and goes on when started again."""
    out = bench.scratch / "encoder"
    process = bench.start(out)
    begins = _begins("people")
    children: list[int] = []
    while process.poll() is None and not (begins(out) and children):
        time.sleep(0.002)
        children = [child for child in children_of(process.pid) if _is_encoder(child)]
    for child in children:
        os.kill(child, signal.SIGKILL)
    ended, kept = bench.end(process, out), kept_in(out)
    return Row.of_error("kill -9 of ffmpeg alone", ended, kept, bench.wrong_after(out))


def _begins(before: str | None) -> Callable[[Path], bool]:
    """The stage begins when the one before it is noted."""
    if before is None:
        return _exists("run.json")
    return lambda out: before in made_in(out)


def _exists(name: str) -> Callable[[Path], bool]:
    return lambda out: (out / name).exists()


def _part(name: str) -> Callable[[Path], bool]:
    return lambda out: any(out.glob(f".unfinished/*/{name}"))


def new_parts(before: str | None, count: int) -> Callable[[Path], bool]:
    """The stage has written so many files of parts beyond those that are there when it begins."""
    begun, new = _begins(before), set[str]()
    old: set[str] | None = None

    def written(out: Path) -> bool:
        nonlocal old
        there = {f"{path} {_changed_ns(path)}" for path in out.glob(".unfinished/*/parts_*.npz")}
        if old is None or not begun(out):
            old = there | (old or set())
        new.update(there - old)
        return len(new) >= count

    return written


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _is_encoder(process_id: int) -> bool:
    try:
        return b"pipe:0" in Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:
        return False

"""Inputs that go away or change, clocks that jump, two runs on one folder."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults.row import Row
from benchmarks.faults.runs import Bench, kept_in, kill_tree, made_in
from pipeline.same_result import differences

YEAR_S = 365 * 24 * 3600


def input_removed(bench: Bench) -> Row:
    """The video goes away when half is done, and comes back."""
    clip, away = _own_clip(bench, "removed"), bench.scratch / "away.mp4"
    out = bench.scratch / "removed" / "result"
    process = bench.start(out, clip=clip)
    _wait(process.poll, lambda: "perception" in made_in(out))
    clip.rename(away)
    ended, kept = bench.end(process, out), kept_in(out)
    away.rename(clip)
    return Row.of_error("input removed midway", ended, kept, _as_of(bench, out, clip))


def input_replaced(bench: Bench, in_place: bool) -> Row:
    """Another video takes the place of the first; when the first is back, nothing is mixed."""
    name = "overwritten" if in_place else "replaced"
    clip, away = _own_clip(bench, name), bench.scratch / "away.mp4"
    out = bench.scratch / name / "result"
    other = clip.with_name("other.mp4")
    other.write_bytes(clip.read_bytes() + bytes(4096))
    process = bench.start(out, clip=clip)
    _wait(process.poll, lambda: any(out.glob(".unfinished/*/000000.npz")))
    if in_place:
        shutil.copy(clip, away)
        clip.write_bytes(other.read_bytes())
    else:
        clip.rename(away)
        other.rename(clip)
    ended, kept = bench.end(process, out), kept_in(out)
    away.replace(clip)
    return Row.of_error(f"input {name} midway", ended, kept, _as_of(bench, out, clip))


def clock_moved(bench: Bench, years: int) -> Row:
    """A killed run's files and the video are suddenly from another time."""
    clip = _own_clip(bench, f"clock{years}")
    out = clip.parent / "result"
    process = bench.start(out, clip=clip)
    _wait(process.poll, lambda: "tracking" in made_in(out))
    kill_tree(process)
    kept, then_s = kept_in(out), time.time() + years * YEAR_S
    for path in (clip, *out.rglob("*")):
        os.utime(path, (then_s, then_s))
    wrong = _as_of(bench, out, clip)
    again = {name for name, made in made_in(out).items() if not made["reused"]}
    if "perception" in again or "tracking" in again:
        wrong += " what was whole was made again"
    word = "back" if years < 0 else "on"
    return Row(f"killed, all dates {abs(years)} years {word}", "killed", kept, wrong)


def two_writers(bench: Bench) -> Row:
    """A second run on a folder in use is refused; the first is not disturbed."""
    out = bench.scratch / "two" / "result"
    out.parent.mkdir(parents=True, exist_ok=True)
    first = bench.start(out)
    _wait(first.poll, (out / "run.json").exists)
    os.killpg(first.pid, signal.SIGSTOP)  # holds its lock for as long as the second takes
    ended, kept = bench.rerun(out), kept_in(out)
    os.killpg(first.pid, signal.SIGCONT)
    first.wait()
    return Row.of_error("two writers: the second", ended, kept, bench.wrong_after(out))


def _own_clip(bench: Bench, name: str) -> Path:
    folder = bench.scratch / name
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(bench.clip, folder / bench.clip.name))


def _as_of(bench: Bench, out: Path, clip: Path) -> str:
    """What is wrong after a rerun, compared with an undisturbed run of that very file."""
    again = bench.rerun(out, clip=clip)
    if again.exit_code:
        return f"the rerun ended with {again.exit_code}: {again.in_one_line}"
    whole = clip.parent / "whole"
    bench.rerun(whole, clip=clip)
    return ", ".join(differences(whole, out))


def _wait(ended: Callable[[], int | None], moment: Callable[[], bool]) -> None:
    while ended() is None and not moment():
        time.sleep(0.002)

"""Try one case in a process of its own, forked from a warm one, and see how it ends."""

import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ALLOWED_EXIT_CODES = (0, 2, 3, 4, 5, 6)
MEMORY_LIMIT_BYTES = 4 << 30
"""Address space beyond what the warm process has; a claimed size that is believed shows up here."""
PEAK_LIMIT_MB = 1500
SHOWN = 2000


@dataclass(frozen=True)
class Trial:
    """Something to try: `steps` are called one after the other with an empty folder."""

    name: str
    kind: str
    """What the table counts it under."""
    steps: Callable[[Path], Sequence[Callable[[], int]]]
    """Prepares the folder and gives what to do in it; each step returns an exit code."""
    limit_s: float = 20.0


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    name: str
    kind: str
    codes: tuple[int, ...]
    """Exit codes of the steps that ended."""
    fault: str
    """What is wrong; empty: nothing."""
    seconds: float
    peak_mb: float
    said: str


def run_trials(
    trials: Sequence[Trial], folder: Path, *, workers: int = 2, keep: bool = False
) -> Iterator[Outcome]:
    """All trials, so many at a time; folders of those without a fault are removed."""
    waiting, running = list(reversed(trials)), {}
    while waiting or running:
        while waiting and len(running) < workers:
            trial = waiting.pop()
            pid, started = _started(trial, folder / trial.name)
            running[pid] = (trial, started)
        pid, status, usage = os.wait4(-1, 0)
        if pid not in running:
            continue
        trial, started = running.pop(pid)
        outcome = _outcome(trial, folder / trial.name, status, usage, time.monotonic() - started)
        if not outcome.fault and not keep:
            shutil.rmtree(folder / trial.name, ignore_errors=True)
        yield outcome


def _started(trial: Trial, folder: Path) -> tuple[int, float]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid, time.monotonic()
    try:
        _in_child(trial, folder)
    finally:
        os._exit(1)


def _in_child(trial: Trial, folder: Path) -> None:
    """Never returns: ends with 0 if every step came to an end."""
    out = os.open(folder / "said.txt", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(out, stream)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills, whatever the code is busy with
    signal.setitimer(signal.ITIMER_REAL, trial.limit_s)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + MEMORY_LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for step in trial.steps(folder):
            code = step()
            sys.stdout.flush()
            sys.stderr.flush()
            with (folder / "codes.txt").open("a") as file:
                file.write(f"{code} {_said(folder).count(chr(10))}\n")
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _outcome(
    trial: Trial, folder: Path, status: int, usage: resource.struct_rusage, seconds: float
) -> Outcome:
    said, peak_mb = _said(folder), usage.ru_maxrss / 1e3
    path = folder / "codes.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [tuple(map(int, line.split())) for line in lines]
    codes = tuple(row[0] for row in rows)
    fault = _fault(status, rows, said, peak_mb)
    return Outcome(trial.name, trial.kind, codes, fault, seconds, peak_mb, said[-SHOWN:])


def _fault(status: int, rows: Sequence[tuple[int, ...]], said: str, peak_mb: float) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "hang" if number == signal.SIGALRM else f"crash ({signal.Signals(number).name})"
    if "Traceback (most recent" in said or os.WEXITSTATUS(status):
        return "traceback"
    if "This is a fault of humans4d" in said:
        return "unexpected error"
    before = 0
    for code, lines in rows:
        if code not in ALLOWED_EXIT_CODES:
            return f"exit code {code}"
        if code and lines == before:
            return f"exit code {code} without a word"
        before = lines
    return f"took {peak_mb:.0f} MB" if peak_mb > PEAK_LIMIT_MB else ""


def _said(folder: Path) -> str:
    path = folder / "said.txt"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

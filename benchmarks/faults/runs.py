"""Runs of `humans4d run` as a user starts them, and what became of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.npz_file import read_npz_file
from pipeline.same_result import differences

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600
POLL_S = 0.002


@dataclass(frozen=True)
class Ended:
    """A process that is over."""

    exit_code: int
    said: str

    @property
    def in_one_line(self) -> str:
        """The error as the user sees it."""
        lines = [line for line in self.said.strip().splitlines() if line.strip()]
        return " ".join(line.strip() for line in lines[-3:])


@dataclass(frozen=True)
class Bench:
    """A clip, a scratch folder, and the result of an undisturbed run to compare with."""

    clip: Path
    scratch: Path
    overrides: tuple[str, ...] = ()

    @cached_property
    def reference(self) -> Path:
        """An undisturbed run's result."""
        folder = self.scratch / "reference"
        ended = self.rerun(folder)
        if ended.exit_code:
            raise SystemExit(f"the undisturbed run failed: {ended.said}")
        return folder

    @cached_property
    def stage_seconds(self) -> dict[str, float]:
        """What every stage took in the undisturbed run."""
        return {name: made["seconds"] for name, made in made_in(self.reference).items()}

    def _log(self, out: Path) -> Path:
        """What a run says goes beside the results, never onto a disk under test."""
        return self.scratch / f"{out.parent.name}_{out.name}.log"

    def start(
        self, out: Path, *, clip: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a run in a session of its own, with more environment variables if need be."""
        log = self._log(out).open("wb")
        command = [sys.executable, "-m", "pipeline", "run", str(clip or self.clip), "-q"]
        with log:
            return subprocess.Popen(
                [*command, "-o", str(out), *self.overrides],
                cwd=ROOT,
                env={**os.environ, "COLUMNS": "1000", **(variables or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, process: subprocess.Popen[bytes], out: Path) -> Ended:
        """Wait for a run."""
        code = process.wait(timeout=LIMIT_S)
        return Ended(code, self._log(out).read_text(errors="replace"))

    def rerun(self, out: Path, *, clip: Path | None = None) -> Ended:
        """A run from start to end."""
        return self.end(self.start(out, clip=clip), out)

    def wrong_after(self, out: Path, *, clip: Path | None = None) -> str:
        """Run again; what is wrong then, or nothing."""
        again = self.rerun(out, clip=clip)
        if again.exit_code:
            return f"the rerun ended with {again.exit_code}: {again.in_one_line}"
        return ", ".join(differences(self.reference, out))

    def _at_work(self, process: subprocess.Popen[bytes], out: Path) -> bool:
        """Whether this very run (and not one before it) has begun to write."""
        try:
            return (out / "run.json").stat().st_mtime_ns > _started_ns(process.pid)
        except OSError:
            return False

    def kill_when(
        self,
        out: Path,
        moment: Callable[[Path], bool],
        wait_s: float = 0.0,
        variables: Mapping[str, str] | None = None,
    ) -> bool:
        """Start a run and SIGKILL its process group at a moment; False if it was over before."""
        process = self.start(out, variables=variables)
        while process.poll() is None and not self._at_work(process, out):
            time.sleep(POLL_S)
        while process.poll() is None and not moment(out):
            time.sleep(POLL_S)
        end_s = time.monotonic() + wait_s
        while process.poll() is None and time.monotonic() < end_s:
            time.sleep(POLL_S)
        if process.poll() is not None:
            return False
        kill_tree(process)
        return True


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a run and to the encoder it started (which has a session of its own)."""
    children = children_of(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def _started_ns(process_id: int) -> int:
    return Path(f"/proc/{process_id}").stat().st_mtime_ns


def children_of(process_id: int) -> list[int]:
    """Direct children of a process (Linux)."""
    found: list[int] = []
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def made_in(out: Path) -> dict[str, Any]:
    """`made` of run.json as it is now."""
    try:
        return json.loads((out / "run.json").read_text(encoding="utf-8"))["made"]
    except (OSError, ValueError, KeyError):
        return {}


def kept_in(out: Path) -> str:
    """What a killed run had finished: stages + chunks + segments + parts."""
    chunks = len(list(out.glob(".unfinished/*/[0-9]*.npz")))
    segments = len(list(out.glob(".unfinished/*/[0-9]*.nut")))
    files = out.glob(".unfinished/*/parts_*.npz")
    parts = sum(len(read_npz_file(path, {"names"}.__contains__)["names"]) for path in files)
    return f"{len(made_in(out))}+{chunks}+{segments}+{parts}"

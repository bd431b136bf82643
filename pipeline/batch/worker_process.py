"""A worker seen from the driver: start it, talk to it, watch over it, tell how it died."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.batch.messages import (
    Done,
    Failed,
    Lines,
    Message,
    Ready,
    Setup,
    Task,
    Unusable,
    to_line,
)
from pipeline.batch.peak_memory import memory_bytes
from pipeline.errors import EXIT_INTERNAL

ROOT = Path(__file__).resolve().parent.parent.parent
GRACE_S = 5.0
PIECE_BYTES = 1 << 16
LAST_WORDS = 300
HINTS = {signal.SIGKILL: ", which is what the system does when memory runs out"}


@dataclass(frozen=True)
class Limits:
    """What one video may take; None: no limit."""

    memory_bytes: int | None = None
    time_s: float | None = None


class WorkerProcess:
    """One process; at most one video at a time."""

    def __init__(self, setup: Setup, environment: Mapping[str, str], log: Path) -> None:
        """Start it; it loads its networks while the first task waits in the line."""
        self._log, self._lines = log, Lines()
        self.connection, theirs = socket.socketpair()
        log.parent.mkdir(parents=True, exist_ok=True)
        before = environment.get("PYTHONPATH", "")
        path = f"{ROOT}{os.pathsep}{before}" if before else str(ROOT)
        with theirs, log.open("ab") as log_file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.batch.worker", str(theirs.fileno())],
                env={**environment, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=log_file,
                start_new_session=True,  # a Ctrl-C is the driver's to handle
            )
        self.task: Task | None = None
        self.is_ready = False
        self._began_s = self._peak_bytes = 0.0
        self._over: str | None = None
        self._send(setup)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def give(self, task: Task) -> None:
        """Hand it a video."""
        self.task, self._began_s, self._peak_bytes = task, time.monotonic(), 0
        self._send(task)

    def heard(self) -> list[Message]:
        """What it said since it was last asked; its connection is readable, or it is dead."""
        try:
            piece = self.connection.recv(PIECE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError:
            piece = b""
        if not piece:
            return [self._died()]
        messages = self._lines.feed(piece)
        for message in messages:
            if isinstance(message, Ready):
                self.is_ready, self._began_s = True, time.monotonic()
            if isinstance(message, Done | Failed | Unusable):
                self.task = None
        return messages

    def watch(self, limits: Limits) -> None:
        """Kill it if its video takes more than it may; `heard` then tells."""
        if self.task is None or self._over:
            return
        held = memory_bytes(self.pid)
        self._peak_bytes = max(self._peak_bytes, held)
        taken_s = time.monotonic() - self._began_s
        if limits.memory_bytes is not None and held > limits.memory_bytes:
            self._over = f"It took more memory than the limit of {limits.memory_bytes / 1e9:.3g} GB"
        elif limits.time_s is not None and self.is_ready and taken_s > limits.time_s:
            self._over = f"It took longer than the limit of {limits.time_s:g} s"
        if self._over:
            self._process.kill()

    def stop(self) -> None:
        """End it, gently first; nothing more is heard of it."""
        self.connection.close()
        with suppress(OSError):
            self._process.terminate()

    def wait(self) -> None:
        """After `stop`: until it is gone."""
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(OSError):
            if self._log.stat().st_size == 0:
                self._log.unlink()

    def _send(self, message: Message) -> None:
        with suppress(OSError):  # it is dead: `heard` will tell
            self.connection.sendall(to_line(message))

    def _died(self) -> Failed:
        """Why it is not there any more, as its video's failure."""
        self.connection.close()
        self._process.kill()
        code = self._process.wait()
        self.task, seconds = None, time.monotonic() - self._began_s
        if self._over:
            text, code = self._over, EXIT_INTERNAL
        elif code < 0:
            name, hint = signal.Signals(-code).name, HINTS.get(signal.Signals(-code), "")
            text = f"The worker was killed by {name}{hint}"
        else:
            text = f"The worker ended with code {code}"
        if code != -signal.SIGKILL and not self._over and (words := self._last_words()):
            text += f": {words}"
        return Failed(text, code, seconds, int(self._peak_bytes), is_workers=not self.is_ready)

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").strip().splitlines()
            return lines[-1][-LAST_WORDS:] if lines else ""
        return ""

"""The batch itself: hand out videos, write down what comes back, keep the claims alive."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.batch.claims import Claims
from pipeline.batch.clock import Clock
from pipeline.batch.engine import Engine
from pipeline.batch.manifest import Row
from pipeline.batch.messages import Done, Failed, Message, Progress, Ready, Task, Unusable
from pipeline.batch.names import shown
from pipeline.errors import UserError

BEATS_A_LEASE = 4
SLOWEST_BEAT_S = 5.0
WAIT_S = 0.25
MOST_START_DEATHS = 3
LONGEST_RETRY_WAIT_S = 60.0


class BatchStoppedError(UserError):
    """No video can be done like this; the exit code is the cause's."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Plan:
    """What a batch works on, and how."""

    folder: Path
    out: Path
    settings: str
    """Fingerprint of settings, code and weights."""
    upload: str = ""
    """URL that results go to; empty: they stay in `out`."""
    afresh: bool = False
    """Use nothing of earlier batches."""
    retries: int = 2
    """So many times a video that failed by chance is tried again."""
    retry_wait_s: float = 2.0
    """Before the first of them; doubled for every further one."""

    def task(self, name: str) -> Task:
        """The video of that name as a worker needs it."""
        upload = f"{self.upload.rstrip('/')}/{name}" if self.upload else ""
        return Task(name, str(self.folder / name), str(self.out / name), upload, self.afresh)


@dataclass(frozen=True)
class Running:
    """A video that one of this process's workers has."""

    row: Row
    began_s: float
    at: Progress


@runtime_checkable
class Show(Protocol):
    """Who is told."""

    def note(self, status: str, name: str, text: str) -> None:
        """Something came to an end."""

    def tick(self, driver: "Driver") -> None:
        """Time passes."""


@dataclass
class Driver:
    """One process of one batch."""

    claims: Claims
    engine: Engine
    plan: Plan
    show: Show
    clock: Clock = field(default_factory=Clock)
    running: dict[str, Running] = field(default_factory=dict)
    """By worker."""
    finished_bytes: int = 0
    worked_s: float = 0.0
    """Of all workers together, on the videos that came to an end."""
    _not_before_s: dict[str, float] = field(default_factory=dict)
    _next_beat_s: float = 0.0
    _start_deaths: int = 0

    def run(self) -> None:
        """Until nothing waits and nothing runs, here or with others; however it ends, claims end.

        Raises:
            BatchStoppedError: no worker can work.
            OutputError: the manifest cannot be written.
        """
        try:
            while self._is_open():
                if self.clock.steady_s() >= self._next_beat_s:
                    self._beat()
                self._hand_out()
                for worker, message in self.engine.heard(WAIT_S):
                    self._take(worker, message)
                self.show.tick(self)
        finally:
            self.engine.close()
            for running in self.running.values():
                self.claims.release(running.row.name, running.row.claim)

    def _is_open(self) -> bool:
        counts = self.claims.manifest.counts()
        return bool(self.running or "waiting" in counts or "running" in counts)

    def _hand_out(self) -> None:
        now_s = self.clock.steady_s()
        not_now = {name for name, time_s in self._not_before_s.items() if time_s > now_s}
        for worker in self.engine.free():
            if worker in self.running:
                continue
            row = self.claims.next(worker, self.plan.settings, not_now)
            if row is None:
                return
            self.running[worker] = Running(row, now_s, Progress("starting", 0, 0))
            self.engine.give(worker, self.plan.task(row.name))

    def _beat(self) -> None:
        """Keep our claims, drop what we lost, take over what others left."""
        lease_s = self.claims.lease_s
        self._next_beat_s = self.clock.steady_s() + min(lease_s / BEATS_A_LEASE, SLOWEST_BEAT_S)
        workers = {running.row.name: worker for worker, running in self.running.items()}
        held = {run.row.name: (run.row.claim, run.at) for run in self.running.values()}
        for name in self.claims.renew(held) if held else []:
            self.engine.drop(workers[name])
            del self.running[workers[name]]
            self.show.note("lost", name, "another process took it over")
        for name in self.claims.take_over():
            self.show.note("taken over", name, "from a process that is gone")

    def _take(self, worker: str, message: Message) -> None:
        running = self.running.get(worker)
        if isinstance(message, Ready):
            self._start_deaths = 0
        elif isinstance(message, Unusable):
            raise BatchStoppedError(message.error, message.exit_code)
        elif running is None:
            return  # it died with nothing to do
        elif isinstance(message, Progress):
            self.running[worker] = Running(running.row, running.began_s, message)
        elif isinstance(message, Done):
            self._end(worker, running)
            self._done(running.row, message)
        elif isinstance(message, Failed):
            self._end(worker, running)
            self._failed(running, message)

    def _end(self, worker: str, running: Running) -> None:
        del self.running[worker]
        self.finished_bytes += running.row.size_bytes
        self.worked_s += self.clock.steady_s() - running.began_s

    def _done(self, row: Row, done: Done) -> None:
        if self.claims.done(row.name, row.claim, done):
            who = f"{done.people} {'person' if done.people == 1 else 'people'}"
            how = "was there already" if done.reused else f"{done.seconds:.1f} s"
            self.show.note("done", row.name, f"{who} in {done.frames} frames, {how}")

    def _failed(self, running: Running, failed: Failed) -> None:
        row = running.row
        if failed.is_workers:
            self.claims.release(row.name, row.claim)
            self._start_deaths += 1
            if self._start_deaths >= MOST_START_DEATHS:
                text = f"Workers die while they start, the last: {failed.error}"
                raise BatchStoppedError(text, max(failed.exit_code, 1))
            return
        attempt, most = row.attempts + 1, self.plan.retries + 1
        status, text = "failed", failed.error
        if not (self.plan.folder / row.name).exists():
            status = "gone"
        elif failed.may_heal and attempt < most:
            status, text = "waiting", f"attempt {attempt} of {most}: {failed.error}"
            wait_s = min(self.plan.retry_wait_s * 2 ** (attempt - 1), LONGEST_RETRY_WAIT_S)
            self._not_before_s[row.name] = self.clock.steady_s() + wait_s
        if self.claims.failed(row.name, row.claim, failed, status, running.at.stage):
            self.show.note("again" if status == "waiting" else status, row.name, shown(text))

"""Engine `local`: processes on this machine."""

import selectors
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.batch.messages import Message, Setup, Task
from pipeline.batch.worker_process import Limits, WorkerProcess

WATCH_S = 0.25


class LocalEngine:
    """So many workers, each started when it gets its first video."""

    def __init__(
        self,
        setup: Setup,
        workers: int,
        environment_of: Callable[[int], dict[str, str]],
        logs: Path,
        limits: Limits,
        name: str = "w",
    ) -> None:
        """Nothing is started yet.

        Args:
            setup: what every worker hears first.
            workers: how many.
            environment_of: the environment of the worker of this number, from 0.
            logs: folder for what workers write to their terminal.
            limits: of one video.
            name: what workers are called, before their number.
        """
        self._setup, self._environment_of, self._limits = setup, environment_of, limits
        self._logs = logs
        self._numbers = {f"{name}{number}": number for number in range(workers)}
        self._processes: dict[str, WorkerProcess] = {}

    def free(self) -> list[str]:
        """See `Engine`."""
        return [name for name in self._numbers if self._is_free(name)]

    def give(self, worker: str, task: Task) -> None:
        """See `Engine`."""
        if worker not in self._processes:
            environment = self._environment_of(self._numbers[worker])
            log = self._logs / f"{worker}.log"
            self._processes[worker] = WorkerProcess(self._setup, environment, log)
        self._processes[worker].give(task)

    def heard(self, wait_s: float) -> list[tuple[str, Message]]:
        """See `Engine`."""
        until_s = time.monotonic() + wait_s
        messages: list[tuple[str, Message]] = []
        while not messages and (left_s := until_s - time.monotonic()) > 0:
            messages = self._heard_once(min(left_s, WATCH_S))
        return messages

    def drop(self, worker: str) -> None:
        """See `Engine`."""
        if process := self._processes.pop(worker, None):
            process.stop()
            process.wait()

    def close(self) -> None:
        """See `Engine`."""
        for process in self._processes.values():
            process.stop()
        for process in self._processes.values():
            process.wait()
        self._processes.clear()

    def pids(self) -> dict[str, int]:
        """The processes that were started."""
        return {name: process.pid for name, process in self._processes.items()}

    def _is_free(self, worker: str) -> bool:
        process = self._processes.get(worker)
        return process is None or process.task is None

    def _heard_once(self, wait_s: float) -> list[tuple[str, Message]]:
        if not self._processes:
            time.sleep(wait_s)
            return []
        with selectors.DefaultSelector() as selector:
            for name, process in self._processes.items():
                selector.register(process.connection, selectors.EVENT_READ, name)
            ready = [key.data for key, _ in selector.select(wait_s)]
        messages: list[tuple[str, Message]] = []
        for name in ready:
            process = self._processes[name]
            messages += [(name, message) for message in process.heard()]
            if process.connection.fileno() < 0:
                del self._processes[name]
        for process in self._processes.values():
            process.watch(self._limits)
        return messages

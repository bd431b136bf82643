"""Engine `ray`: the same workers on the machines of a Ray cluster.

An actor on a machine keeps one worker process and passes on what it says, so a video is done,
limited and lost there exactly as here. Only the driver touches the manifest.
"""

import logging
import os
import time
from typing import Any

from pipeline.backends import pip_line
from pipeline.batch.local import LocalEngine
from pipeline.batch.messages import Done, Failed, Message, Setup, Task, Unusable
from pipeline.batch.share import VISIBLE, default_workers, worker_environment
from pipeline.batch.worker_process import Limits
from pipeline.errors import EXIT_INTERNAL, MissingError
from pipeline.weights import cache_folder

try:
    import ray
except ModuleNotFoundError as error:
    raise MissingError(f"--engine ray needs the package 'ray': {pip_line('ray')}") from error

LISTEN_S = 1.0
STOP_S = 10.0
NO_ROOM_S = 300.0


class WorkerActor:
    """One worker process, wherever Ray puts this."""

    def __init__(self, setup: Setup, limits: Limits, cores: int) -> None:
        gpus = [os.environ[VISIBLE]] if os.environ.get(VISIBLE) else []
        environment = worker_environment(0, 1, cores, gpus, os.environ)
        logs = cache_folder() / "batch" / "logs"
        self._engine = LocalEngine(
            setup, 1, lambda _: environment, logs, limits, name=f"{os.getpid()}-"
        )
        (self._worker,) = self._engine.free()

    def give(self, task: Task) -> None:
        """Hand it a video."""
        self._engine.give(self._worker, task)

    def heard(self, wait_s: float) -> list[Message]:
        """What it said; an empty list shows that this lives."""
        return [message for _, message in self._engine.heard(wait_s)]

    def close(self) -> None:
        """Stop the process."""
        self._engine.close()


class RayEngine:
    """So many actors; see `pipeline.batch.engine.Engine`."""

    def __init__(
        self,
        setup: Setup,
        workers: int | None,
        most: int,
        address: str | None,
        limits: Limits,
        uses_gpus: bool,
    ) -> None:
        """Join the cluster, or make one on this machine.

        Args:
            setup: what every worker hears first.
            workers: how many; None: as many as the cluster is good for.
            most: not more than this.
            address: of the cluster; None: one is made here, of all cores.
            limits: of one video.
            uses_gpus: give every worker a GPU, or its part of one, where there are any.

        Raises:
            MissingError: no cluster there.
        """
        self._made_here = not ray.is_initialized()
        try:
            ray.init(
                address=address,
                ignore_reinit_error=True,
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise MissingError(f"--address {address}: no Ray cluster there: {error}") from error
        there = ray.cluster_resources()
        cpus, gpus = int(there.get("CPU", 1)), there.get("GPU", 0.0) if uses_gpus else 0.0
        self._count = min(workers or default_workers(cpus, int(gpus)), most)
        share = max(1, cpus // self._count)
        needs: dict[str, Any] = {"num_cpus": share, "num_gpus": min(1.0, gpus / self._count)}
        kind: Any = ray.remote(**needs, max_restarts=0)(WorkerActor)
        self._make = lambda: kind.remote(setup, limits, share)
        self._actors: dict[str, Any] = {}
        self._listening: dict[str, Any] = {}
        self._living: set[str] = set()
        self._busy: set[str] = set()
        self._waits_since_s = time.monotonic()
        for number in range(self._count):
            self._start(f"ray{number}")

    def free(self) -> list[str]:
        """See `Engine`: only actors that Ray has found a place for."""
        return sorted(self._living - self._busy)

    def give(self, worker: str, task: Task) -> None:
        """See `Engine`."""
        self._busy.add(worker)
        self._actors[worker].give.remote(task)

    def heard(self, wait_s: float) -> list[tuple[str, Message]]:
        """See `Engine`.

        Raises:
            MissingError: the cluster had no room for a single worker for five minutes.
        """
        self._check_room()
        names = {ref: name for name, ref in self._listening.items()}
        ready, _ = ray.wait(list(names), num_returns=1, timeout=wait_s)
        if ready:
            ready, _ = ray.wait(list(names), num_returns=len(names), timeout=0)
        return [(names[ref], message) for ref in ready for message in self._said(names[ref], ref)]

    def drop(self, worker: str) -> None:
        """See `Engine`."""
        ray.kill(self._actors[worker])
        self._start(worker)

    def close(self) -> None:
        """See `Engine`."""
        closing = [self._actors[worker].close.remote() for worker in self._living]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=STOP_S)
        for actor in self._actors.values():
            ray.kill(actor)
        if self._made_here:
            ray.shutdown()

    def _start(self, worker: str) -> None:
        self._living.discard(worker)
        self._busy.discard(worker)
        self._actors[worker] = self._make()
        self._listening[worker] = self._actors[worker].heard.remote(0.0)

    def _said(self, worker: str, reference: Any) -> list[Message]:
        try:
            messages: list[Message] = ray.get(reference)
        except ray.exceptions.RayError as error:
            had_video = worker in self._busy
            ray.kill(self._actors[worker])  # if it is only out of reach, it must not go on
            self._start(worker)
            reason = str(error).strip().splitlines()[0]
            lost = Failed(f"The worker's machine was lost, or its actor: {reason}", EXIT_INTERNAL)
            return [lost] if had_video else []
        self._living.add(worker)
        if any(isinstance(message, Done | Failed | Unusable) for message in messages):
            self._busy.discard(worker)
        self._listening[worker] = self._actors[worker].heard.remote(LISTEN_S)
        return messages

    def _check_room(self) -> None:
        now_s = time.monotonic()
        if self._living:
            self._waits_since_s = now_s
        elif now_s - self._waits_since_s > NO_ROOM_S:
            raise MissingError(
                f"The Ray cluster has had no room for one of {self._count} workers for "
                f"{NO_ROOM_S:.0f} s. Ask for more --workers (each then needs less), or free it"
            )

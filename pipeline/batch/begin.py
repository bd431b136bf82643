"""From the command line's words to a batch that runs."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.batch.claims import Claims
from pipeline.batch.clock import Clock
from pipeline.batch.drive import Driver, Plan, Show
from pipeline.batch.engine import Engine
from pipeline.batch.find import Search, search
from pipeline.batch.holder import this_holder
from pipeline.batch.local import LocalEngine
from pipeline.batch.manifest import FILE_NAME, Manifest, Row
from pipeline.batch.messages import Setup
from pipeline.batch.refresh import Refresher
from pipeline.batch.share import default_workers, gpus_here, worker_environment
from pipeline.batch.summary import write_page
from pipeline.batch.upload import RemoteFolder
from pipeline.batch.worker_process import Limits
from pipeline.config import Settings
from pipeline.cores import cores
from pipeline.errors import InputError, SettingsError
from pipeline.fingerprint import code_digest, run_fingerprint
from pipeline.obtain import obtain_weights

LOGS = ".batch"
SHORTEST_LEASE_S = 1.0


@dataclass(frozen=True)
class Wish:
    """What the user asked for."""

    folder: Path
    out: Path
    settings: Settings
    workers: int | None = None
    """None: as many as the machine is good for."""
    pattern: str | None = None
    engine: str = "local"
    address: str | None = None
    """Of a Ray cluster; None: one on this machine."""
    upload: str = ""
    retries: int = 2
    retry_failed: bool = False
    afresh: bool = False
    """Do what is done already, too."""
    lease_s: float = 60.0
    limits: Limits = Limits()  # noqa: RUF009  (frozen)

    def check(self) -> None:
        """Raise unless it makes sense.

        Raises:
            SettingsError: it does not.
        """
        if self.engine not in ("local", "ray"):
            raise SettingsError(f"--engine: '{self.engine}' is not one of local, ray")
        if self.lease_s < SHORTEST_LEASE_S:
            raise SettingsError(f"--lease-s: at least {SHORTEST_LEASE_S:g} seconds")
        if self.address and self.engine != "ray":
            raise SettingsError("--address goes with --engine ray")


@dataclass(frozen=True)
class Ended:
    """What a batch came to."""

    rows: list[Row]
    problems: list[str]
    """What could not be searched."""
    page: Path


def run_batch(
    wish: Wish, show: Show, tell: Callable[[str], None], clock: Clock | None = None
) -> Ended:
    """Do everything that is not done.

    Args:
        wish: what the user asked for.
        show: told of every video.
        tell: told, in a line, how things stand at the beginning.
        clock: for tests.

    Raises:
        UserError: wrong settings, no videos, no output, or a batch that had to stop.
    """
    wish.check()
    clock = clock or Clock()
    if wish.upload:
        RemoteFolder(wish.upload)
    found = search(wish.folder, wish.out, wish.pattern)
    if not found.videos:
        raise InputError(_nothing(wish, found))
    obtain_weights(wish.settings)  # before the workers do, so that what made them is known here
    fingerprint = run_fingerprint(wish.settings.raw, None)
    with Manifest(wish.out / FILE_NAME, create=True) as manifest:
        refresh = Refresher(
            manifest,
            os.path.realpath(wish.folder),
            wish.out,
            fingerprint,
            is_remote=bool(wish.upload),
            retry_failed=wish.retry_failed,
            afresh=wish.afresh,
            clock=clock,
        )
        refresh(found.videos)
        counts = manifest.counts()
        tell(", ".join(f"{count} {status}" for status, (count, _) in sorted(counts.items())))
        claims = Claims(manifest, this_holder(), wish.lease_s, clock)
        plan = Plan(wish.folder, wish.out, fingerprint, wish.upload, wish.afresh, wish.retries)
        try:
            if {"waiting", "running"} & counts.keys():
                most = counts.get("waiting", (0, 0))[0] + counts.get("running", (0, 0))[0]
                Driver(claims, make_engine(wish, most), plan, show, clock).run()
        finally:
            page = write_page(manifest.rows(), wish.out, clock)
        return Ended(manifest.rows(), found.problems, page)


def make_engine(wish: Wish, most: int) -> Engine:
    """The engine asked for, with not more workers than videos."""
    setup = Setup(dict(wish.settings.raw), code_digest("pipeline", "stages"))
    logs = wish.out / LOGS
    if wish.engine == "ray":
        from pipeline.batch.ray_engine import RayEngine  # noqa: PLC0415  (an extra)

        uses_gpus = wish.settings.device != "cpu"
        return RayEngine(setup, wish.workers, most, wish.address, wish.limits, uses_gpus)
    gpus = [] if wish.settings.device == "cpu" else gpus_here(os.environ)
    workers = min(wish.workers or default_workers(cores(), len(gpus)), most)
    return LocalEngine(
        setup,
        workers,
        lambda number: worker_environment(number, workers, cores(), gpus, os.environ),
        logs,
        wish.limits,
        name=f"{os.getpid()}-",
    )


def _nothing(wish: Wish, found: Search) -> str:
    others = f" ({found.other_files} other files)" if found.other_files else ""
    more = f"; {found.problems[0]}" if found.problems else ""
    hint = "Choose others with --pattern" if wish.pattern is None else f"--pattern {wish.pattern}"
    return f"{wish.folder}: holds no video{others}{more}. {hint}"

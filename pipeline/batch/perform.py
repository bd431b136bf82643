"""One video after the other in one process, with the networks loaded once."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.batch.messages import Done, Failed, Progress, Task
from pipeline.batch.peak_memory import count_anew, peak_memory_bytes
from pipeline.batch.upload import RemoteFolder
from pipeline.chosen import Chosen
from pipeline.config import Settings
from pipeline.context import Advance, Context
from pipeline.device import choose_device
from pipeline.errors import EXIT_INTERNAL, UserError
from pipeline.files import content_digest, value_digest
from pipeline.fingerprint import files_used
from pipeline.obtain import obtain_weights
from pipeline.probe import check_file
from pipeline.result import ResultFolder
from pipeline.run import run
from pipeline.run_key import run_key
from pipeline.run_log import run_log
from pipeline.weights import cache_folder

LOGGER = logging.getLogger(__name__)
TELL_EVERY_S = 0.5


class Performer:
    """Does videos with one group of settings; the result is what `humans4d run` gives."""

    def __init__(self, settings: Settings, tell: Callable[[Progress], None]) -> None:
        """Load the networks.

        Raises:
            SettingsError, MissingError: no video can be done with these settings here.
        """
        self._settings, self._tell, self._told_s = settings, tell, 0.0
        device = choose_device(settings.device)
        self._context = Context(
            progress=self._progress, body_model=settings.body.model, device=device, kept={}
        )
        obtain_weights(settings, self._progress)
        self._files = files_used(settings.raw)
        chosen = Chosen(settings, self._context)
        _ = chosen.detection, chosen.regression, self._context.body

    def __call__(self, task: Task) -> Done | Failed:
        """Do a video; whatever goes wrong with it is in the answer."""
        started_s = time.perf_counter()
        count_anew()
        try:
            return self._done(task, started_s)
        except UserError as error:
            text, exit_code = str(error), error.exit_code
        except MemoryError:
            LOGGER.exception("%s", task.name)
            text, exit_code = "There was not enough memory", EXIT_INTERNAL
        except Exception as error:
            LOGGER.exception("%s", task.name)
            text, exit_code = f"Unexpected {type(error).__name__}: {error}", EXIT_INTERNAL
        return Failed(text, exit_code, time.perf_counter() - started_s, peak_memory_bytes())

    def _done(self, task: Task, started_s: float) -> Done | Failed:
        video, folder = Path(task.video), ResultFolder(_folder(task))
        check_file(video)
        before = video.stat()
        self._forget_what_is_old()
        remote = RemoteFolder(task.upload) if task.upload else None
        key = run_key(video, self._settings, folder)
        if task.afresh:
            _forget_result(folder)
            report = None
        else:
            report = remote.current_report(key) if remote else folder.current_report(key)
        reused = report is not None
        if report is None:
            with run_log(folder.path, "batch"):
                report = run(video, folder.path, self._settings, self._context, fingerprint=key)
            if remote:
                remote.put(folder)
                shutil.rmtree(folder.path, ignore_errors=True)
        digest, after = content_digest(video), video.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            return Failed("The video was written to while it was read", EXIT_INTERNAL)
        return Done(
            frames=report["video"]["frame_count"],
            people=len(report["people"]),
            seconds=time.perf_counter() - started_s,
            peak_memory_bytes=peak_memory_bytes(),
            input_digest=digest,
            size_bytes=after.st_size,
            mtime_ns=after.st_mtime_ns,
            result_fingerprint=report["fingerprint"],
            reused=reused,
        )

    def _forget_what_is_old(self) -> None:
        """Begin a run's own events; load networks anew whose files came or changed."""
        self._context.events.events = []
        obtain_weights(self._settings, self._progress)
        if (files := files_used(self._settings.raw)) != self._files:
            self._files = files
            assert self._context.kept is not None
            self._context.kept.clear()

    @contextmanager
    def _progress(self, label: str, total: int | None) -> Iterator[Advance]:
        """A progress bar at the other end of the line."""
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            now_s = time.monotonic()
            if now_s - self._told_s >= TELL_EVERY_S:
                self._told_s = now_s
                self._tell(Progress(label, done, total or 0))

        self._tell(Progress(label, 0, total or 0))
        yield advance


def _folder(task: Task) -> Path:
    """Where to write: the task's folder, or a place of our own for what is sent away."""
    if not task.upload:
        return Path(task.folder)
    return cache_folder() / "batch" / value_digest(task.upload)


def _forget_result(folder: ResultFolder) -> None:
    """Without run.json and chunks nothing of an earlier run is current."""
    folder.report_path.unlink(missing_ok=True)
    shutil.rmtree(folder.chunk_folder, ignore_errors=True)

"""What the command line shows: progress bars, logging, errors. Only commands use this."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pipeline.context import Advance, ProgressFactory, no_progress

OUT = Console()
ERR = Console(stderr=True)


def configure_logging(*, verbose: bool) -> None:
    """Send the log to stderr; only the command line does this."""
    handler = RichHandler(console=ERR, show_path=False, rich_tracebacks=False)
    level = logging.INFO if verbose else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler], force=True)


def progress_factory(*, quiet: bool) -> ProgressFactory:
    """Progress bars on stderr, or none."""
    return no_progress if quiet else _progress


@contextmanager
def _progress(label: str, total: int | None) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=ERR) as progress:
        task = progress.add_task(label, total=total)
        yield lambda steps: progress.advance(task, steps)

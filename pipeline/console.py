"""What the command line shows: progress bars, logging, errors. Only commands use this."""

import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
from pipeline.run_log import OUR_LOGGERS

WIDTH_OF_FILES = 120
"""Columns where no terminal says how wide it is: in a pipe, in a file."""
OUT = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_FILES)
ERR = Console(stderr=True)


def configure_logging(*, verbose: bool) -> None:
    """Send the log to stderr; only the command line does this.

    Our own modules' records are made in any case, for a run's log file (`pipeline.run_log`).
    """
    handler = RichHandler(console=ERR, show_path=False, rich_tracebacks=False)
    level = logging.INFO if verbose else logging.ERROR
    handler.setLevel(level)
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler], force=True)
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def print_json(content: Any) -> None:
    """One JSON document on stdout, for other programs; NaN and infinity become null."""
    sys.stdout.write(json.dumps(_without_nan(content), indent=1, default=str) + "\n")
    sys.stdout.flush()


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


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

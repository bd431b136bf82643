"""`run.log.jsonl` in a result folder: what the modules logged, one JSON object a line.

Only commands open it. Every line is one write to the end of the file, so that a killed run leaves
whole lines; it never grows beyond two files of `LARGEST_BYTES`; and a log that cannot be written
stops nothing.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.errors import UserError

FILE, OLDER_FILE = "run.log.jsonl", "run.log.older.jsonl"
LARGEST_BYTES = 5_000_000
LARGEST_MESSAGE = 4000
MOST_WAITING = 1000
OUR_LOGGERS = ("pipeline", "stages")


class JsonLines(logging.Handler):
    """Writes records to the folder's log as soon as the folder is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.INFO)
        self._folder, self._stage = folder, ""
        self._waiting: list[str] = []
        self._is_dead = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self._stage = getattr(record, "stage", self._stage)
        line = json.dumps(_entry(record, self._stage), default=str)
        self._waiting = [*self._waiting[-MOST_WAITING:], line]
        if self._is_dead or not self._folder.is_dir():
            return
        try:
            self._write("".join(f"{line}\n" for line in self._waiting))
        except (OSError, UnicodeEncodeError):  # full or read-only: the run itself will tell
            self._is_dead = True
        self._waiting = []

    def _write(self, text: str) -> None:
        path = self._folder / FILE
        if path.exists() and path.stat().st_size > LARGEST_BYTES:
            path.replace(self._folder / OLDER_FILE)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
        try:
            os.write(file, text.encode("utf-8", errors="replace"))
        finally:
            os.close(file)


def _entry(record: logging.LogRecord, stage: str) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record.created, timezone.utc)
    return {
        "time": moment.isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "stage": stage,
        "message": record.getMessage()[:LARGEST_MESSAGE],
        "fields": getattr(record, "fields", {}),
        "logger": record.name,
        "pid": record.process,
    }


@contextmanager
def run_log(folder: Path, command: str) -> Iterator[None]:
    """Keep the log of one command in a result folder; how it ended is the last line."""
    handler, logger = JsonLines(folder), logging.getLogger("pipeline.run_log")
    ours = [logging.getLogger(name) for name in OUR_LOGGERS]
    logger.propagate = False  # the console tells how a command ended in its own words
    for one in (*ours, logger):
        one.addHandler(handler)
    logger.info("%s begins", command, extra={"fields": {"humans4d": __version__}, "stage": ""})
    try:
        yield
    except BaseException as error:
        code = error.exit_code if isinstance(error, UserError) else None
        fields = {"error": type(error).__name__, "exit_code": code}
        logger.error("%s ended: %s", command, error, extra={"fields": fields})
        raise
    else:
        logger.info("%s is done", command, extra={"stage": "", "fields": {"exit_code": 0}})
    finally:
        for one in (*ours, logger):
            one.removeHandler(handler)
        handler.close()

"""`OUT/batch.sqlite`: the state of every video of a folder, kept through every crash.

One file, one table, a rollback journal: of SQLite's journals the one that also works on a network
disk whose locks work (docs/batch.md says which do).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.batch.names import from_db, to_db
from pipeline.errors import OutputError
from pipeline.files import output_errors

FILE_NAME = "batch.sqlite"
APPLICATION_ID = 0x48344442
"""'H4DB' in the file's head."""
VERSION = 1
BUSY_S = 60.0
STATUSES = ("waiting", "running", "done", "failed", "gone")
_TABLE = f"""
CREATE TABLE videos (
  name PRIMARY KEY NOT NULL,
  status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN {STATUSES}),
  stage TEXT NOT NULL DEFAULT '',
  frames INTEGER NOT NULL DEFAULT 0,
  frames_total INTEGER NOT NULL DEFAULT 0,
  people INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0,
  peak_memory_bytes INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  exit_code INTEGER,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  input_digest TEXT NOT NULL DEFAULT '',
  settings_fingerprint TEXT NOT NULL DEFAULT '',
  result_fingerprint TEXT NOT NULL DEFAULT '',
  claim TEXT NOT NULL DEFAULT '',
  holder TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  beat INTEGER NOT NULL DEFAULT 0,
  lease_s REAL NOT NULL DEFAULT 0,
  lease_until_utc TEXT NOT NULL DEFAULT '',
  changed_utc TEXT NOT NULL DEFAULT ''
)"""
_ABOUT = "CREATE TABLE about (folder NOT NULL)"


@dataclass(frozen=True)
class Row:
    """A video's state; docs/batch.md tells what each column means."""

    name: str
    status: str
    stage: str
    frames: int
    frames_total: int
    people: int
    seconds: float
    peak_memory_bytes: int
    attempts: int
    error: str
    exit_code: int | None
    size_bytes: int
    mtime_ns: int
    input_digest: str
    settings_fingerprint: str
    result_fingerprint: str
    claim: str
    holder: str
    worker: str
    beat: int
    lease_s: float
    lease_until_utc: str
    changed_utc: str


COLUMNS = ", ".join(field.name for field in fields(Row))


class Manifest:
    """The open file; use as a context manager."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open it.

        Raises:
            OutputError: there is none (and none is to be made), or it is no manifest of ours.
        """
        self.path = path
        if not create and not path.is_file():
            raise OutputError(f"{path}: there is no batch here. Begin one with: humans4d batch")
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors():
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._db.execute("PRAGMA synchronous = FULL")
            self._prepare(create)

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Everything inside happens at once or not at all, and nobody else writes meanwhile."""
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> int:
        """Run a statement; how many rows it changed."""
        with self._errors():
            return self._db.execute(statement, values).rowcount

    def rows(self, where: str = "1", values: tuple[Any, ...] = (), most: int = -1) -> list[Row]:
        """Videos in the order of their names; not more than `most`, if that is not negative."""
        with self._errors():
            found = self._db.execute(
                f"SELECT {COLUMNS} FROM videos WHERE {where} ORDER BY CAST(name AS BLOB) LIMIT ?",
                (*values, most),
            ).fetchall()
        return [Row(from_db(values[0]), *values[1:]) for values in found]

    def row(self, name: str) -> Row | None:
        """One video."""
        return next(iter(self.rows("name = ?", (to_db(name),))), None)

    def folders(self) -> set[str]:
        """Where the videos were looked for so far, on whichever machine."""
        with self._errors():
            found = self._db.execute("SELECT folder FROM about").fetchall()
        return {from_db(value) for (value,) in found}

    def counts(self) -> dict[str, tuple[int, int]]:
        """By status: how many videos, and their bytes."""
        with self._errors():
            found = self._db.execute(
                "SELECT status, COUNT(*), SUM(size_bytes) FROM videos GROUP BY status"
            ).fetchall()
        return {status: (count, size) for status, count, size in found}

    def _prepare(self, create: bool) -> None:
        """Make the table in a new file; check an old one."""
        self._db.execute("PRAGMA journal_mode = DELETE")
        if create:
            with self.change():
                if not self._value("SELECT COUNT(*) FROM sqlite_master"):
                    self._db.execute(_TABLE)
                    self._db.execute(_ABOUT)
                    self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    self._db.execute(f"PRAGMA user_version = {VERSION}")
        ours = self._value("PRAGMA application_id") == APPLICATION_ID
        version = self._value("PRAGMA user_version")
        if not ours or version != VERSION:
            what = f"of version {version}, this humans4d has {VERSION}" if ours else "no batch's"
            raise OutputError(f"{self.path}: is {what}. Choose another output with -o")

    def _value(self, statement: str) -> Any:
        return self._db.execute(statement).fetchone()[0]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors in words."""
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text:
                text = f"another process kept it locked for {BUSY_S:.0f} s"
            elif "not a database" in text or "malformed" in text:
                text = "is damaged. Remove it and start again: results that are there are reused"
            raise OutputError(f"{self.path}: {text}") from error

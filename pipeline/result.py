"""A result folder: `outputs/<name>/`, what it holds, whether it is current, who writes it."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import OutputError
from pipeline.files import output_errors, remove_leftovers, write_json
from pipeline.migrations import brought_up_to_date
from pipeline.run_file import check_report
from pipeline.storage import SCHEMA_VERSION
from pipeline.text_files import TextError, read_json

NO_CODEC = "none"
"""In place of a codec in the run.json of results that have no video."""


@dataclass(frozen=True)
class ResultFolder:
    """Paths inside one result folder."""

    path: Path

    @property
    def report_path(self) -> Path:
        """run.json: what was done, with what, and what happened."""
        return self.path / "run.json"

    @property
    def overlay_path(self) -> Path:
        """The video that shows the result."""
        return self.path / "overlay.mp4"

    @property
    def page_path(self) -> Path:
        """How good it is, as a page for a browser."""
        return self.path / "report.html"

    @property
    def quality_path(self) -> Path:
        """The same numbers, for programs."""
        return self.path / "report.json"

    def stage_path(self, name: str) -> Path:
        """A stage's result."""
        return self.path / f"{name}.npz"

    @property
    def chunk_folder(self) -> Path:
        """Where the first pass keeps finished chunks until all are done."""
        return self.path / ".unfinished"

    def read_report(self) -> dict[str, Any]:
        """run.json's content.

        Raises:
            OutputError: there is none, it is damaged, or of a version that cannot be read.
        """
        try:
            report = read_json(self.report_path)
        except FileNotFoundError as error:
            text = f"{self.path}: holds no result (no run.json). Make one with: humans4d run VIDEO"
            raise OutputError(text) from error
        except (OSError, TextError) as error:
            raise OutputError(f"{self.report_path}: cannot be read: {error}") from error
        report = brought_up_to_date(report, str(self.report_path))
        check_report(report, str(self.report_path))
        return report

    def current_report(self, fingerprint: str) -> dict[str, Any] | None:
        """The report, if it is of a complete run with this fingerprint and every file is there."""
        try:
            report = self.read_report()
        except OutputError:
            return None
        if report.get("status") != "complete" or report.get("fingerprint") != fingerprint:
            return None
        made = report.get("made", {}).values()
        return report if all(self.holds(stage.get("files", {})) for stage in made) else None

    def write_report(self, report: dict[str, Any]) -> None:
        """Write run.json."""
        write_json(self.report_path, {"schema_version": SCHEMA_VERSION, **report})

    def sizes(self, files: list[Path]) -> dict[str, int]:
        """Sizes in bytes of files in this folder, by their names inside it."""
        return {file.relative_to(self.path).as_posix(): file.stat().st_size for file in files}

    def changed(self, sizes: Mapping[str, int]) -> list[str]:
        """The files that are gone or have another size."""
        return [name for name, size in sizes.items() if _size(self.path / name) != size]

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """True if all these files are here with these sizes."""
        return not self.changed(sizes)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep a second run out of it.

        Raises:
            OutputError: it cannot be written, or another run is writing it.
        """
        try:
            str(self.path.absolute()).encode("utf-8")
        except UnicodeEncodeError as error:
            shown = str(self.path).encode("utf-8", "backslashreplace").decode()
            text = f"{shown}: its name is no UTF-8 text. Choose another folder with -o"
            raise OutputError(text) from error
        with output_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock_file = (self.path / ".lock").open("w")
        with lock_file:
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                text = f"{self.path}: another run is writing here. Wait for it, or choose -o DIR"
                raise OutputError(text) from error
            remove_leftovers(self.path)
            yield


def has_film(report: Mapping[str, Any]) -> bool:
    """False for results that were imported without a video: `path` then names the other file."""
    return bool(report["video"]["codec"] != NO_CODEC)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None

"""Results to any place fsspec knows (s3://, gs://, sftp://, file://, ...), whole or not at all."""

import json
import uuid
from pathlib import Path
from typing import Any

from pipeline.backends import pip_line
from pipeline.errors import MissingError, OutputError
from pipeline.result import ResultFolder

MARK = "run.json"
"""Comes last and goes first: a remote folder without it counts as nothing."""
RENAMING = ("file", "local", "sftp", "ssh", "hdfs", "webhdfs", "smb")
"""Protocols on which a folder is renamed in one step (object stores copy file by file)."""


class RemoteFolder:
    """One result's place at a URL."""

    def __init__(self, url: str) -> None:
        """Find it; nothing is read or written yet.

        Raises:
            MissingError: fsspec, or the package for this protocol, is not installed.
            OutputError: no such protocol, or the place cannot be reached.
        """
        try:
            import fsspec  # noqa: PLC0415  (an extra)

            self._files, self._path = fsspec.core.url_to_fs(url)
        except ImportError as error:
            command = pip_line(error.name) if error.name else str(error)
            raise MissingError(f"{url}: a package is missing: {command}") from error
        except Exception as error:
            raise OutputError(f"{url}: cannot be reached: {error}") from error
        self._url = url

    def current_report(self, fingerprint: str) -> dict[str, Any] | None:
        """The report there, if it is of a complete run with this fingerprint."""
        try:
            report = json.loads(self._files.cat_file(f"{self._path}/{MARK}"))
        except (OSError, ValueError):
            return None
        complete = isinstance(report, dict) and report.get("status") == "complete"
        return report if complete and report.get("fingerprint") == fingerprint else None

    def put(self, folder: ResultFolder) -> None:
        """Send a finished result; what was there before is replaced.

        Where folders can be renamed the new one appears in one step. Elsewhere each file is whole,
        and `run.json` is taken away first and sent last.

        Raises:
            OutputError: it could not be sent.
        """
        try:
            self._put(folder)
        except Exception as error:
            text = f"{self._url}: the result could not be sent: {error}"
            raise OutputError(text) from error

    def _put(self, folder: ResultFolder) -> None:
        names = _names(folder)
        if self._protocol() in RENAMING:
            parent, _, name = self._path.rpartition("/")
            aside = f"{parent}/.{name[:200]}.{uuid.uuid4().hex[:8]}.part"
            self._send(folder.path, names, aside)
            if self._files.exists(self._path):
                self._files.rm(self._path, recursive=True)
            self._files.mv(aside, self._path, recursive=True)
            return
        if self._files.exists(f"{self._path}/{MARK}"):
            self._files.rm_file(f"{self._path}/{MARK}")
        self._send(folder.path, names, self._path)

    def _send(self, source: Path, names: list[str], target: str) -> None:
        for name in names:
            place = f"{target}/{name}"
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(source / name), place)

    def _protocol(self) -> str:
        protocol = self._files.protocol
        return protocol if isinstance(protocol, str) else protocol[0]


def _names(folder: ResultFolder) -> list[str]:
    """The result's files, by what run.json says, and run.json last."""
    made = folder.read_report()["made"].values()
    names = {name for stage in made for name in stage["files"]}
    return [*sorted(names), MARK]

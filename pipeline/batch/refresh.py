"""Bring the manifest up to date with the folder: what is new, changed, gone, or due again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.batch.clock import Clock
from pipeline.batch.find import Found
from pipeline.batch.manifest import Manifest, Row
from pipeline.batch.names import to_db
from pipeline.errors import InputError
from pipeline.result import ResultFolder

_NEW = "status = 'waiting', stage = '', error = ?, exit_code = NULL, attempts = 0"


@dataclass(frozen=True)
class Refresher:
    """Compares the manifest with what is there."""

    manifest: Manifest
    folder: str
    """Real path of where the videos are."""
    out: Path
    settings: str
    """Fingerprint of the settings, code and weights of this batch."""
    is_remote: bool
    """Results are at a URL: that they are still there is believed."""
    retry_failed: bool
    afresh: bool
    """Nothing counts as done."""
    clock: Clock

    def __call__(self, videos: Iterable[Found]) -> None:
        """Note every video; those whose result is current stay done.

        Raises:
            InputError: the manifest is of another folder.
        """
        known = {row.name: row for row in self.manifest.rows()}
        found = {video.name: video for video in videos}
        self._check_same_folder(known, found)
        reasons = {
            name: self._why_again(known[name], video)
            for name, video in found.items()
            if name in known
        }
        with self.manifest.change():
            if self.folder not in self.manifest.folders():
                self.manifest.execute("INSERT INTO about VALUES (?)", (to_db(self.folder),))
            for name, video in found.items():
                if name not in known:
                    self._add(video)
                elif (reason := reasons[name]) is not None:
                    self._again(known[name], video, reason)
            for name in known.keys() - found.keys():
                self._lose(known[name])

    def _check_same_folder(self, known: dict[str, Row], found: dict[str, Found]) -> None:
        """Another folder's videos must not take the place of these, nor make them all 'gone'.

        From another machine the same folder may have another path.
        """
        there = [row for row in known.values() if row.status != "gone"]
        same = (row.name in found and row.size_bytes == found[row.name].size_bytes for row in there)
        if there and self.folder not in self.manifest.folders() and not any(same):
            raise InputError(
                f"{self.manifest.path}: is of another folder: none of its {len(there)} videos is "
                "here. Choose another output with -o"
            )

    def _why_again(self, row: Row, video: Found) -> str | None:
        """Why a known video must be done (again); None: leave its row as it is."""
        changed = (row.size_bytes, row.mtime_ns) != (video.size_bytes, video.mtime_ns)
        if row.status in ("running", "waiting"):
            return row.error if changed and row.status == "waiting" else None
        if row.status == "gone":
            return "it is back"
        if self.afresh:
            return "asked for afresh"
        if changed:
            return "the video changed"
        if row.settings_fingerprint != self.settings:
            return "settings, code or weights changed"
        return self._why_failed_again(row) if row.status == "failed" else self._why_redone(row)

    def _why_failed_again(self, row: Row) -> str | None:
        return f"asked for again after: {row.error}" if self.retry_failed else None

    def _why_redone(self, row: Row) -> str | None:
        is_there = self.is_remote or self._is_there(row)
        return None if is_there else "its result changed or is gone"

    def _is_there(self, row: Row) -> bool:
        folder = ResultFolder(self.out / row.name)
        return folder.current_report(row.result_fingerprint) is not None

    def _add(self, video: Found) -> None:
        self.manifest.execute(
            "INSERT OR IGNORE INTO videos (name, size_bytes, mtime_ns, changed_utc) "
            "VALUES (?, ?, ?, ?)",
            (to_db(video.name), video.size_bytes, video.mtime_ns, self.clock.utc()),
        )

    def _again(self, row: Row, video: Found, reason: str) -> None:
        """Unless somebody changed the row since it was read."""
        self.manifest.execute(
            f"UPDATE videos SET {_NEW}, size_bytes = ?, mtime_ns = ?, changed_utc = ? "
            "WHERE name = ? AND status = ? AND changed_utc = ?",
            (
                *(reason, video.size_bytes, video.mtime_ns, self.clock.utc()),
                *(to_db(row.name), row.status, row.changed_utc),
            ),
        )

    def _lose(self, row: Row) -> None:
        self.manifest.execute(
            "UPDATE videos SET status = 'gone', error = 'the video is not there any more', "
            "changed_utc = ? WHERE name = ? AND status IN ('waiting', 'done', 'failed')",
            (self.clock.utc(), to_db(row.name)),
        )

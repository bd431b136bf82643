"""Claims on videos: who does which, so that nothing is done twice and nothing is left lying.

A claim is a random word in the video's row. Its holder counts `beat` up while it lives. Another
process takes the video over when it has itself seen the beat stand still for the whole lease, by
its own steady clock, or when the holder is surely dead; no clock is ever compared with another's.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field

from pipeline.batch.clock import Clock
from pipeline.batch.holder import is_surely_dead
from pipeline.batch.manifest import Manifest, Row
from pipeline.batch.messages import Done, Failed, Progress
from pipeline.batch.names import to_db

_FREE = "claim = '', holder = '', worker = '', lease_until_utc = ''"
_MINE = "name = ? AND claim = ?"


@dataclass
class Claims:
    """One process's claims in a manifest."""

    manifest: Manifest
    holder: str
    lease_s: float
    clock: Clock = field(default_factory=Clock)
    _seen: dict[str, tuple[tuple[str, int], float]] = field(default_factory=dict)
    """Of videos others hold: the claim and beat last seen, and since when."""

    def next(self, worker: str, settings: str, not_now: Collection[str] = ()) -> Row | None:
        """Claim the first waiting video, if there is one.

        Args:
            worker: who will do it.
            settings: fingerprint of the settings it is done with.
            not_now: videos to leave for later.
        """
        with self.manifest.change():
            waiting = self.manifest.rows("status = 'waiting'", most=len(not_now) + 1)
            row = next((row for row in waiting if row.name not in not_now), None)
            if row is None:
                return None
            self.manifest.execute(
                "UPDATE videos SET status = 'running', stage = 'starting', frames = 0, "
                "frames_total = 0, claim = ?, holder = ?, worker = ?, beat = 0, lease_s = ?, "
                "lease_until_utc = ?, changed_utc = ?, settings_fingerprint = ? WHERE name = ?",
                (
                    uuid.uuid4().hex,
                    self.holder,
                    worker,
                    self.lease_s,
                    self.clock.utc(self.lease_s),
                    self.clock.utc(),
                    settings,
                    to_db(row.name),
                ),
            )
            return self.manifest.row(row.name)

    def renew(self, held: dict[str, tuple[str, Progress]]) -> list[str]:
        """Beat once for every claim (by name: claim, how far it is); the names that were lost."""
        with self.manifest.change():
            return [
                name
                for name, (claim, at) in held.items()
                if not self.manifest.execute(
                    "UPDATE videos SET beat = beat + 1, lease_until_utc = ?, stage = ?, "
                    f"frames = ?, frames_total = ? WHERE {_MINE}",
                    (
                        self.clock.utc(self.lease_s),
                        *(at.stage, at.frames, at.frames_total),
                        *(to_db(name), claim),
                    ),
                )
            ]

    def take_over(self) -> list[str]:
        """Make the videos of dead holders wait again; their names."""
        running = self.manifest.rows("status = 'running' AND holder != ?", (self.holder,))
        self._seen = {row.name: self._last_beat(row) for row in running}
        return [row.name for row in running if self._is_over(row) and self._free(row)]

    def release(self, name: str, claim: str) -> bool:
        """Give a video back unfinished; no attempt is counted."""
        return self._end(name, claim, "status = 'waiting', stage = ''", ())

    def done(self, name: str, claim: str, done: Done) -> bool:
        """Note a result; False if the claim was lost meanwhile."""
        return self._end(
            name,
            claim,
            "status = 'done', stage = '', error = '', exit_code = NULL, attempts = attempts + 1, "
            "frames = ?, frames_total = ?, people = ?, seconds = ?, peak_memory_bytes = ?, "
            "input_digest = ?, size_bytes = ?, mtime_ns = ?, result_fingerprint = ?",
            (
                *(done.frames, done.frames, done.people, done.seconds, done.peak_memory_bytes),
                *(done.input_digest, done.size_bytes, done.mtime_ns, done.result_fingerprint),
            ),
        )

    def failed(self, name: str, claim: str, failed: Failed, status: str, stage: str) -> bool:
        """Note a failure; `status` says what follows: 'waiting' (again), 'failed' or 'gone'."""
        return self._end(
            name,
            claim,
            "status = ?, stage = ?, error = ?, exit_code = ?, attempts = attempts + 1, "
            "seconds = ?, peak_memory_bytes = ?",
            (
                *(status, stage, failed.error, failed.exit_code),
                *(failed.seconds, failed.peak_memory_bytes),
            ),
        )

    def _end(self, name: str, claim: str, what: str, values: tuple[object, ...]) -> bool:
        with self.manifest.change():
            changed = self.manifest.execute(
                f"UPDATE videos SET {what}, {_FREE}, changed_utc = ? WHERE {_MINE}",
                (*values, self.clock.utc(), to_db(name), claim),
            )
        return changed > 0

    def _last_beat(self, row: Row) -> tuple[tuple[str, int], float]:
        mark = (row.claim, row.beat)
        before = self._seen.get(row.name)
        return before if before and before[0] == mark else (mark, self.clock.steady_s())

    def _is_over(self, row: Row) -> bool:
        still_s = self.clock.steady_s() - self._seen[row.name][1]
        return still_s >= row.lease_s or is_surely_dead(row.holder)

    def _free(self, row: Row) -> bool:
        """Unless the holder beat, or another took it over, in this very moment."""
        with self.manifest.change():
            changed = self.manifest.execute(
                f"UPDATE videos SET status = 'waiting', stage = '', {_FREE}, changed_utc = ? "
                f"WHERE {_MINE} AND beat = ?",
                (self.clock.utc(), to_db(row.name), row.claim, row.beat),
            )
        return changed > 0

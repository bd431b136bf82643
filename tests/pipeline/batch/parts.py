"""A clock that obeys, and short ways to fill a manifest."""

from dataclasses import dataclass

from pipeline.batch.claims import Claims
from pipeline.batch.clock import Clock
from pipeline.batch.manifest import FILE_NAME, Manifest
from pipeline.batch.messages import Done
from pipeline.batch.names import to_db

SETTINGS = "settings"
ELSEWHERE = "elsewhere|boot|pid:[1]|7|7"
"""A holder on another machine: nobody here can see whether it lives."""


@dataclass
class SetClock:
    """Both clocks, set by hand."""

    steady: float = 1000.0
    wall: float = 1.7e9

    def clock(self) -> Clock:
        return Clock(lambda: self.steady, lambda: self.wall)


def a_manifest(folder, *names) -> Manifest:
    manifest = Manifest(folder / FILE_NAME, create=True)
    for name in names:
        manifest.execute(
            "INSERT INTO videos (name, size_bytes, mtime_ns) VALUES (?, 10, 5)", (to_db(name),)
        )
    return manifest


def claims(manifest, holder=ELSEWHERE, lease_s=60.0, clock=None) -> Claims:
    return Claims(manifest, holder, lease_s, clock or SetClock().clock())


def a_done(frames=7, fingerprint="key") -> Done:
    return Done(frames, 2, 1.5, 10**9, "digest", 10, 5, fingerprint, reused=False)

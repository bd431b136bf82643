"""How far a batch is, and how long it may still take."""

from dataclasses import dataclass

from pipeline.batch.drive import Driver


@dataclass(frozen=True)
class Estimate:
    """Counted in bytes of the videos' files: that is known before they are opened."""

    total: int
    """Videos, those that are gone left out."""
    ended: int
    """Done or failed."""
    failed: int
    left_s: float | None
    """None: nothing to judge by yet."""


def estimate(driver: Driver) -> Estimate:
    """From the manifest, and from the rate of this process's workers so far."""
    counts = driver.claims.manifest.counts()
    done, failed, waiting, running = (
        counts.get(status, (0, 0)) for status in ("done", "failed", "waiting", "running")
    )
    workers = max(1, len(driver.running))
    left_s = None
    if driver.finished_bytes > 0:
        left_bytes = waiting[1] + running[1] / 2
        left_s = left_bytes * driver.worked_s / driver.finished_bytes / workers
    total = done[0] + failed[0] + waiting[0] + running[0]
    return Estimate(total, done[0] + failed[0], failed[0], left_s)


def in_words(seconds: float) -> str:
    """A duration, roughly."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

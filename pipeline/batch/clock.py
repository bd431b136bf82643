"""The two clocks of a batch; tests put their own in."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class Clock:
    """What is decided, is decided by the steady clock; the other is only written down."""

    steady_s: Callable[[], float] = time.monotonic
    """Seconds that nobody can set back or forth; they mean something in this process alone."""
    wall_s: Callable[[], float] = time.time
    """Seconds since 1970, as the machine believes."""

    def utc(self, later_s: float = 0.0) -> str:
        """The time of day, for people to read."""
        moment = datetime.fromtimestamp(self.wall_s() + later_s, timezone.utc)
        return moment.isoformat(timespec="seconds")

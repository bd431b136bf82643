"""Formats that know one frame rate."""

import numpy as np

from pipeline.context import Context
from pipeline.take import mean_fps
from pipeline.types import Person

WORTH_TELLING_MS = 1.0


def tell_uneven(format_name: str, person: Person, context: Context) -> None:
    """Record how far frames lie from their true times where the source's rate varies."""
    even_s = person.time_s[0] + np.arange(len(person)) / mean_fps(person.time_s)
    off_ms = 1000 * float(np.abs(person.time_s - even_s).max())
    if off_ms > WORTH_TELLING_MS:
        context.events.record(
            "export",
            "assumption",
            f"{format_name} has one frame rate, and the video's frames do not come evenly: they "
            f"lie up to {off_ms:.0f} ms from their true times (csv, trc, glb and usd keep them)",
            person_id=person.id,
        )

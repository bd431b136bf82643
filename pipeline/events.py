"""What a run dropped, assumed or replaced: nothing falls back silently."""

import json
import logging
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipeline.errors import OutputError

LOGGER = logging.getLogger(__name__)

Kind = Literal["info", "assumption", "fallback", "drop", "truncation"]


@dataclass(frozen=True)
class Event:
    """One thing the user should know about this run."""

    stage: str
    """The stage it happened in: 'video', 'camera', 'detection', 'tracking', ..."""
    kind: Kind
    """'info' is harmless; every other kind makes `--strict` fail."""
    message: str
    """A sentence with numbers and units, and what to do where something can be done."""
    frame_index: int | None = None
    """Source frame it concerns, where there is one."""
    person_id: int | None = None
    """Person it concerns, where there is one."""


def events_from(values: Any) -> list[Event]:
    """Events from their JSON text, or from a list of dicts.

    Raises:
        OutputError: they are none.
    """
    try:
        rows = json.loads(str(values)) if not isinstance(values, list) else values
        return [Event(**{**row, "stage": str(row["stage"])}) for row in rows]
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        raise OutputError("its events cannot be read") from error


@dataclass
class EventLog:
    """Collects events; the one mutable object that stages share."""

    events: list[Event] = field(default_factory=list)

    def record(
        self,
        stage: str,
        kind: Kind,
        message: str,
        *,
        frame_index: int | None = None,
        person_id: int | None = None,
    ) -> None:
        """Note what happened; the same event twice counts once."""
        self.add(Event(stage, kind, message, frame_index, person_id))

    def add(self, event: Event) -> None:
        """Add an event unless it is there already."""
        if event not in self.events:
            self.events.append(event)
            LOGGER.info("%s: %s: %s", event.stage, event.kind, event.message)

    def as_dicts(self) -> list[dict[str, str | int | None]]:
        """The events as plain JSON values."""
        return [asdict(event) for event in self.events]

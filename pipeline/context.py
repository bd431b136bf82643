"""What every backend may use beside its own settings: events, progress, parts, body, device."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.events import EventLog
from pipeline.parts import Parts

if TYPE_CHECKING:
    from pipeline.body import BodyModel

Advance = Callable[[int], None]
ProgressFactory = Callable[[str, int | None], AbstractContextManager[Advance]]


@contextmanager
def no_progress(label: str, total: int | None) -> Iterator[Advance]:
    """A progress bar that shows nothing."""
    yield lambda steps: None


@dataclass(frozen=True)
class Context:
    """Shared by the backends of one run.

    Use progress as ``with context.progress("Fitting", 300) as advance: advance(1)``.
    """

    events: EventLog = field(default_factory=EventLog)
    progress: ProgressFactory = no_progress
    body_model: str = "embedded"
    """'embedded', or the path of the user's SMPL file (.npz, .pkl)."""
    device: str = "cpu"
    """A torch device name."""
    kept: dict[str, Any] | None = None
    """Where `pipeline.chosen` keeps loaded networks for the next video; None: nowhere."""
    parts: Parts = field(default_factory=Parts)
    """What the stage at work has finished; kept through interruptions while a run lasts."""

    @cached_property
    def body(self) -> "BodyModel":
        """The body model, loaded when it is first needed."""
        from pipeline.body import load_body  # noqa: PLC0415  (torch is slow to import)

        return load_body(self.body_model)

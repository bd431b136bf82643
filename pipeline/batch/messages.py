"""What goes to a worker and what comes back: frozen dataclasses, a line of JSON each."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.errors import EXIT_INPUT, EXIT_INTERNAL, EXIT_MISSING, EXIT_SETTINGS


@dataclass(frozen=True)
class Setup:
    """The first thing a worker hears."""

    settings: dict[str, Any]
    """As in run.json."""
    code: str
    """Digest of the sources that this batch runs with."""


@dataclass(frozen=True)
class Task:
    """A video to do."""

    name: str
    video: str
    """Where it is read."""
    folder: str
    """Where the worker writes."""
    upload: str = ""
    """URL that the finished folder goes to; empty: it stays."""
    afresh: bool = False
    """Use nothing that is there."""


@dataclass(frozen=True)
class Ready:
    """The worker's networks are loaded."""


@dataclass(frozen=True)
class Unusable:
    """This worker can do no video at all, and no other could: the batch must stop."""

    error: str
    exit_code: int


@dataclass(frozen=True)
class Progress:
    """How far a video is."""

    stage: str
    frames: int
    frames_total: int


@dataclass(frozen=True)
class Done:
    """A video's result is there."""

    frames: int
    people: int
    seconds: float
    peak_memory_bytes: int
    input_digest: str
    size_bytes: int
    mtime_ns: int
    result_fingerprint: str
    """As in its run.json."""
    reused: bool
    """It was there before, made by the same."""


@dataclass(frozen=True)
class Failed:
    """A video's result is not there."""

    error: str
    exit_code: int
    """As of `humans4d run`; the negative signal where the worker was killed by one."""
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    is_workers: bool = False
    """The worker died before it had loaded its networks: the video is not to blame."""

    @property
    def may_heal(self) -> bool:
        """Whether trying again makes sense; not for wrong settings, input or missing weights."""
        return self.exit_code not in (EXIT_SETTINGS, EXIT_INPUT, EXIT_MISSING)


Message = Setup | Task | Ready | Unusable | Progress | Done | Failed
_KINDS = {kind.__name__: kind for kind in (Setup, Task, Ready, Unusable, Progress, Done, Failed)}
UNEXPECTED = EXIT_INTERNAL


def to_line(message: Message) -> bytes:
    """A message as one line."""
    return json.dumps([type(message).__name__, asdict(message)]).encode("ascii") + b"\n"


def from_line(line: bytes) -> Message:
    """The message again."""
    kind, values = json.loads(line)
    return _KINDS[kind](**values)


class Lines:
    """Messages out of bytes that come in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Any]:
        """The messages that are whole now."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return [from_line(line) for line in whole]

"""What does the videos: the part that differs between one machine and many."""

from typing import Protocol, runtime_checkable

from pipeline.batch.messages import Message, Task


@runtime_checkable
class Engine(Protocol):
    """Workers by name; each does one video at a time."""

    def free(self) -> list[str]:
        """Workers that can be given a video now."""

    def give(self, worker: str, task: Task) -> None:
        """Hand a free worker a video."""

    def heard(self, wait_s: float) -> list[tuple[str, Message]]:
        """What the workers said, waiting for it at most so long.

        A worker that died says `Failed` in its video's name, and is free again (another one).
        """

    def drop(self, worker: str) -> None:
        """Stop a worker's video and forget it; nothing more is heard of it."""

    def close(self) -> None:
        """Stop all workers."""

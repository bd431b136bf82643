"""Let the making and the using of a stream of things overlap, a bounded number of them apart."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
_END = object()
_POLL_S = 0.2


class Prefetch(Generic[Item]):
    """Items of an iterable, made by a background thread up to `depth` ahead of their use.

    What the maker raises is raised again in the user's thread, in its place in the order. Leaving
    the ``with`` block (also by an error or Ctrl-C) stops the maker and closes a generator source.
    """

    def __init__(self, source: Iterable[Item], depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self._queue: queue.Queue[Any] = queue.Queue(maxsize=depth)
        self._stop = threading.Event()
        # The thread must not know `self`: an abandoned Prefetch is then collected and stops it.
        self._thread = threading.Thread(
            target=_make, args=(source, self._queue, self._stop), daemon=True, name="prefetch"
        )
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if self._stop.is_set():
            raise StopIteration
        item, error = self._queue.get()
        if error is None and item is not _END:
            return item
        self.close()
        if error is not None:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stop the maker and wait for it; nothing more comes after this."""
        self._stop.set()
        while True:  # room in the queue lets a maker that waits there see the stop
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> "Prefetch[Item]":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_stop"):
            self._stop.set()


def prefetch(source: Iterable[Item], depth: int) -> Prefetch[Item]:
    """Start making items ahead of their use; a `with` block around it ends the thread."""
    return Prefetch(source, depth)


def _make(source: Iterable[Item], out: "queue.Queue[Any]", stop: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in source:
            if not _put(out, (item, None), stop):
                break
            del item  # a picture must not live on while the next one is made
    except BaseException as raised:  # handed over to the user's thread
        error = raised
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()
        _put(out, (_END, error), stop)


def _put(out: "queue.Queue[Any]", item: Any, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            out.put(item, timeout=_POLL_S)
            return True
        except queue.Full:
            continue
    return False

"""A worker's process: ``python -m pipeline.batch.worker FD``; tasks in, progress and results out.

It lives no longer than whoever started it: when the line to it closes, the worker stops.
"""

import faulthandler
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.batch.messages import Lines, Message, Ready, Setup, Task, Unusable, to_line
from pipeline.config import settings_from
from pipeline.errors import EXIT_MISSING, UserError
from pipeline.fingerprint import code_digest
from pipeline.imports import without_gc
from pipeline.run_log import OUR_LOGGERS

GRACE_S = 5.0
PIECE_BYTES = 1 << 16
OOM_SCORE = "500"
"""When memory runs out, the system should rather kill a worker than whoever keeps the manifest."""


class Line:
    """The two-way line to the driver."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self.incoming: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True, name="line").start()

    def tell(self, message: Message) -> None:
        """Send a message; if nobody is there any more, the listener ends the process."""
        with self._sending, suppress(OSError):
            self._connection.sendall(to_line(message))

    def _listen(self) -> None:
        lines, piece = Lines(), b""
        with suppress(OSError):
            while piece := self._connection.recv(PIECE_BYTES):
                for message in lines.feed(piece):
                    self.incoming.put(message)
        self.incoming.put(None)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(128 + signal.SIGTERM)


def serve(line: Line) -> None:
    """Load the networks, then do what comes until there is no more."""
    setup = line.incoming.get()
    if not isinstance(setup, Setup):
        return
    if setup.code != code_digest("pipeline", "stages"):
        text = (
            "humans4d itself differs from the one this batch began with (updated meanwhile, or "
            "another version on another machine). Start the batch again"
        )
        line.tell(Unusable(text, EXIT_MISSING))
        return
    try:
        with without_gc():
            from pipeline.batch.perform import Performer  # noqa: PLC0415  (torch is slow to import)
        perform = Performer(settings_from(setup.settings), line.tell)
    except UserError as error:
        line.tell(Unusable(str(error), error.exit_code))
        return
    line.tell(Ready())
    while isinstance(task := line.incoming.get(), Task):
        line.tell(perform(task))


def _end(*_: object) -> None:
    """End, tidying up; asked a second time, go on tidying."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def configure_logging() -> None:
    """Errors to the worker's own log; everything of ours to each run's log file."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.ERROR)
    logging.basicConfig(handlers=[handler], format="%(asctime)s %(message)s")
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def main() -> None:
    """Run until the line closes."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    signal.signal(signal.SIGTERM, _end)
    configure_logging()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
    serve(Line(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()

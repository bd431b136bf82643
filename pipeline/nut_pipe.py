"""An ffmpeg process that is fed a NUT stream through a pipe, and what it says when it fails."""

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import av
from av.container import OutputContainer

from pipeline.errors import OutputError

LOGGER = logging.getLogger(__name__)

TICKS_PER_S = 120_000
"""Holds 24, 25, 30, 50 and 60 fps and their 1000/1001 relatives without rounding."""
LEAD_S = 10
"""Times in the pipe are this much later: NUT holds no negative ones, early sound has them."""
PIPE_BYTES = 1 << 20


class NutPipe:
    """One ffmpeg process and the NUT stream into it."""

    def __init__(self, command: list[str]) -> None:
        """Start ffmpeg.

        Raises:
            OutputError: it does not start.
        """
        self._log = tempfile.TemporaryFile()  # not a pipe: nobody would empty it
        read_end, self._write_end = os.pipe()
        try:
            self.process = subprocess.Popen(
                command,
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # a Ctrl-C is ours to handle
            )
        except OSError as error:
            os.close(self._write_end)
            self._log.close()
            raise OutputError(
                f"ffmpeg ({command[0]}) does not start: {error.strerror}. Install it anew with: "
                "pip install --force-reinstall imageio-ffmpeg"
            ) from error
        finally:
            os.close(read_end)
        self.out: OutputContainer = av.open(
            f"pipe:{self._write_end}",
            "w",
            format="nut",
            buffer_size=PIPE_BYTES,
            # Without this the muxer holds back ten seconds of raw pictures when sound ends early.
            container_options={"max_interleave_delta": "1"},
        )

    def finish(self) -> bool:
        """Send the end and wait; whether ffmpeg is content."""
        self.out.close()
        self._close_write_end()
        return self.process.wait() == 0

    def failure(self, target: Path) -> OutputError:
        """What to tell the user, from how ffmpeg ended and what it said."""
        self._close_write_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip()
        code = self.process.returncode
        LOGGER.error("ffmpeg ended with %s: %s", code, said[-2000:])
        if "No space left on device" in said:
            return OutputError(
                f"{target} cannot be written: the disk is full. Free some space and run again."
            )
        if code is not None and code < 0:
            return OutputError(
                f"{target} was not written: the encoder (ffmpeg) was stopped by "
                f"{signal.Signals(-code).name}. Run again; check memory and disk limits if it "
                "happens twice."
            )
        last_line = said.splitlines()[-1] if said else "it gave no reason"
        return OutputError(f"{target} was not written: the encoder (ffmpeg) said: {last_line}")

    def close(self) -> None:
        """Leave no process and no open file."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(av.FFmpegError, OSError):
            self.out.close()
        self._close_write_end()
        self._log.close()

    def _close_write_end(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

"""The source video, small: to be put into the page, on the camera's picture plane."""

import base64
import subprocess
import tempfile
from pathlib import Path

from pipeline.context import Context
from pipeline.decoders.pyav import FORMATS
from pipeline.ffmpeg_binary import ffmpeg_binary

WIDTH_PX = 480
RATE_FACTOR = 33
KEY_FRAMES = 12
"""A key frame this often, so that scrubbing is quick."""


class SmallFilm:
    """A stretch of a video on its way to a small H.264 mp4, made beside other work."""

    def __init__(self, path: Path, start_s: float, seconds: float) -> None:
        """Begin.

        Args:
            path: the source.
            start_s: seconds from its first frame.
            seconds: length.
        """
        self._path = path
        self._folder = tempfile.TemporaryDirectory()
        self._out = Path(self._folder.name) / "film.mp4"
        command = [
            *(ffmpeg_binary(), "-nostdin", "-v", "error", "-ss", f"{start_s:.6f}"),
            *("-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", f"file:{path}"),
            *("-t", f"{seconds:.6f}", "-an", "-pix_fmt", "yuv420p"),
            *("-vf", f"scale={WIDTH_PX}:-2:flags=fast_bilinear"),
            *("-c:v", "libx264", "-preset", "superfast", "-crf", str(RATE_FACTOR)),
            *("-g", str(KEY_FRAMES), "-movflags", "+faststart", "-y", str(self._out)),
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def in_base64(self, context: Context) -> str:
        """Wait for it; empty where ffmpeg cannot make it, which is recorded."""
        _, said = self._process.communicate()
        if self._process.returncode or not self._out.exists():
            reason = " ".join(said.split())[:200]
            text = f"the page has no film: {self._path.name} cannot be made smaller ({reason})"
            context.events.record("viewer", "drop", text)
            return ""
        return base64.b64encode(self._out.read_bytes()).decode()

    def close(self) -> None:
        """End what still runs, and remove the file."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
        self._folder.cleanup()

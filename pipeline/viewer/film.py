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


def small_film(path: Path, start_s: float, seconds: float, context: Context) -> str:
    """A stretch of a video as base64 of a small H.264 mp4; empty where ffmpeg cannot make it.

    Args:
        path: the source.
        start_s: seconds from its first frame.
        seconds: length.
        context: where a failure is recorded.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "film.mp4"
        command = [
            *(ffmpeg_binary(), "-nostdin", "-v", "error", "-ss", f"{start_s:.6f}"),
            *("-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", f"file:{path}"),
            *("-t", f"{seconds:.6f}", "-an", "-vf", f"scale={WIDTH_PX}:-2", "-pix_fmt", "yuv420p"),
            *("-c:v", "libx264", "-preset", "veryfast", "-crf", str(RATE_FACTOR)),
            *("-g", str(KEY_FRAMES), "-movflags", "+faststart", "-y", str(out)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not out.exists():
            reason = " ".join(done.stderr.split())[:200]
            text = f"the page has no film: {path.name} cannot be made smaller ({reason})"
            context.events.record("viewer", "drop", text)
            return ""
        return base64.b64encode(out.read_bytes()).decode()

"""What this machine offers: decoder, encoder, OpenGL, GPU, bodies. Facts for `humans4d doctor`."""

import ctypes.util
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from pipeline.body_file import EMBEDDED, read_body_file
from pipeline.errors import UserError
from pipeline.ffmpeg_binary import ffmpeg_binary, version_text

SMPL_PLACES = (
    ".cache/4DHumans/data/smpl/SMPL_NEUTRAL.pkl",
    ".cache/phalp/3D/models/smpl/SMPL_NEUTRAL.pkl",
)
"""Where 4D-Humans and PHALP keep the body, under the home folder."""


@dataclass(frozen=True)
class Fact:
    """One thing about this machine."""

    subject: str
    text: str
    ok: bool = True
    """False: the default flow cannot run like this."""


def facts() -> list[Fact]:
    """Everything, in the order of the flow."""
    return [_decoder(), _encoder(), _gpu(), _egl(), _embedded_body(), _smpl_body()]


def _decoder() -> Fact:
    text = f"PyAV {importlib.metadata.version('av')}"
    if importlib.util.find_spec("decord"):
        return Fact("decoder", f"{text}; decord {importlib.metadata.version('decord')}")
    return Fact("decoder", f"{text}; decord is not installed: pip install 'humans4d[decord]'")


def _encoder() -> Fact:
    try:
        program = ffmpeg_binary()
    except UserError as error:
        return Fact("encoder", str(error), ok=False)
    words = version_text(program).split()
    return Fact("encoder", f"ffmpeg {words[2]} ({program})", ok=True)


def _gpu() -> Fact:
    import torch  # noqa: PLC0415  (slow to import)

    if not torch.cuda.is_available():
        return Fact("GPU", f"none that torch {torch.__version__} can use; networks run on the CPU")
    memory_gb = torch.cuda.get_device_properties(0).total_memory / 1e9
    return Fact("GPU", f"{torch.cuda.get_device_name(0)}, {memory_gb:.0f} GB")


def _egl() -> Fact:
    found = ctypes.util.find_library("EGL")
    text = (
        f"{found}, for rendering.backend=auto or pyrender"
        if found
        else "none; only pyrender needs it"
    )
    return Fact("EGL", text)


def _embedded_body() -> Fact:
    try:
        body = read_body_file(EMBEDDED)
    except UserError as error:
        return Fact("body", str(error), ok=False)
    return Fact("body", f"embedded, {len(body.v_template_m)} vertices, free for any use")


def _smpl_body() -> Fact:
    for place in SMPL_PLACES:
        path = Path.home() / place
        if path.is_file():
            return Fact("SMPL body", f"found; use it with body.model={path}")
    return Fact(
        "SMPL body",
        "yours to bring, and needed only for the shapes that SMPL networks give: register at "
        "https://smpl.is.tue.mpg.de, then body.model=FILE (docs/weights.md)",
    )

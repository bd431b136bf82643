"""Which renderer suits this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline import backends
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.errors import UserError

GPU_FILES = ("nvidiactl", "dri/renderD*", "dxg")
"""Under /dev, where a driver for a GPU is loaded; dxg: in Windows' Linux."""
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software")
"""In the names of OpenGL drivers that draw on the CPU, many times slower than `raster`."""


@dataclass(frozen=True)
class Choice:
    """What was picked, and why."""

    name: Literal["raster", "pyrender"]
    reason: str
    renderer: Any
    """Made, and for OpenGL with its context."""


def has_gpu_driver(devices: Path = Path("/dev")) -> bool:
    """Whether a GPU may be here, told without loading anything."""
    return any(any(devices.glob(pattern)) for pattern in GPU_FILES)


def choose(options: dict[str, Any], context: Context, devices: Path = Path("/dev")) -> Choice:
    """`pyrender` where OpenGL through EGL is a GPU's, else `raster`.

    Args:
        options: settings that both have.
        context: handed on.
        devices: where drivers show themselves.
    """
    if not has_gpu_driver(devices):
        return _raster("no GPU driver here", options, context)
    try:
        opengl = _make("pyrender", options, context)
        device = opengl.device()
    except (UserError, ImportError) as error:  # PyOpenGL raises ImportError without libEGL
        return _raster(f"a GPU may be here, but no OpenGL: {error}", options, context)
    if any(word in device.lower() for word in SOFTWARE):
        return _raster(f"OpenGL is drawn by software here ({device})", options, context)
    return Choice("pyrender", f"OpenGL on {device}", opengl)


def _raster(reason: str, options: dict[str, Any], context: Context) -> Choice:
    return Choice("raster", f"on the CPU; {reason}", _make("raster", options, context))


def _make(name: str, options: dict[str, Any], context: Context) -> Any:
    config: BackendConfig = backends.make_config("rendering", name, options)
    return backends.make("rendering", name, config, context)

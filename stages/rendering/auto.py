"""`pyrender` where this machine has a GPU for OpenGL, else `raster`; which one is recorded.

Both draw the same bodies within a small tolerance, so a result made here is not drawn anew on
another machine.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import Float64, Int32
from pydantic import Field

from pipeline import backends
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.types import Layer, PosedMesh
from stages.rendering._choice import choose, has_gpu_driver


class Config(BackendConfig):
    """How bodies are drawn."""

    alpha: float = Field(default=0.9, ge=0.0, le=1.0)
    """Opacity of every body; multiplied by `PosedMesh.alpha`."""
    labels: bool = True
    """Draw `PosedMesh.label` above each body."""


class Backend:
    """Picks at the first picture, so that nothing is looked for where nothing is drawn."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context
        self._lock = Lock()
        self._renderer: Any = None

    def __call__(
        self,
        meshes: Sequence[PosedMesh],
        faces: Int32[np.ndarray, "f 3"],
        K_px: Float64[np.ndarray, "3 3"],
        width_px: int,
        height_px: int,
    ) -> Layer:
        """Draw the bodies with what was picked."""
        layer: Layer = self._picked()(meshes, faces, K_px, width_px, height_px)
        return layer

    def begin(
        self,
        meshes: Sequence[PosedMesh],
        faces: Int32[np.ndarray, "f 3"],
        K_px: Float64[np.ndarray, "3 3"],
        width_px: int,
        height_px: int,
    ) -> Callable[[], Layer]:
        """As `stages.rendering` tells: drawn meanwhile where a GPU draws, else at once."""
        picked, view = self._picked(), (meshes, faces, K_px, width_px, height_px)
        if hasattr(picked, "begin"):
            begun: Callable[[], Layer] = picked.begin(*view)
            return begun
        layer: Layer = picked(*view)
        return lambda: layer

    def _picked(self) -> Any:
        with self._lock:
            if self._renderer is None:
                choice = choose(self._config.model_dump(), self._context)
                self._renderer = choice.renderer
                text = f"auto: drawn by {choice.name}, {choice.reason}"
                self._context.events.record("rendering", "info", text)
            return self._renderer


def prepare() -> None:
    """Compile what `raster` needs, unless a GPU is likely to draw."""
    if not has_gpu_driver():
        backends.load("rendering", "raster").prepare()

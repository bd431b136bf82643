"""Bodies drawn by OpenGL through pyrender: for a machine with a GPU (EGL, no display needed).

The same layer as `raster` gives, but for the last bits of soft edges. On a machine without a GPU
this runs on Mesa's llvmpipe, many times slower than `raster`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

# PyOpenGL reads this at its import; without it it looks for a display.
os.environ.setdefault("PYOPENGL_PLATFORM", "egl")

import cv2
import numpy as np
import pyrender
from jaxtyping import Float64, Int32
from OpenGL.GL import GL_RENDERER, glGetString
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.camera import NEAREST_M, project
from pipeline.context import Context
from pipeline.errors import MissingError
from pipeline.types import Layer, PosedMesh
from stages.rendering._gl_reading import AreaRenderer, PixelsOnTheWay
from stages.rendering._gl_scene import GlScene
from stages.rendering._labels import Tag, draw_tags, place_tag, spread_tags
from stages.rendering._rectangle import Rectangle, rectangle_around
from stages.rendering._straight import straight_layer

SMALL_PX = 16


class Config(BackendConfig):
    """How bodies are drawn."""

    alpha: float = Field(0.9, ge=0.0, le=1.0)
    """Opacity of every body; multiplied by `PosedMesh.alpha`."""
    labels: bool = True
    """Draw `PosedMesh.label` above each body."""


@dataclass(frozen=True)
class _Drawn:
    """A picture that the card is at."""

    colour: PixelsOnTheWay
    opacities: PixelsOnTheWay | None
    """Where bodies differ in it, their opacity, per pixel."""
    opacity: int
    """Else of all, 0 to 255."""


class Backend:
    """Draws bodies with one OpenGL context, made at the first call and kept."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._renderer: pyrender.OffscreenRenderer | None = None
        self._scene: GlScene | None = None

    def __call__(
        self,
        meshes: Sequence[PosedMesh],
        faces: Int32[np.ndarray, "f 3"],
        K_px: Float64[np.ndarray, "3 3"],
        width_px: int,
        height_px: int,
    ) -> Layer:
        """Draw the bodies. The skew of K is not used: pyrender knows none.

        Raises:
            MissingError: this machine gives no OpenGL context.
        """
        return self.begin(meshes, faces, K_px, width_px, height_px)()

    def begin(
        self,
        meshes: Sequence[PosedMesh],
        faces: Int32[np.ndarray, "f 3"],
        K_px: Float64[np.ndarray, "3 3"],
        width_px: int,
        height_px: int,
    ) -> Callable[[], Layer]:
        """Let the card draw the bodies, and do not wait for it.

        Returns:
            A function that waits and gives the layer; to be called once, in this thread. Others
            may be begun before that.

        Raises:
            MissingError: this machine gives no OpenGL context.
        """
        meshes = sorted(meshes, key=lambda mesh: -float(mesh.vertices_camera_m[:, 2].min()))
        points_px, tags = [], []
        for mesh in meshes:
            points = project(mesh.vertices_camera_m, K_px)
            behind = mesh.vertices_camera_m[:, 2] < NEAREST_M
            if behind.all():
                continue
            # A cut body reaches to the picture's rim wherever its cut goes: take all of it.
            whole = np.array([[0.0, 0.0], [width_px, height_px]])
            points_px.append(whole if behind.any() else points)
            if self._config.labels and mesh.label:
                points[behind] = np.nan
                rgb = mesh.rgb.reshape(-1, 3).mean(axis=0).astype(np.uint8)
                tag = place_tag(mesh.label, rgb, points, width_px, height_px)
                tags += [tag] if tag else []
        tags = spread_tags(tags, width_px, height_px)
        area = rectangle_around(points_px, tags, width_px, height_px)
        if area.right == area.left:
            return partial(Layer, 0, 0, np.zeros((0, 0, 4), dtype=np.uint8))
        drawn = self._draw(meshes, faces, K_px, (width_px, height_px), area)
        return partial(self._finish, drawn, area, tags)

    def device(self) -> str:
        """What draws, in the driver's words, such as "NVIDIA H100 PCIe/PCIe/SSE2".

        Raises:
            MissingError: this machine gives no OpenGL context.
        """
        renderer = self._renderer_of(SMALL_PX, SMALL_PX)
        renderer._platform.make_current()
        return glGetString(GL_RENDERER).decode(errors="replace")

    def _draw(
        self,
        meshes: Sequence[PosedMesh],
        faces: np.ndarray,
        K_px: np.ndarray,
        size_px: tuple[int, int],
        area: Rectangle,
    ) -> _Drawn:
        renderer = self._renderer_of(*size_px)
        renderer._platform.make_current()
        own: AreaRenderer = renderer._renderer
        own.viewport_width, own.viewport_height = size_px
        own.area = area
        bodies = self._scene_of(faces)
        bodies.look(K_px)
        nodes = bodies.show(meshes)
        shades = [round(255 * mesh.alpha * self._config.alpha) for mesh in meshes]
        offscreen = pyrender.RenderFlags.OFFSCREEN
        colour = own.render(bodies.scene, offscreen | pyrender.RenderFlags.FLAT)
        if len(set(shades)) == 1:
            return _Drawn(colour, None, shades[0])
        owners = {node: (s, s, s) for node, s in zip(nodes, shades, strict=True)}
        opacities = own.render(bodies.scene, offscreen | pyrender.RenderFlags.SEG, owners)
        return _Drawn(colour, opacities, 0)

    def _finish(self, drawn: _Drawn, area: Rectangle, tags: Sequence[Tag]) -> Layer:
        self._renderer._platform.make_current()  # type: ignore[union-attr]
        colour = drawn.colour.take()
        opacity: np.ndarray | int = drawn.opacity
        if drawn.opacities is not None:
            # It knows pixel centres only; soft edges reach one pixel further.
            seen = np.ascontiguousarray(drawn.opacities.take()[..., 0])
            opacity = np.where(seen > 0, seen, cv2.dilate(seen, np.ones((3, 3))))
        layer = Layer(area.left, area.top, straight_layer(colour, opacity))
        draw_tags(layer, tags)
        return layer

    def _scene_of(self, faces: np.ndarray) -> GlScene:
        """The scene of bodies with these faces, kept from frame to frame."""
        if self._scene is None or not np.array_equal(self._scene.faces, faces):
            self._scene = GlScene(np.array(faces, np.int32))
        return self._scene

    def _renderer_of(self, width_px: int, height_px: int) -> pyrender.OffscreenRenderer:
        """The context, made once; its renderer follows the picture's size."""
        if self._renderer is None:
            try:
                self._renderer = pyrender.OffscreenRenderer(width_px, height_px)
            except Exception as error:  # PyOpenGL raises many kinds
                raise MissingError(
                    f"rendering.pyrender: no OpenGL context through EGL ({error}). "
                    "Install a GPU driver or libegl1, or use rendering.backend=raster"
                ) from error
            self._renderer._renderer = AreaRenderer(width_px, height_px)
        return self._renderer

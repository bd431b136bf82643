"""Bodies drawn by OpenGL through pyrender: for a machine with a GPU (EGL, no display needed).

The same layer as `raster` gives, with OpenGL's own shading. On a machine without a GPU this runs
on Mesa's llvmpipe, many times slower than `raster`.
"""

import os
from collections.abc import Sequence

# PyOpenGL reads this at its import; without it it looks for a display.
os.environ.setdefault("PYOPENGL_PLATFORM", "egl")

import cv2
import numpy as np
import pyrender
from jaxtyping import Float64, Int32, UInt8
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.camera import NEAREST_M, project
from pipeline.context import Context
from pipeline.errors import MissingError
from pipeline.types import Layer, PosedMesh
from stages.rendering._gl_scene import GlScene
from stages.rendering._labels import draw_tags, place_tag
from stages.rendering._rectangle import Rectangle, rectangle_around


class Config(BackendConfig):
    """How bodies are drawn."""

    alpha: float = Field(0.9, ge=0.0, le=1.0)
    """Opacity of every body; multiplied by `PosedMesh.alpha`."""
    labels: bool = True
    """Draw `PosedMesh.label` above each body."""


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
        area = rectangle_around(points_px, tags, width_px, height_px)
        if area.right == area.left:
            return Layer(0, 0, np.zeros((0, 0, 4), dtype=np.uint8))
        rgba = self._render(meshes, faces, K_px, width_px, height_px, area)
        layer = Layer(area.left, area.top, rgba)
        draw_tags(layer, tags)
        return layer

    def _render(
        self,
        meshes: Sequence[PosedMesh],
        faces: np.ndarray,
        K_px: np.ndarray,
        width_px: int,
        height_px: int,
        area: Rectangle,
    ) -> UInt8[np.ndarray, "h w 4"]:
        """Straight colours and coverage of the area."""
        renderer = self._renderer_of(width_px, height_px)
        renderer._platform.make_current()
        bodies = self._scene_of(faces)
        bodies.look(K_px)
        nodes = bodies.show(meshes)
        shades = [round(255 * mesh.alpha * self._config.alpha) for mesh in meshes]
        part = np.s_[area.top : area.bottom, area.left : area.right]
        rgba = renderer.render(bodies.scene, flags=pyrender.RenderFlags.RGBA)[0][part]
        rgba = np.array(rgba)
        opacity: np.ndarray | int = max(shades)
        if len(set(shades)) > 1:
            colours = {node: (s, s, s) for node, s in zip(nodes, shades, strict=True)}
            seen, _ = renderer.render(bodies.scene, pyrender.RenderFlags.SEG, seg_node_map=colours)
            # It knows pixel centres only; soft edges reach one pixel further.
            seen = np.ascontiguousarray(seen[..., 0])
            dilated = cv2.dilate(seen, np.ones((3, 3)))
            opacity = np.where(seen > 0, seen, dilated)[part].astype(np.uint16)
        cover = np.maximum(rgba[..., 3:], 1).astype(np.uint16)
        rgba[..., :3] = np.minimum(rgba[..., :3].astype(np.uint16) * 255 // cover, 255)
        rgba[..., 3] = (rgba[..., 3].astype(np.uint16) * opacity + 127) // 255
        return rgba

    def _scene_of(self, faces: np.ndarray) -> GlScene:
        """The scene of bodies with these faces, kept from frame to frame."""
        if self._scene is None or not np.array_equal(self._scene.faces, faces):
            self._scene = GlScene(np.array(faces, np.int32))
        return self._scene

    def _renderer_of(self, width_px: int, height_px: int) -> pyrender.OffscreenRenderer:
        if self._renderer is None:
            try:
                self._renderer = pyrender.OffscreenRenderer(width_px, height_px)
            except Exception as error:  # PyOpenGL raises many kinds
                raise MissingError(
                    f"rendering.pyrender: no OpenGL context through EGL ({error}). "
                    "Install a GPU driver or libegl1, or use rendering.backend=raster"
                ) from error
        self._renderer.viewport_width = width_px
        self._renderer.viewport_height = height_px
        return self._renderer

"""Own rasteriser on the CPU: smooth shading, exact soft outlines, people hide each other.

One z-buffer for all people of a frame; only the rectangle that they need is drawn. Faces that
look away from the camera are not drawn, nor is what lies nearer than `near_m`.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.types import Layer, PosedMesh
from stages.rendering.raster.clipping import Surface, clip_near
from stages.rendering.raster.kernels import draw
from stages.rendering.raster.labels import Tag, draw_tags, place_tag
from stages.rendering.raster.shading import vertex_colours
from stages.rendering.raster.topology import face_neighbours

OUTLINE_STEP_M = 0.02
"""A jump in depth of this size inside the picture is an outline and gets a soft edge."""


class Config(BackendConfig):
    """How bodies are drawn."""

    alpha: float = Field(0.9, ge=0.0, le=1.0)
    """Opacity of every body; multiplied by `PosedMesh.alpha`."""
    labels: bool = True
    """Draw `PosedMesh.label` above each body."""
    near_m: float = Field(0.1, gt=0.0)
    """Nothing nearer to the camera than this is drawn."""


@dataclass(frozen=True)
class _Projected:
    """One body in the picture."""

    surface: Surface
    points: Float64[np.ndarray, "v 3"]
    """x, y in pixels of the frame and 1/z; NaN for vertices behind the near plane."""
    tag: Tag | None


class Backend:
    """Draws bodies with Numba kernels; may be called from several threads."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._scratch = threading.local()
        self._topology: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(
        self,
        meshes: Sequence[PosedMesh],
        faces: Int32[np.ndarray, "f 3"],
        K_px: Float64[np.ndarray, "3 3"],
        width_px: int,
        height_px: int,
    ) -> Layer:
        """Draw the bodies; faces are counter-clockwise seen from outside."""
        neighbours = self._neighbours(faces)
        bodies = [
            self._project(mesh, faces, neighbours, K_px, width_px, height_px) for mesh in meshes
        ]
        bodies = [body for body in bodies if len(body.surface.faces)]
        left, top, right, bottom = _rectangle(bodies, width_px, height_px)
        rgba = np.zeros((bottom - top, right - left, 4), dtype=np.uint8)
        layer = Layer(left, top, rgba)
        if rgba.size:
            self._draw(bodies, layer)
            # Far tags first, so that the nearest person's is on top.
            ordered = sorted(bodies, key=lambda body: float(np.nanmax(body.points[:, 2])))
            draw_tags(layer, [body.tag for body in ordered if body.tag])
        return layer

    def _neighbours(self, faces: np.ndarray) -> np.ndarray:
        known = self._topology
        if known is None or (known[0] is not faces and not np.array_equal(known[0], faces)):
            known = (faces, face_neighbours(faces))
            self._topology = known
        return known[1]

    def _project(
        self,
        mesh: PosedMesh,
        faces: np.ndarray,
        neighbours: np.ndarray,
        K_px: np.ndarray,
        width_px: int,
        height_px: int,
    ) -> _Projected:
        near_m = self._config.near_m
        colours = vertex_colours(
            mesh.vertices_camera_m, faces, mesh.rgb, mesh.alpha * self._config.alpha
        )
        surface = clip_near(Surface(mesh.vertices_camera_m, colours, faces, neighbours), near_m)
        points = surface.vertices_camera_m @ K_px.T
        points[points[:, 2] < 0.5 * near_m] = np.nan
        points[:, 2] = 1.0 / points[:, 2]
        points[:, :2] *= points[:, 2:]
        tag = None
        if self._config.labels and mesh.label:
            rgb = mesh.rgb.reshape(-1, 3).mean(axis=0).astype(np.uint8)
            tag = place_tag(mesh.label, rgb, points[:, :2], width_px, height_px)
        return _Projected(surface, points, tag)

    def _draw(self, bodies: Sequence[_Projected], layer: Layer) -> None:
        height, width = layer.rgba.shape[:2]
        scratch = self._scratch
        if getattr(scratch, "size", -1) < height * (width + 2):
            scratch.size = height * (width + 2)
            scratch.depth = np.zeros(scratch.size, dtype=np.float32)
            scratch.area = np.zeros(scratch.size, dtype=np.float32)
            scratch.owner = np.empty(scratch.size, dtype=np.int32)
        vertex_starts = np.cumsum([0] + [len(body.points) for body in bodies])
        face_starts = np.cumsum([0] + [len(body.surface.faces) for body in bodies])
        faces = [body.surface.faces + start for body, start in zip(bodies, vertex_starts)]
        neighbours = [
            np.where(body.surface.neighbours < 0, -1, body.surface.neighbours + start)
            for body, start in zip(bodies, face_starts)
        ]
        points = np.concatenate([body.points for body in bodies])
        draw(
            np.concatenate(faces).astype(np.int32, copy=False),
            np.concatenate(neighbours).astype(np.int32, copy=False),
            points - np.array([layer.x_px, layer.y_px, 0.0]),
            np.concatenate([body.surface.colours for body in bodies]),
            OUTLINE_STEP_M,
            scratch.depth[: height * width].reshape(height, width),
            scratch.owner[: height * width].reshape(height, width),
            scratch.area[: height * (width + 2)].reshape(height, width + 2),
            layer.rgba,
        )


def _rectangle(
    bodies: Sequence[_Projected], width_px: int, height_px: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom around all bodies and tags, even, inside the picture."""
    boxes = []
    for body in bodies:
        low, high = np.nanmin(body.points[:, :2], axis=0), np.nanmax(body.points[:, :2], axis=0)
        low, high = np.maximum(low, 0), np.minimum(high, [width_px, height_px])
        if (low < high).all():
            boxes.append([*np.floor(low), *np.ceil(high)])
            if body.tag:
                tag_height, tag_width = body.tag.rgba.shape[:2]
                x, y = body.tag.x_px, body.tag.y_px
                boxes.append([x, y, x + tag_width, y + tag_height])
    if not boxes:
        return 0, 0, 0, 0
    array = np.array(boxes).astype(int)
    left, top = array[:, :2].min(axis=0) // 2 * 2
    right, bottom = (array[:, 2:].max(axis=0) + 1) // 2 * 2
    return int(left), int(top), min(int(right), width_px), min(int(bottom), height_px)

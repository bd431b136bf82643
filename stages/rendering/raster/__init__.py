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
from pipeline.camera import NEAREST_M, project
from pipeline.composite import blend_on_yuv
from pipeline.context import Context
from pipeline.types import Layer, PosedMesh
from pipeline.yuv import empty_yuv
from stages.rendering._labels import Tag, draw_tags, place_tag, spread_tags
from stages.rendering._rectangle import rectangle_around
from stages.rendering._shading import vertex_colours
from stages.rendering.raster.clipping import Surface, clip_near
from stages.rendering.raster.kernels import draw
from stages.rendering.raster.topology import face_neighbours

OUTLINE_STEP_M = 0.02
"""A jump in depth of this size inside the picture is an outline and gets a soft edge."""


class Config(BackendConfig):
    """How bodies are drawn."""

    alpha: float = Field(default=0.9, ge=0.0, le=1.0)
    """Opacity of every body; multiplied by `PosedMesh.alpha`."""
    labels: bool = True
    """Draw `PosedMesh.label` above each body."""
    near_m: float = Field(default=NEAREST_M, ge=NEAREST_M)
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
        self._known: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(
        self,
        meshes: Sequence[PosedMesh],
        faces: Int32[np.ndarray, "f 3"],
        K_px: Float64[np.ndarray, "3 3"],
        width_px: int,
        height_px: int,
    ) -> Layer:
        """Draw the bodies; faces are counter-clockwise seen from outside."""
        bodies = [self._project(mesh, faces, K_px, width_px, height_px) for mesh in meshes]
        bodies = [body for body in bodies if len(body.surface.faces)]
        # Far bodies first, so that the nearest person's tag is on top.
        bodies.sort(key=lambda body: float(np.fmax.reduce(body.points[:, 2])))
        tags = spread_tags([body.tag for body in bodies if body.tag], width_px, height_px)
        area = rectangle_around([body.points[:, :2] for body in bodies], tags, width_px, height_px)
        rgba = np.zeros((area.bottom - area.top, area.right - area.left, 4), dtype=np.uint8)
        layer = Layer(area.left, area.top, rgba)
        if rgba.size:
            self._draw(bodies, layer)
            draw_tags(layer, tags)
        return layer

    def _project(
        self, mesh: PosedMesh, faces: np.ndarray, K_px: np.ndarray, width_px: int, height_px: int
    ) -> _Projected:
        near_m = self._config.near_m
        surface = clip_near(self._surface(mesh, faces), near_m)
        z = surface.vertices_camera_m[:, 2].astype(np.float64)
        points = np.empty((len(z), 3))
        points[:, :2] = project(surface.vertices_camera_m, K_px)
        points[:, 2] = 1.0 / np.maximum(z, 0.5 * near_m)
        points[z < 0.5 * near_m] = np.nan  # cut vertices may lie a rounding before the plane
        tag = None
        if self._config.labels and mesh.label:
            rgb = mesh.rgb.reshape(-1, 3).mean(axis=0).astype(np.uint8)
            tag = place_tag(mesh.label, rgb, points[:, :2], width_px, height_px)
        return _Projected(surface, points, tag)

    def _surface(self, mesh: PosedMesh, faces: np.ndarray) -> Surface:
        """The shaded body. What depends on the faces alone is kept from frame to frame."""
        # Plain writable arrays: others would make Numba compile the kernels once more.
        vertices = np.array(mesh.vertices_camera_m, dtype=np.float32, order="C")
        if self._known is None or not np.array_equal(self._known[0], faces):
            own = np.array(faces, dtype=np.int32, order="C")
            self._known = (own, face_neighbours(own))
        own, neighbours = self._known
        colours = vertex_colours(vertices, own, mesh.rgb, mesh.alpha * self._config.alpha)
        return Surface(vertices, colours, own, neighbours)

    def _draw(self, bodies: Sequence[_Projected], layer: Layer) -> None:
        height, width = layer.rgba.shape[:2]
        scratch = self._scratch
        if getattr(scratch, "size", -1) < height * (width + 2):
            scratch.size = height * (width + 2)
            scratch.depth = np.zeros(scratch.size, dtype=np.float32)
            scratch.area = np.zeros(scratch.size, dtype=np.float32)
            scratch.owner = np.empty(scratch.size, dtype=np.int32)
        joined = _joined([body.surface for body in bodies])
        points = np.concatenate([body.points for body in bodies])
        draw(
            joined.faces,
            joined.neighbours,
            points - np.array([layer.x_px, layer.y_px, 0.0]),
            joined.colours,
            OUTLINE_STEP_M,
            scratch.depth[: height * width].reshape(height, width),
            scratch.owner[: height * width].reshape(height, width),
            scratch.area[: height * (width + 2)].reshape(height, width + 2),
            layer.rgba,
        )


def _joined(surfaces: Sequence[Surface]) -> Surface:
    """Several surfaces as one."""
    if len(surfaces) == 1:
        return surfaces[0]
    faces, neighbours = [], []
    vertex_count = face_count = 0
    for surface in surfaces:
        faces.append(surface.faces + np.int32(vertex_count))
        inside = surface.neighbours >= 0
        neighbours.append(np.where(inside, surface.neighbours + np.int32(face_count), np.int32(-1)))
        vertex_count += len(surface.vertices_camera_m)
        face_count += len(surface.faces)
    return Surface(
        np.concatenate([surface.vertices_camera_m for surface in surfaces]),
        np.concatenate([surface.colours for surface in surfaces]),
        np.concatenate(faces),
        np.concatenate(neighbours),
    )


def prepare() -> None:
    """Compile the kernels, or read them from Numba's cache, by drawing a small triangle."""
    corners_m = np.array([[-1, -1, 4], [1, -1, 4], [0, 1, 4]], dtype=np.float32)
    triangle = PosedMesh(1, corners_m, np.array([200, 100, 50], dtype=np.uint8))
    K_px = np.array([[32.0, 0, 16], [0, 32, 16], [0, 0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 1]], dtype=np.int32)
    layer = Backend(Config(), Context())([triangle], faces, K_px, 32, 32)
    image = empty_yuv(32, 32, "bt709", full_range=False)
    for plane in (image.y, image.u, image.v):
        plane[:] = 128
    blend_on_yuv(layer, image)

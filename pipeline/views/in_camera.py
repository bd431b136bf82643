"""Views through the video's own camera: overlay, mesh beside the input, skeleton, mask, wires."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from pipeline.camera import NEAREST_M, project
from pipeline.palette import colour_of
from pipeline.skeletons import SMPL24
from pipeline.types import Layer
from pipeline.views.canvas import (
    Colour,
    Fit,
    blank,
    dot,
    fit,
    lay,
    lay_canvas,
    lines,
    place,
)
from pipeline.views.ground import draw_grid
from pipeline.views.scene import Moment, Scene, is_filled
from pipeline.views.shadow import draw_shadows

BACKDROP: Colour = (228, 231, 236)
GRID: Colour = (200, 205, 212)
OUTLINE: Colour = (20, 24, 30)
FADED = 0.45
INSIDE: Colour = (24, 28, 34)
FULL_WIRE_PX = 7.0

Rgba = UInt8[np.ndarray, "h w 4"]


@dataclass(frozen=True)
class InCamera:
    """A view of the frame's own size, or scaled into another."""

    scene: Scene
    size_px: tuple[int, int]
    draw: Callable[["InCamera", Moment, Rgba], None]
    """Draws on the canvas, which holds the background already."""
    background: str = "video"
    """'video', 'plain', 'black' or 'none'."""

    @property
    def where(self) -> Fit:
        """How the video lies in the picture."""
        return fit(self.scene.size_px, self.size_px)

    @property
    def K_px(self) -> np.ndarray:
        """The camera of this picture."""
        return self.where.intrinsics(self.scene.camera.K_px)

    def picture(self, moment: Moment) -> Rgba:
        """The whole picture."""
        canvas = self.ground(moment)
        self.draw(self, moment, canvas)
        if self.background != "none":
            canvas[..., 3] = 255  # soft lines round it down
        return canvas

    def ground(self, moment: Moment) -> Rgba:
        """The background."""
        if self.background == "none":
            return blank(self.size_px)
        if self.background == "video" and moment.rgb is not None:
            canvas = blank(self.size_px, (0, 0, 0))
            place(moment.rgb, self.where, canvas)
            return canvas
        if self.background == "black":
            return blank(self.size_px, (0, 0, 0))
        canvas = blank(self.size_px, BACKDROP)
        draw_grid(canvas, self.scene, np.eye(3), np.zeros(3), self.K_px, GRID)
        draw_shadows(canvas, self.scene, moment.meshes, np.eye(3), np.zeros(3), self.K_px)
        return canvas

    def layer(self, moment: Moment) -> Layer:
        """All bodies as the renderer draws them."""
        return self.scene.renderer(moment.meshes, self.scene.body.faces, self.K_px, *self.size_px)


def draw_bodies(view: InCamera, moment: Moment, canvas: Rgba) -> None:
    """Bodies over the picture."""
    lay(view.layer(moment), canvas)


def draw_skeleton(view: InCamera, moment: Moment, canvas: Rgba) -> None:
    """Bones and joints; right limbs darker; thin and pale between sightings."""
    size = max(1, round(min(view.size_px) / 200))
    for posed in sorted(view.scene.people, key=lambda one: -float(one.joints_m[:, 0, 2].mean())):
        row = view.scene.at(posed, moment.frame_index)
        if row is None or not posed.person.drawn[row]:
            continue
        joints_m = posed.joints_m[row]
        points = project(joints_m, view.K_px)
        points[joints_m[:, 2] < NEAREST_M] = np.nan
        top = blank(view.size_px)
        filled = is_filled(posed.person, row)
        _bones(top, points, colour_of(posed.person.id), max(1, size // 2) if filled else size)
        lay_canvas(top, canvas, FADED if filled else 1.0)
    draw_labels(view, moment, canvas)


def _bones(canvas: Rgba, points: np.ndarray, rgb: np.ndarray, size: int) -> None:
    edges = SMPL24.edges
    lines(canvas, points[edges], OUTLINE, size + 2)
    right = np.array([any("right" in SMPL24.points[j] for j in edge) for edge in edges])
    for chosen, strength in ((~right, 1.0), (right, 0.72)):
        red, green, blue = (int(c * strength) for c in rgb)
        lines(canvas, points[edges[chosen]], (red, green, blue), size)
    for point in points:
        dot(canvas, point, 0.9 * size + 1, OUTLINE)
        dot(canvas, point, 0.9 * size, (255, 255, 255))


def draw_silhouette(view: InCamera, moment: Moment, canvas: Rgba) -> None:
    """Each person a flat patch of its colour, the nearer over the farther."""
    meshes = sorted(moment.meshes, key=lambda mesh: -float(mesh.vertices_camera_m[:, 2].mean()))
    for mesh in meshes:
        plain = replace(mesh, label=None)
        layer = view.scene.renderer([plain], view.scene.body.faces, view.K_px, *view.size_px)
        flat = layer.rgba.copy()
        flat[..., :3] = mesh.rgb
        lay(replace(layer, rgba=flat), canvas)


def draw_wires(view: InCamera, moment: Moment, canvas: Rgba) -> None:
    """The edges that face the camera; a nearer body hides the wires behind it."""
    faces = view.scene.body.faces
    wires = blank(view.size_px)
    meshes = sorted(moment.meshes, key=lambda mesh: -float(mesh.vertices_camera_m[:, 2].mean()))
    for mesh in meshes:
        plain = replace(mesh, label=None, alpha=1.0)
        layer = view.scene.renderer([plain], faces, view.K_px, *view.size_px)
        _darken(wires, layer)
        points = project(mesh.vertices_camera_m, view.K_px)
        points[mesh.vertices_camera_m[:, 2] < NEAREST_M] = np.nan
        edges = points[_facing_edges(points, faces)]
        drawn = blank(view.size_px)
        lines(drawn, edges, (int(mesh.rgb[0]), int(mesh.rgb[1]), int(mesh.rgb[2])))
        strength = _strength(edges) * (1.0 if mesh.alpha == 1.0 else FADED)
        lay_canvas(drawn, wires, strength)
    canvas[..., :3] //= 2
    lay_canvas(wires, canvas)
    draw_labels(view, moment, canvas)


def draw_labels(view: InCamera, moment: Moment, canvas: Rgba) -> None:
    """Only the numbers, as the renderer puts them over bodies (and not where it is told not to)."""
    unseen = replace(moment, meshes=[replace(mesh, alpha=0.0) for mesh in moment.meshes])
    lay(view.layer(unseen), canvas)


def _strength(edges_px: np.ndarray) -> float:
    """Wires closer than some pixels are drawn paler, or they would fill the body."""
    length_px = np.linalg.norm(edges_px[:, 1] - edges_px[:, 0], axis=1)
    known = length_px[np.isfinite(length_px)]
    return float(np.clip(known.mean() / FULL_WIRE_PX, 0.4, 1.0)) if len(known) else 1.0


def _darken(wires: Rgba, layer: Layer) -> None:
    """A body hides the wires behind it, and is dark itself."""
    height, width = layer.rgba.shape[:2]
    part = wires[layer.y_px : layer.y_px + height, layer.x_px : layer.x_px + width]
    part[layer.rgba[..., 3] > 127] = (*INSIDE, 255)  # noqa: PLR2004  (half covered)


def _facing_edges(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(e, 2) edges of the triangles that face the camera, each once."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    facing = faces[area < 0]
    edges = np.concatenate([facing[:, [0, 1]], facing[:, [1, 2]], facing[:, [2, 0]]])
    low, high = edges.min(axis=1).astype(np.int64), edges.max(axis=1)
    keys = np.unique(low * len(points) + high)
    return np.stack([keys // len(points), keys % len(points)], axis=1)


@dataclass(frozen=True)
class Beside:
    """The input on the left, bodies on a plain ground on the right."""

    left: InCamera
    right: InCamera

    @property
    def size_px(self) -> tuple[int, int]:
        """Both together."""
        return self.left.size_px[0] + self.right.size_px[0], self.left.size_px[1]

    def picture(self, moment: Moment) -> Rgba:
        """The whole picture."""
        return np.concatenate([self.left.ground(moment), self.right.picture(moment)], axis=1)

"""Depth of meshes on a coarse grid: which parts of people are seen, without drawing them.

Depth is told as `w` = 1/z, linear on the picture; 0 where there is nothing, and the greatest is the
nearest. Faces are counter-clockwise seen from outside; those that look away are left out.
"""

# ruff: noqa: PLR2004 - the loop over cells is written out for the compiler
# mypy: disable-error-code="no-untyped-def"

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32

from pipeline.camera import NEAREST_M, project
from pipeline.jit import jit

SMALLEST_CELL_PX = 1e-3


@dataclass(frozen=True)
class Window:
    """A grid of square cells over a part of the picture."""

    left_px: float
    top_px: float
    cell_px: float
    columns: int
    rows: int

    def cells(self, points_px: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Places in the grid, in cells."""
        return (points_px - np.array([self.left_px, self.top_px])) / self.cell_px


def projected(
    vertices_m: Float[np.ndarray, "*n v 3"], K_px: Float[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "*n v 3"]:
    """X and y in pixels, and w; w is 0 for what is nearer than `NEAREST_M` or behind the camera."""
    z = vertices_m[..., 2].astype(np.float64)
    w = np.where(z >= NEAREST_M, 1.0 / np.maximum(z, NEAREST_M), 0.0)
    return np.concatenate([project(vertices_m, K_px), w[..., None]], axis=-1)


def bounds_px(points: Float64[np.ndarray, "v 3"]) -> Float64[np.ndarray, " 4"]:
    """Left, top, right, bottom of what is before the camera; infinite, reversed, where nothing."""
    found = np.array([np.inf, np.inf, -np.inf, -np.inf])
    _bound(points, found)
    return found


def window_of(bounds_xyxy_px: Float64[np.ndarray, " 4"], longer_side: int) -> Window:
    """A grid over a rectangle with so many cells along its longer side."""
    size = bounds_xyxy_px[2:] - bounds_xyxy_px[:2]
    if not np.isfinite(size).all():
        return Window(0.0, 0.0, 1.0, 1, 1)
    cell_px = max(float(size.max()) / longer_side, SMALLEST_CELL_PX)
    columns, rows = (np.ceil(size / cell_px).astype(int) + 1).tolist()
    return Window(float(bounds_xyxy_px[0]), float(bounds_xyxy_px[1]), cell_px, columns, rows)


def nearness(
    points: Float64[np.ndarray, "v 3"], faces: Int32[np.ndarray, "f 3"], window: Window
) -> Float32[np.ndarray, "rows columns"]:
    """The greatest w in the middle of every cell.

    Args:
        points: x and y in pixels, and w, as `projected` gives them.
        faces: faces with a corner whose w is 0 are left out.
        window: the grid.
    """
    depth = np.zeros((window.rows, window.columns), np.float32)
    _fill(faces, points, window.left_px, window.top_px, 1.0 / window.cell_px, depth)
    return depth


@jit
def _bound(points, bounds):
    """Widen bounds by every point before the camera."""
    for v in range(points.shape[0]):
        if points[v, 2] > 0.0:
            bounds[0] = min(bounds[0], points[v, 0])
            bounds[1] = min(bounds[1], points[v, 1])
            bounds[2] = max(bounds[2], points[v, 0])
            bounds[3] = max(bounds[3], points[v, 1])


@jit
def _fill(faces, points, left, top, per_px, depth):
    """Fill in all faces that look to the camera; y runs down, so their area is negative."""
    height, width = depth.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        ax, ay, aw = (points[a, 0] - left) * per_px, (points[a, 1] - top) * per_px, points[a, 2]
        bx, by, bw = (points[b, 0] - left) * per_px, (points[b, 1] - top) * per_px, points[b, 2]
        cx, cy, cw = (points[c, 0] - left) * per_px, (points[c, 1] - top) * per_px, points[c, 2]
        if not (aw > 0.0 and bw > 0.0 and cw > 0.0):
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not area < 0.0:
            continue
        x_first = int(np.ceil(max(min(ax, bx, cx), 0.0) - 0.5))
        x_end = int(np.floor(min(max(ax, bx, cx), float(width)) - 0.5)) + 1
        y_first = int(np.ceil(max(min(ay, by, cy), 0.0) - 0.5))
        y_end = int(np.floor(min(max(ay, by, cy), float(height)) - 0.5)) + 1
        for y in range(max(y_first, 0), min(y_end, height)):
            for x in range(max(x_first, 0), min(x_end, width)):
                px, py = x + 0.5, y + 0.5
                wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                wc = 1.0 - wa - wb
                if wa < -1e-9 or wb < -1e-9 or wc < -1e-9:
                    continue
                w = np.float32(wa * aw + wb * bw + wc * cw)
                depth[y, x] = max(depth[y, x], w)

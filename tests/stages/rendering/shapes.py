"""Small meshes and exact areas for the tests of rendering."""

import numpy as np

from pipeline.types import PosedMesh

K_PX = np.array([[300.0, 0.0, 80.0], [0.0, 310.0, 60.0], [0.0, 0.0, 1.0]])
WIDTH_PX, HEIGHT_PX = 160, 120
QUAD_FACES = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
SPHERE_RINGS = 24


def mesh_of(vertices, rgb=(200, 100, 50), person_id=1, **more) -> PosedMesh:
    return PosedMesh(
        person_id, np.asarray(vertices, np.float32), np.array(rgb, dtype=np.uint8), **more
    )


def at_pixels(points_px, z_m) -> np.ndarray:
    """Camera coordinates of points seen at given pixels and depths."""
    points_px = np.asarray(points_px, dtype=np.float64)
    z_m = np.broadcast_to(np.asarray(z_m, dtype=np.float64), len(points_px))[:, None]
    rays = np.concatenate([points_px, np.ones_like(z_m)], axis=1) @ np.linalg.inv(K_PX).T
    return rays * z_m


def rectangle(left, top, right, bottom, z_m) -> np.ndarray:
    """Corners in the order that faces the camera (counter-clockwise as seen)."""
    corners = [(left, top), (left, bottom), (right, bottom), (right, top)]
    return at_pixels(corners, z_m)


def sphere(centre_m, radius_m, steps=SPHERE_RINGS):
    """Vertices and outward faces of a closed ball."""
    polar = np.pi * np.arange(1, steps) / steps
    around = 2 * np.pi * np.arange(2 * steps) / (2 * steps)
    ring = np.stack([np.cos(around), np.zeros_like(around), np.sin(around)], axis=1)
    rows = [ring * np.sin(p) + [0, np.cos(p), 0] for p in polar]
    points = np.concatenate([*rows, [[0, 1, 0], [0, -1, 0]]])
    n, faces = 2 * steps, []
    for j in range(n):
        k = (j + 1) % n
        for i in range(steps - 2):
            a, b, c, d = i * n + j, i * n + k, (i + 1) * n + k, (i + 1) * n + j
            faces += [[a, b, c], [a, c, d]]
        last = (steps - 2) * n
        faces += [[len(points) - 2, k, j], [len(points) - 1, last + j, last + k]]
    return points * radius_m + centre_m, np.array(faces, dtype=np.int32)


def clipped(polygon, axis, limit, sign):
    """The part of a polygon with sign * coordinate >= sign * limit (Sutherland-Hodgman)."""
    kept = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        s, e = sign * (start[axis] - limit), sign * (end[axis] - limit)
        if s >= 0:
            kept.append(start)
        if s * e < 0:
            kept.append(start + (end - start) * (s / (s - e)))
    return np.array(kept).reshape(-1, len(polygon[0]))


def area_of(polygon) -> float:
    if len(polygon) < 3:
        return 0.0
    x, y = polygon[:, 0], polygon[:, 1]
    return 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def pixel_areas(polygon, width_px=WIDTH_PX, height_px=HEIGHT_PX) -> np.ndarray:
    """Exact share of every pixel that a convex polygon covers."""
    areas = np.zeros((height_px, width_px))
    for row in range(height_px):
        strip = clipped(polygon, 1, row, 1.0)
        strip = clipped(strip, 1, row + 1, -1.0) if len(strip) else strip
        if len(strip) < 3:
            continue
        first = max(int(np.floor(strip[:, 0].min())), 0)
        last = min(int(np.ceil(strip[:, 0].max())), width_px)
        for column in range(first, last):
            cell = clipped(strip, 0, column, 1.0)
            cell = clipped(cell, 0, column + 1, -1.0) if len(cell) else cell
            areas[row, column] = area_of(cell)
    return areas


def whole(layer, width_px=WIDTH_PX, height_px=HEIGHT_PX) -> np.ndarray:
    """The layer as a full (h, w, 4) picture."""
    picture = np.zeros((height_px, width_px, 4), dtype=np.uint8)
    height, width = layer.rgba.shape[:2]
    picture[layer.y_px : layer.y_px + height, layer.x_px : layer.x_px + width] = layer.rgba
    return picture

"""Bodies partly behind the camera: triangles cut at the near plane."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32


@dataclass(frozen=True)
class Surface:
    """Coloured triangles in camera axes, ready to be projected."""

    vertices_camera_m: Float32[np.ndarray, "v 3"]
    colours: Float32[np.ndarray, "v 4"]
    """RGB 0-255 and opacity 0-1."""
    faces: Int32[np.ndarray, "f 3"]
    neighbours: Int32[np.ndarray, "f 3"]
    """Face beyond each edge, -1 where none."""


def clip_near(surface: Surface, near_m: float) -> Surface:
    """The part of the surface with z >= near_m.

    Triangles that cross the plane are replaced by one or two smaller ones without neighbours, so
    every rim of the hole counts as an outline. Cuts of a shared edge agree exactly: each is
    computed from its vertex in front towards the one behind.
    """
    front = surface.vertices_camera_m[:, 2] >= near_m
    if front.all():
        return surface
    inside = front[surface.faces]
    count = inside.sum(axis=1)
    one, two = np.flatnonzero(count == 1), np.flatnonzero(count == 2)  # noqa: PLR2004
    # Turn every crossing face so that its odd vertex comes first.
    a, b, c = _rolled(surface.faces[one], inside[one].argmax(axis=1))
    p, q, r = _rolled(surface.faces[two], (~inside[two]).argmax(axis=1))
    starts, ends = np.concatenate([a, a, q, r]), np.concatenate([b, c, p, p])
    first_new = len(front)
    ab, ac, qp, rp = np.split(
        np.arange(first_new, first_new + len(starts)),
        np.cumsum([len(a), len(a), len(q)]),
    )
    z = surface.vertices_camera_m[:, 2].astype(np.float64)
    weight = ((z[starts] - near_m) / (z[starts] - z[ends]))[:, None]
    kept = np.flatnonzero(count == 3)  # noqa: PLR2004
    renumbered = np.full(len(surface.faces) + 1, -1, dtype=np.int32)
    renumbered[kept] = np.arange(len(kept))
    cut = [np.stack(corners, axis=1) for corners in ((a, ab, ac), (qp, q, r), (qp, r, rp))]
    faces = np.concatenate([surface.faces[kept], *cut]).astype(np.int32)
    neighbours = np.full(faces.shape, -1, dtype=np.int32)
    neighbours[: len(kept)] = renumbered[surface.neighbours[kept]]
    return Surface(
        _extended(surface.vertices_camera_m, starts, ends, weight),
        _extended(surface.colours, starts, ends, weight),
        faces,
        neighbours,
    )


def _rolled(faces: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.arange(len(faces))
    return faces[rows, first], faces[rows, (first + 1) % 3], faces[rows, (first + 2) % 3]


def _extended(
    values: np.ndarray, starts: np.ndarray, ends: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    new = values[starts] + (values[ends] - values[starts]) * weight
    return np.concatenate([values, new.astype(np.float32)])

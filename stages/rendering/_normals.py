"""Smooth normals of a mesh."""

# mypy: disable-error-code="no-untyped-def"

import numpy as np
from jaxtyping import Float32, Int32

from pipeline.jit import jit


@jit
def _add_up(vertices, faces, normals):
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):  # not normalised: large faces count more
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    for i in range(normals.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0.0:
            normals[i] /= length


def vertex_normals(
    vertices_m: Float32[np.ndarray, "v 3"], faces: Int32[np.ndarray, "f 3"]
) -> Float32[np.ndarray, "v 3"]:
    """Unit normals, means of the faces around each vertex by their area; 0 where there is none."""
    normals = np.zeros((len(vertices_m), 3), np.float32)
    # Plain writable arrays: others would make Numba compile the kernel once more.
    _add_up(np.array(vertices_m, np.float32, order="C"), np.array(faces, np.int32), normals)
    return normals

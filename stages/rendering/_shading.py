"""The colour of every vertex: smooth normals, a lamp at the camera and a soft key light."""

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from pipeline.jit import jit

KEY_LIGHT = np.array([-0.52, -0.66, -0.54])
"""Direction towards the key light in camera axes: above, left, behind the camera."""


@jit
def _shade(vertices, faces, rgb, key, colours):  # type: ignore[no-untyped-def]
    normals = np.zeros((vertices.shape[0], 3), dtype=np.float32)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        vx, vy, vz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):  # not normalised: large faces count more
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    per_vertex = rgb.shape[0] > 1
    for i in range(vertices.shape[0]):
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-30)
        nx, ny, nz = nx * scale, ny * scale, nz * scale
        px, py, pz = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        scale = -1.0 / np.sqrt(px * px + py * py + pz * pz + 1e-30)
        ex, ey, ez = px * scale, py * scale, pz * scale
        facing = max(nx * ex + ny * ey + nz * ez, 0.0)
        lit = nx * key[0] + ny * key[1] + nz * key[2]
        soft = max((lit + 0.5) / 1.5, 0.0)
        # Blinn's half vector, between eye and key light.
        hx, hy, hz = ex + key[0], ey + key[1], ez + key[2]
        half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-30)
        gloss = 34.0 * max(half, 0.0) ** 24
        diffuse = 0.28 + 0.36 * facing + 0.50 * soft * soft
        for k in range(3):
            colours[i, k] = min(rgb[i if per_vertex else 0, k] * diffuse + gloss, 255.0)


def vertex_colours(
    vertices_camera_m: Float32[np.ndarray, "v 3"],
    faces: Int32[np.ndarray, "f 3"],
    rgb: UInt8[np.ndarray, "..."],
    alpha: float,
) -> Float32[np.ndarray, "v 4"]:
    """Shaded RGB (0-255) and opacity (0-1) of every vertex.

    Args:
        vertices_camera_m: in camera axes; the camera looks along +z from the origin.
        faces: counter-clockwise seen from outside.
        rgb: (3,) one colour, or (v, 3) a colour per vertex.
        alpha: opacity of the whole body, 0 to 1.
    """
    colours = np.empty((len(vertices_camera_m), 4), dtype=np.float32)
    colours[:, 3] = alpha
    key = (KEY_LIGHT / np.linalg.norm(KEY_LIGHT)).astype(np.float32)
    _shade(vertices_camera_m, faces, rgb.reshape(-1, 3).astype(np.float32), key, colours)
    return colours

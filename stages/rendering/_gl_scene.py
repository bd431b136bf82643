"""One OpenGL scene for a whole video: bodies are updated in place from frame to frame.

Vertices come with their light in their colours (`_shading`, the one that `raster` draws with), and
OpenGL shows them as they are: so both backends draw the same picture.
"""

from collections.abc import Sequence

import numpy as np
import pyrender
from jaxtyping import Float64
from OpenGL.GL import GL_ARRAY_BUFFER, glBindBuffer, glBufferSubData

from pipeline.camera import NEAREST_M
from pipeline.types import PosedMesh
from stages.rendering._shading import vertex_colours

OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenGL's camera looks along -z with y up."""


class GlScene:
    """A camera and a pool of bodies whose vertex buffers are kept on the card."""

    def __init__(self, faces: np.ndarray) -> None:
        self.scene = pyrender.Scene(bg_color=[0.0, 0.0, 0.0, 0.0])
        self.faces = faces
        self._camera: pyrender.Node | None = None
        self._K_px = np.zeros((3, 3))
        self._nodes: list[pyrender.Node] = []
        self._shown = 0

    def look(self, K_px: Float64[np.ndarray, "3 3"]) -> None:
        """Use a camera. Its skew is not used: pyrender knows none."""
        if self._camera is not None:
            if np.array_equal(self._K_px, K_px):
                return
            self.scene.remove_node(self._camera)
        camera = pyrender.IntrinsicsCamera(
            K_px[0, 0], K_px[1, 1], K_px[0, 2], K_px[1, 2], znear=NEAREST_M
        )
        self._camera, self._K_px = self.scene.add(camera), K_px.copy()

    def show(self, meshes: Sequence[PosedMesh]) -> list[pyrender.Node]:
        """Put these bodies into the scene, and no others; the context must be current.

        Returns:
            The node of each body.
        """
        for number, mesh in enumerate(meshes[: len(self._nodes)]):
            _update(self._nodes[number].mesh.primitives[0], mesh, self.faces)
        for node in self._nodes[self._shown : len(meshes)]:
            self.scene.add_node(node)
        for node in self._nodes[len(meshes) : self._shown]:
            self.scene.remove_node(node)
        for mesh in meshes[len(self._nodes) :]:
            self._nodes.append(self.scene.add(_gl_mesh(mesh, self.faces), pose=OPENGL_FROM_OPENCV))
        self._shown = len(meshes)
        return self._nodes[: len(meshes)]


def _colours(vertices_m: np.ndarray, mesh: PosedMesh, faces: np.ndarray) -> np.ndarray:
    """(v, 4) from 0 to 1, lit, opaque."""
    colours = vertex_colours(vertices_m, faces, mesh.rgb, 1.0)
    colours[:, :3] /= 255.0
    return colours


def _places(mesh: PosedMesh) -> np.ndarray:
    """Plain writable arrays: others would make Numba compile the shading once more."""
    return np.array(mesh.vertices_camera_m, dtype=np.float32, order="C")


def _gl_mesh(mesh: PosedMesh, faces: np.ndarray) -> pyrender.Mesh:
    places = _places(mesh)
    colours = _colours(places, mesh, faces)
    return pyrender.Mesh([pyrender.Primitive(positions=places, color_0=colours, indices=faces)])


def _update(primitive: pyrender.Primitive, mesh: PosedMesh, faces: np.ndarray) -> None:
    """New places and colours, in the buffer that the card has already."""
    places = _places(mesh)
    primitive.positions = places
    primitive.color_0 = _colours(places, mesh, faces)
    if not primitive._in_context():
        return  # removed from the card meanwhile: pyrender sends it again as a whole
    data = np.hstack([places, primitive.color_0]).astype(np.float32)
    glBindBuffer(GL_ARRAY_BUFFER, primitive._buffers[0])
    glBufferSubData(GL_ARRAY_BUFFER, 0, data.nbytes, np.ascontiguousarray(data))
    glBindBuffer(GL_ARRAY_BUFFER, 0)

"""One OpenGL scene for a whole video: bodies are updated in place from frame to frame."""

from collections.abc import Sequence

import numpy as np
import pyrender
from jaxtyping import Float64
from OpenGL.GL import GL_ARRAY_BUFFER, glBindBuffer, glBufferSubData

from pipeline.camera import NEAREST_M
from pipeline.types import PosedMesh
from stages.rendering._normals import vertex_normals

OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenGL's camera looks along -z with y up."""
DISPLAY_GAMMA = 2.2
LIGHTS = (((0.0, 0.0, 1.0), 1.5), ((-0.52, 0.66, 0.54), 2.2))
"""Direction towards each light in OpenGL's camera axes, and its strength: headlight, key light."""


class GlScene:
    """Camera, lights and a pool of bodies whose vertex buffers are kept on the card."""

    def __init__(self, faces: np.ndarray) -> None:
        self.scene = pyrender.Scene(bg_color=[0.0, 0.0, 0.0, 0.0], ambient_light=[0.25, 0.25, 0.25])
        self.faces = faces
        self._camera: pyrender.Node | None = None
        self._K_px = np.zeros((3, 3))
        self._nodes: list[pyrender.Node] = []
        self._shown = 0
        for direction, strength in LIGHTS:
            light = pyrender.DirectionalLight(intensity=strength)
            self.scene.add(light, pose=_looking_from(np.array(direction)))

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


def _colours(mesh: PosedMesh) -> np.ndarray:
    """(v, 4) in linear light, which pyrender's shader works in."""
    rgb = (np.asarray(mesh.rgb).reshape(-1, 3) / 255.0) ** DISPLAY_GAMMA
    colours = np.ones((len(mesh.vertices_camera_m), 4), np.float32)
    colours[:, :3] = rgb
    return colours


def _gl_mesh(mesh: PosedMesh, faces: np.ndarray) -> pyrender.Mesh:
    material = pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=0.6)
    primitive = pyrender.Primitive(
        positions=mesh.vertices_camera_m,
        normals=vertex_normals(mesh.vertices_camera_m, faces),
        color_0=_colours(mesh),
        indices=faces,
        material=material,
    )
    return pyrender.Mesh([primitive])


def _update(primitive: pyrender.Primitive, mesh: PosedMesh, faces: np.ndarray) -> None:
    """New places, normals and colours, in the buffer that the card has already."""
    positions = np.asarray(mesh.vertices_camera_m, np.float32)
    primitive.positions = positions
    primitive.normals = vertex_normals(positions, faces)
    primitive.color_0 = _colours(mesh)
    if not primitive._in_context():
        return  # removed from the card meanwhile: pyrender sends it again as a whole
    data = np.hstack([positions, primitive.normals, primitive.color_0]).astype(np.float32)
    glBindBuffer(GL_ARRAY_BUFFER, primitive._buffers[0])
    glBufferSubData(GL_ARRAY_BUFFER, 0, data.nbytes, np.ascontiguousarray(data))
    glBindBuffer(GL_ARRAY_BUFFER, 0)


def _looking_from(direction: np.ndarray) -> Float64[np.ndarray, "4 4"]:
    """The pose of a light that shines along its own -z, from `direction`."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return pose

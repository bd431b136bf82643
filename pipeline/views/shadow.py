"""A soft shadow on the floor right below everybody: it tells where somebody is, and how high."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.types import Layer, PosedMesh
from pipeline.views.canvas import Colour, lay
from pipeline.views.scene import Scene, floor_points_m

SHADE: Colour = (38, 44, 54)
STRENGTH = 0.26
SOFT = 1 / 250
"""Radius of the soft rim, in heights of the picture."""


def draw_shadows(
    canvas: UInt8[np.ndarray, "h w 4"],
    scene: Scene,
    meshes: Sequence[PosedMesh],
    rotmat: Float[np.ndarray, "3 3"],
    eye_m: Float[np.ndarray, "3"],
    K_px: Float[np.ndarray, "3 3"],
) -> None:
    """Shadows of a light from straight above, seen by a camera at `eye_m`, turned by `rotmat`.

    Bodies are pressed flat onto the floor and drawn as one, so that shadows do not add up.
    """
    height, width = canvas.shape[:2]
    flat = [_flat(mesh, scene, rotmat, eye_m) for mesh in meshes]
    layer = scene.renderer(flat, scene.body.faces, K_px, width, height)
    if not layer.rgba.size:
        return
    rim = round(SOFT * height)
    bottom, right = layer.y_px + layer.rgba.shape[0], layer.x_px + layer.rgba.shape[1]
    above, before = min(rim, layer.y_px), min(rim, layer.x_px)
    below, behind = min(rim, height - bottom), min(rim, width - right)
    cover = np.pad(layer.rgba[..., 3], ((above, below), (before, behind)))
    size = 2 * rim + 1
    shadow = np.empty((*cover.shape, 4), np.uint8)
    shadow[..., :3] = SHADE
    shadow[..., 3] = np.rint(STRENGTH * cv2.blur(cover, (size, size)))
    lay(Layer(layer.x_px - before, layer.y_px - above, shadow), canvas)


def _flat(mesh: PosedMesh, scene: Scene, rotmat: np.ndarray, eye_m: np.ndarray) -> PosedMesh:
    on_floor_m = floor_points_m(scene.floor, mesh.vertices_camera_m.astype(np.float64))
    seen_m = (on_floor_m - eye_m) @ rotmat.T
    grey = np.array(SHADE, np.uint8)
    return PosedMesh(mesh.person_id, seen_m.astype(np.float32), grey, alpha=mesh.alpha)

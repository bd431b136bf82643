"""One body from shape and pose, from the front and from the side, with its joints over it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8

from pipeline.body import BodyModel
from pipeline.camera import project
from pipeline.palette import colour_of
from pipeline.skeletons import SMPL24
from pipeline.types import PosedMesh
from pipeline.views.canvas import Colour, blank, dot, lay, lines, words_height_px, write_text

BACKDROP: Colour = (236, 239, 243)
INK: Colour = (30, 36, 44)
BONE: Colour = (60, 68, 80)
BODY_ALPHA = 0.62
TELE = 3.0
MARGIN = 0.08
NUMBER_WIDTH, NUMBER_HEIGHT = 1.6, 1.1
"""Room that a joint's number takes, in heights of its digits."""
ANGLES_DEG = (0.0, 90.0)
UP_IN_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Body axes (y up, facing +z) before a camera that looks at it."""


@dataclass(frozen=True)
class OneBody:
    """A body to look at."""

    betas: Float32[np.ndarray, " 10"]
    pose_rotvec: Float32[np.ndarray, "24 3"]
    in_camera: bool
    """True: joint 0 turns the body into a camera's axes; False: into y up, facing +z."""


def picture_body(
    one: OneBody,
    body: BodyModel,
    renderer: Any,
    size_px: tuple[int, int],
    *,
    joints: bool = True,
    transparent: bool = False,
) -> UInt8[np.ndarray, "h w 4"]:
    """The body from both sides; RGBA, premultiplied.

    Args:
        one: shape and pose.
        body: the model.
        renderer: a rendering backend; its opacity counts on top of the body's.
        size_px: width and height.
        joints: draw joints with their numbers, and bones.
        transparent: no background.
    """
    posed = body.with_shape(torch.from_numpy(one.betas)).with_pose(
        torch.from_numpy(one.pose_rotvec)
    )
    axes = np.eye(3) if one.in_camera else UP_IN_CAMERA
    vertices_m = posed.vertices().double().numpy() @ axes.T
    joints_m = posed.joints_m.double().numpy() @ axes.T
    middle_m = (vertices_m.min(axis=0) + vertices_m.max(axis=0)) / 2
    canvas = blank(size_px, None if transparent else BACKDROP)
    half_px = (size_px[0] // len(ANGLES_DEG), size_px[1])
    K_px, distance_m = _camera(np.abs(vertices_m - middle_m).max(axis=0), half_px)
    for number, angle_deg in enumerate(ANGLES_DEG):
        turn = _about_up(np.radians(angle_deg))
        places = [(points - middle_m) @ turn.T for points in (vertices_m, joints_m)]
        skin_m, points_m = (points + np.array([0.0, 0.0, distance_m]) for points in places)
        alpha = BODY_ALPHA if joints else 1.0
        mesh = PosedMesh(1, skin_m.astype(np.float32), colour_of(1), alpha=alpha)
        part = canvas[:, number * half_px[0] : (number + 1) * half_px[0]]
        lay(renderer([mesh], body.faces, K_px, *half_px), part)
        if joints:
            drawn = part.copy()
            _draw_joints(drawn, project(points_m, K_px), points_m[:, 2])
            part[:] = drawn
    return canvas


def _camera(reach_m: np.ndarray, half_px: tuple[int, int]) -> tuple[np.ndarray, float]:
    """From far away, so that the body keeps its proportions."""
    width, height = half_px
    focal_px = TELE * max(half_px)
    across_m = max(reach_m[0], reach_m[2])
    needed = max(across_m / width, reach_m[1] / height) / (0.5 - MARGIN)
    distance_m = float(focal_px * needed + across_m)
    return np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]]), distance_m


def _about_up(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _draw_joints(canvas: np.ndarray, points: np.ndarray, depth_m: np.ndarray) -> None:
    size = max(1, round(min(canvas.shape[:2]) / 220))
    lines(canvas, points[SMPL24.edges], BONE, size)
    for joint in np.argsort(-depth_m):
        dot(canvas, points[joint], 2.2 * size + 1, INK)
        dot(canvas, points[joint], 2.2 * size, (255, 255, 255))
    for joint, (x, y) in legible(points, canvas.shape[:2]):
        write_text(canvas, str(joint), (x + 3 * size, y - 2 * size), INK)


def legible(
    points: Float64[np.ndarray, "j 2"], shape: tuple[int, ...]
) -> list[tuple[int, tuple[float, float]]]:
    """Joints whose numbers do not lie on one another: each lower number hides those too near."""
    width, height = NUMBER_WIDTH * words_height_px(shape), NUMBER_HEIGHT * words_height_px(shape)
    kept: list[tuple[int, tuple[float, float]]] = []
    for joint, (x, y) in enumerate(points.tolist()):
        if all(abs(x - a) >= width or abs(y - b) >= height for _, (a, b) in kept):
            kept.append((joint, (x, y)))
    return kept

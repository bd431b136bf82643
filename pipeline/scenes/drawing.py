"""Film a scene: the place, shadows on the ground, and everybody before it, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from pipeline import backends
from pipeline.camera import project
from pipeline.context import Context
from pipeline.scenes.clothes import Dressed, dress
from pipeline.scenes.place import draw_place
from pipeline.scenes.scene import Scene
from pipeline.types import Layer, PosedMesh

SUN_WORLD = np.array([0.42, -1.0, -0.22])
"""Way of the light: from the left and the camera's side, down."""
SHADOW_DARKNESS = 0.45
SHADOW_BLUR_PX = 2.5
BLOCK_FRAMES = 8


@dataclass(frozen=True)
class Picture:
    """One frame of the film and what can be measured on it, for p people."""

    rgb: UInt8[np.ndarray, "h w 3"]
    boxes_xyxy_px: Float32[np.ndarray, "p 4"]
    seen_share: Float32[np.ndarray, " p"]


def film(scene: Scene) -> Iterator[Picture]:
    """Draw all frames, in order."""
    draw = _renderer()
    dressed = [dress(scene.body, a.motion.betas, a.outfit) for a in scene.actors]
    for start in range(0, len(scene), BLOCK_FRAMES):
        stop = min(start + BLOCK_FRAMES, len(scene))
        surfaces = [
            clothes.vertices(actor.motion.posed(scene.body, slice(start, stop)))
            for actor, clothes in zip(scene.actors, dressed, strict=True)
        ]
        for frame in range(start, stop):
            worlds = [surface[frame - start] for surface in surfaces]
            yield _picture(scene, frame, worlds, dressed, draw)


def _renderer() -> Any:
    config = backends.make_config("rendering", "raster", {"alpha": 1.0, "labels": False})
    return backends.make("rendering", "raster", config, Context())


def _picture(
    scene: Scene, frame: int, worlds: list[np.ndarray], dressed: list[Dressed], draw: Any
) -> Picture:
    """Far people first, each laid over what is there; what a later one covers is not seen."""
    camera, faces = scene.camera, scene.body.faces

    def drawn(world_m: np.ndarray, rgb: np.ndarray) -> Layer:
        seen_m = camera.seen(frame, world_m).astype(np.float32)
        size = camera.width_px, camera.height_px
        layer: Layer = draw([PosedMesh(1, seen_m, rgb)], faces, camera.K_px, *size)
        return layer

    rgb = draw_place(scene.place, camera, frame)
    for world_m in worlds:
        _darken(rgb, drawn(_shadow(world_m), np.zeros(3, np.uint8)))
    seen = [camera.seen(frame, world_m) for world_m in worlds]
    far_first = np.argsort([-points[:, 2].mean() for points in seen], kind="stable")
    boxes = np.array([_box(points, camera.K_px) for points in seen], np.float32).reshape(-1, 4)
    whole, left = np.zeros(len(worlds)), np.zeros((len(worlds), *rgb.shape[:2]), np.float32)
    for index in far_first:
        layer = drawn(worlds[index], dressed[index].rgb)
        alpha = _blend(rgb, layer)
        window = _window(layer)
        whole[index] = alpha.sum()
        left[(slice(None), *window)] *= 1 - alpha
        left[(index, *window)] = alpha
    inside = [_inside_share(points, camera.K_px, rgb.shape[:2]) for points in seen]
    unhidden = left.sum(axis=(1, 2)) / np.maximum(whole, 1e-6)
    return Picture(rgb, boxes, np.minimum(unhidden * inside, 1.0).astype(np.float32))


def _shadow(world_m: np.ndarray) -> np.ndarray:
    """The body pressed flat on the ground along the sun's light."""
    shadow = world_m - world_m[:, 1:2] / SUN_WORLD[1] * SUN_WORLD
    shadow[:, 1] = 0.0
    return shadow


def _darken(rgb: np.ndarray, layer: Layer) -> None:
    """Lay a soft shadow over the picture, in place."""
    margin = round(3 * SHADOW_BLUR_PX)
    rows, columns = _window(layer)
    rows = slice(max(rows.start - margin, 0), rows.stop + margin)
    columns = slice(max(columns.start - margin, 0), columns.stop + margin)
    part = rgb[rows, columns]
    if not layer.rgba.size:
        return
    dark = np.zeros(part.shape[:2], np.float32)
    y, x = layer.y_px - rows.start, layer.x_px - columns.start
    height, width = layer.rgba.shape[:2]
    dark[y : y + height, x : x + width] = layer.rgba[..., 3] * (SHADOW_DARKNESS / 255.0)
    soft = cv2.GaussianBlur(dark, (0, 0), SHADOW_BLUR_PX)
    part[:] = (part * (1 - soft[..., None]) + 0.5).astype(np.uint8)


def _blend(rgb: np.ndarray, layer: Layer) -> np.ndarray:
    """Lay a person over the picture, in place; gives its coverage, 0 to 1."""
    part = rgb[_window(layer)]
    alpha: np.ndarray = layer.rgba[..., 3].astype(np.float32) / np.float32(255)
    mixed = part + alpha[..., None] * (layer.rgba[..., :3].astype(np.float32) - part)
    part[:] = (mixed + 0.5).astype(np.uint8)
    return alpha


def _window(layer: Layer) -> tuple[slice, slice]:
    height, width = layer.rgba.shape[:2]
    return slice(layer.y_px, layer.y_px + height), slice(layer.x_px, layer.x_px + width)


def _box(points_m: np.ndarray, K_px: np.ndarray) -> np.ndarray:
    pixels = project(points_m, K_px)
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])


def _inside_share(points_m: np.ndarray, K_px: np.ndarray, size: tuple[int, ...]) -> float:
    """Share of the body's points in front of the camera and inside the frame."""
    pixels = project(points_m, K_px)
    inside = ((pixels >= 0) & (pixels < [size[1], size[0]])).all(axis=1)
    return float((inside & (points_m[:, 2] > 0)).mean())

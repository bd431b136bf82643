"""A film of two people who cross, with their true bodies: drawn, not recorded."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch

from pipeline import backends
from pipeline.body import BodyModel, load_body
from pipeline.camera import intrinsics, project
from pipeline.context import Context
from pipeline.types import Bodies, Camera, Detections, PosedMesh

WIDTH_PX, HEIGHT_PX, FRAMES = 480, 360, 24
CAMERA = Camera(intrinsics(420.0, WIDTH_PX, HEIGHT_PX), "given")
CLOTHES = (((200, 40, 40), (40, 40, 60)), ((60, 140, 60), (190, 180, 150)))
"""Shirt and trousers of the first and the second person."""
SKIN = (205, 165, 140)
NEAR_M, FAR_M, ASIDE_M = 4.0, 5.2, 1.2


@dataclass(frozen=True)
class TwoPeople:
    """Who is where; rows go frame by frame, the first person before the second."""

    pictures: list[np.ndarray]
    detections: Detections
    bodies: Bodies
    person: np.ndarray
    """(n,) 0 or 1."""

    @property
    def overlap(self) -> np.ndarray:
        """(n,) bool: rows of frames in which the boxes touch."""
        boxes = self.detections.boxes_xyxy_px.reshape(-1, 2, 4)
        touch = (boxes[:, 0, 0] < boxes[:, 1, 2]) & (boxes[:, 1, 0] < boxes[:, 0, 2])
        return np.repeat(touch, 2)


def two_people(frames: int = FRAMES, body: BodyModel | None = None) -> TwoPeople:
    """The first walks before the second, from left to right; the second the other way."""
    body = body or load_body()
    way = np.linspace(-ASIDE_M, ASIDE_M, frames)
    places = np.stack(
        [np.stack([s * way, np.full(frames, 0.1), np.full(frames, z)], 1) for s, z in _LANES],
        axis=1,
    )
    pose = np.zeros((frames, 2, 24, 3), np.float32)
    pose[..., 0, 0] = np.pi  # upright, facing the camera
    pose[..., 16, 2], pose[..., 17, 2] = -1.2, 1.2
    pose[..., 1, 0] = 0.35 * np.sin(np.arange(frames))[:, None]
    bodies = Bodies(
        pose.reshape(-1, 24, 3),
        np.zeros((2 * frames, 10), np.float32),
        places.reshape(-1, 3).astype(np.float32),
    )
    vertices = _vertices(bodies, body)
    pixels = project(vertices, CAMERA.K_px)
    boxes = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1).astype(np.float32)
    detections = Detections(
        np.repeat(np.arange(frames, dtype=np.int32), 2), boxes, np.full(2 * frames, 0.9, np.float32)
    )
    colours = [_dressed(body, *clothes) for clothes in CLOTHES]
    pictures = [_picture(vertices[2 * f : 2 * f + 2], colours, body) for f in range(frames)]
    return TwoPeople(pictures, detections, bodies, np.tile([0, 1], frames))


_LANES = ((1.0, NEAR_M), (-1.0, FAR_M))


def write_clip(path: Path, pictures: list[np.ndarray]) -> Path:
    """The pictures as a video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def _vertices(bodies: Bodies, body: BodyModel) -> np.ndarray:
    pose, betas, t_m = map(torch.from_numpy, (bodies.pose_rotvec, bodies.betas, bodies.t_camera_m))
    return body.with_shape(betas).with_pose(pose, t_m).vertices().numpy()


def _dressed(body: BodyModel, shirt: tuple[int, ...], trousers: tuple[int, ...]) -> np.ndarray:
    """(v, 3) colours by the joint that moves each vertex most."""
    joint = body.weights.numpy().argmax(axis=1)
    rgb = np.tile(np.array(SKIN, np.uint8), (len(joint), 1))
    rgb[np.isin(joint, (3, 6, 9, 13, 14, 16, 17))] = shirt
    rgb[np.isin(joint, (0, 1, 2, 4, 5))] = trousers
    return rgb


def _picture(vertices: np.ndarray, colours: list[np.ndarray], body: BodyModel) -> np.ndarray:
    config = backends.make_config("rendering", "raster", {"alpha": 1.0, "labels": False})
    draw = backends.make("rendering", "raster", config, Context())
    meshes = [
        PosedMesh(n + 1, v.astype(np.float32), c)
        for n, (v, c) in enumerate(zip(vertices, colours, strict=True))
    ]
    layer = draw(meshes, body.faces, CAMERA.K_px, WIDTH_PX, HEIGHT_PX)
    rgb = np.full((HEIGHT_PX, WIDTH_PX, 3), 130, np.uint8)
    height, width = layer.rgba.shape[:2]
    part = rgb[layer.y_px : layer.y_px + height, layer.x_px : layer.x_px + width]
    alpha = layer.rgba[..., 3:] / 255.0
    part[:] = (part * (1 - alpha) + layer.rgba[..., :3] * alpha).astype(np.uint8)
    return rgb

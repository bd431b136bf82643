"""PHALP's look of people: textures sampled from the picture through their meshes, encoded.

As published, except that the person's silhouette is where nobody nearer stands in front of the
fitted body (PHALP takes the detector's mask), and that the depth is drawn here. The surface maps
are of SMPL's mesh and say nothing on another.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, UInt8
from torch import Tensor

from pipeline import weights
from pipeline.appearance_mesh import OTHERS_SLACK, MeshesInFrame
from pipeline.appearance_source import ENCODER_WEIGHTS
from pipeline.camera import NEAREST_M, translation_through
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.mesh_depth import Window, nearness, projected
from pipeline.types import Camera
from stages.tracking.phalp import encoder
from stages.tracking.phalp.encoder import encoder_with
from stages.tracking.phalp.features import BOX_WIDTH_TO_HEIGHT, FOCAL_PX, K_SQUARE_PX, SQUARE_PX
from stages.tracking.phalp.textures import prepared, sampled_texture

ENCODER, BARYCENTRIC, FACES = ENCODER_WEIGHTS
SIDE_PX = int(SQUARE_PX)
MEAN, DEVIATION = (123.675, 116.280, 103.530), (58.395, 57.120, 57.375)
FAR = 100.0
"""Drawn depth where there is no body, in the crop's camera."""
BATCH = 8
EMBEDDED = 4096


def encoder_layout() -> Layout:
    """The encoder's part of PHALP's checkpoint; what stands before its name is cut off.

    The official loader takes off five characters, whatever they are.
    """
    return Layout(
        "PHALP's appearance encoder",
        encoder.shapes(),
        prefixes=tuple(f"encoding_head.{name}." for name in encoder.CONVOLUTIONS),
        containers=("model", "state_dict"),
        begins="encoding_head.",
    )


class TextureReader:
    """Embeddings of the people in a picture."""

    size = EMBEDDED

    def __init__(self, context: Context) -> None:
        self.device = torch.device(context.device)
        tensors = read_checkpoint(weights.path(ENCODER), encoder_layout())
        self.network = encoder_with(tensors).to(self.device)
        self.barycentric = torch.from_numpy(
            _surface_map(weights.path(BARYCENTRIC), (SIDE_PX, SIDE_PX, 3)).astype(np.float32)
        )
        faces = _surface_map(weights.path(FACES), (SIDE_PX, SIDE_PX)).astype(np.int64)
        if faces.max() >= len(context.body.faces) or faces.max() < 0:
            raise InputError(
                f"{weights.path(FACES)}: names faces up to {faces.max()}; the body has "
                f"{len(context.body.faces)}. Is it PHALP's fmap_256.npy?"
            )
        self.face_of_texel = torch.from_numpy(faces)

    @torch.inference_mode()
    def __call__(
        self,
        rgb: UInt8[np.ndarray, "h w 3"],
        meshes: MeshesInFrame,
        boxes_xyxy_px: Float32[np.ndarray, "n 4"],
        t_camera_m: Float32[np.ndarray, "n 3"],
        camera: Camera,
    ) -> Float16[np.ndarray, "n 4096"]:
        """One vector a person; NaN for those whose origin is not before the camera."""
        found = np.full((len(meshes.rows), EMBEDDED), np.nan, np.float16)
        people = np.flatnonzero(t_camera_m[:, 2] > NEAREST_M)
        for start in range(0, len(people), BATCH):
            some = people[start : start + BATCH]
            textures = [
                self.texture(rgb, meshes, int(person), boxes_xyxy_px, t_camera_m, camera)
                for person in some
            ]
            embedded = self.network(torch.cat(textures).to(self.device))
            found[some] = embedded.cpu().numpy().astype(np.float16)
        return found

    def texture(
        self,
        rgb: UInt8[np.ndarray, "h w 3"],
        meshes: MeshesInFrame,
        person: int,
        boxes_xyxy_px: Float32[np.ndarray, "n 4"],
        t_camera_m: Float32[np.ndarray, "n 3"],
        camera: Camera,
    ) -> Float[Tensor, "1 4 256 256"]:
        """The prepared texture of one person."""
        middle_px, side_px = _square(boxes_xyxy_px[person])
        scale = SQUARE_PX / side_px
        to_crop = np.array([[scale, 0, 0], [0, scale, 0]])
        to_crop[:, 2] = SQUARE_PX / 2 - scale * middle_px
        crop = _cut(rgb, to_crop).astype(np.float32)
        inside = _cut(np.ones(rgb.shape[:2], np.float32), to_crop)
        left_px, top_px = (middle_px - side_px / 2).tolist()
        window = Window(left_px, top_px, side_px / SQUARE_PX, SIDE_PX, SIDE_PX)
        mask = inside * ~_hidden(meshes, person, window)
        # A lens that sees the crop as PHALP's does, told in the picture's pixels.
        focal_px = FOCAL_PX / scale
        K_px = np.array([[focal_px, 0, middle_px[0]], [0, focal_px, middle_px[1]], [0, 0, 1.0]])
        t_crop = translation_through(t_camera_m[person], camera.K_px, K_px)
        vertices = meshes.vertices_m[person] - t_camera_m[person]
        depth = _drawn_depth(vertices + t_crop, meshes.faces)
        normalised = ((crop - MEAN) / DEVIATION).astype(np.float32).transpose(2, 0, 1)
        sampled = sampled_texture(
            torch.from_numpy(vertices)[None],
            torch.from_numpy(t_crop.astype(np.float32))[None],
            torch.from_numpy(meshes.faces.astype(np.int64)),
            self.barycentric,
            self.face_of_texel,
            torch.from_numpy(normalised)[None],
            torch.from_numpy(mask.astype(np.float32))[None],
            torch.from_numpy(depth)[None],
        )
        return prepared(sampled)


def _square(box_xyxy_px: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle and side of the square around a box that is widened or heightened to 3:4."""
    box = box_xyxy_px.astype(np.float64)
    width, height = box[2:] - box[:2]
    return (box[:2] + box[2:]) / 2, float(max(height, width / BOX_WIDTH_TO_HEIGHT, 1.0))


def _cut(picture: np.ndarray, to_crop: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.warpAffine(picture, to_crop, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR))


def _hidden(meshes: MeshesInFrame, person: int, window: Window) -> np.ndarray:
    """(256, 256) bool: where somebody may stand in front of the person."""
    others = meshes.others_nearness(person, window)
    own = nearness(meshes.points[person], meshes.faces, window)
    return np.asarray((others > 0) & (others * (1 + OTHERS_SLACK) > own))


def _drawn_depth(vertices: np.ndarray, faces: np.ndarray) -> Float32[np.ndarray, "256 256"]:
    """Depth of a body in the crop's camera; far away where it is not."""
    near = nearness(
        projected(vertices, K_SQUARE_PX), faces, Window(0.0, 0.0, 1.0, SIDE_PX, SIDE_PX)
    )
    with np.errstate(divide="ignore"):
        return np.where(near > 0, 1 / near, max(FAR, float(vertices[:, 2].max()))).astype(
            np.float32
        )


def _surface_map(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """One of PHALP's two maps.

    Raises:
        InputError: it is something else.
    """
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: is not an array of numbers: {error}") from error
    if found.shape != shape:
        raise InputError(f"{file}: has the shape {found.shape}; PHALP's map has {shape}")
    if not np.isfinite(found).all():
        raise InputError(f"{file}: holds numbers that are not finite")
    return np.asarray(found)

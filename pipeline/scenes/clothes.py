"""Clothes, hair and a face for a body: a colour for every vertex, and how thick the cloth is.

Everything is found from the rest pose: which joint moves a vertex and where it lies.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from pipeline.body import BodyModel, PosedBody

Rgb = tuple[int, int, int]

PELVIS, NECK, HEAD = 0, 12, 15
ANKLES_AND_TOES = (7, 8, 10, 11)
FOREARMS_AND_HANDS = (18, 19, 20, 21, 22, 23)
SHOULDER, ELBOW, ANKLE = 16, 18, 7
EYE_WHITE: Rgb = (235, 230, 225)
PUPIL: Rgb = (25, 18, 15)
SOLE: Rgb = (225, 222, 215)


@dataclass(frozen=True)
class Outfit:
    """Colours of one person's clothes."""

    shirt: Rgb
    trousers: Rgb
    shoes: Rgb
    hair: Rgb
    skin: Rgb = (224, 172, 140)
    stripe: Rgb | None = None
    """Colour of stripes across the shirt, where it has any."""
    sleeve: float = 0.55
    """How far sleeves reach from shoulder (0) to elbow (1)."""


@dataclass(frozen=True)
class Dressed:
    """An outfit on a body of a certain shape."""

    rgb: UInt8[np.ndarray, "v 3"]
    thickness_m: Float32[np.ndarray, " v"]
    """How far cloth or hair stands off the skin."""
    normals_rest: Float32[np.ndarray, "v 3"]

    def vertices(self, posed: PosedBody) -> Float32[np.ndarray, "t v 3"]:
        """Surface of the clothes on the posed body."""
        turn = posed.shaped.model.weights @ posed.global_rotmat.flatten(-2)
        normals = turn.unflatten(-1, (3, 3)) @ torch.from_numpy(self.normals_rest)[..., None]
        offsets = normals[..., 0] * torch.from_numpy(self.thickness_m)[:, None]
        return (posed.vertices() + offsets).numpy()


def dress(body: BodyModel, betas: Float32[np.ndarray, " 10"], outfit: Outfit) -> Dressed:
    """Put an outfit on a body of this shape."""
    shaped = body.with_shape(torch.from_numpy(betas))
    vertices_m, joints_m = shaped.vertices_rest_m.numpy(), shaped.joints_rest_m.numpy()
    owner = body.weights.numpy().argmax(axis=1)
    rgb = np.empty((len(vertices_m), 3), dtype=np.uint8)
    thickness_m = np.zeros(len(vertices_m), dtype=np.float32)
    rgb[:] = outfit.skin
    for part, colour, thick_m in _garments(vertices_m, joints_m, owner, outfit):
        rgb[part] = colour
        thickness_m[part] = thick_m
    _paint_face(rgb, vertices_m, owner == HEAD, outfit)
    normals = vertex_normals(vertices_m, body.faces)
    return Dressed(rgb, thickness_m, normals)


def vertex_normals(vertices_m: np.ndarray, faces: np.ndarray) -> Float32[np.ndarray, "v 3"]:
    """Unit normals, the faces' weighted by area."""
    a, b, c = (vertices_m[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    count = len(vertices_m)
    summed = sum(
        np.stack([np.bincount(faces[:, k], across[:, axis], count) for axis in range(3)], axis=1)
        for k in range(3)
    )
    return (summed / np.linalg.norm(summed, axis=1, keepdims=True)).astype(np.float32)


def _garments(
    vertices_m: np.ndarray, joints_m: np.ndarray, owner: np.ndarray, outfit: Outfit
) -> list[tuple[np.ndarray, Rgb, float]]:
    """Which vertices are covered by what, later ones over earlier ones."""
    x, y = np.abs(vertices_m[:, 0]), vertices_m[:, 1]
    waist_y, ankle_y = joints_m[PELVIS, 1] + 0.03, joints_m[ANKLE, 1]
    sleeve_x = (1 - outfit.sleeve) * joints_m[SHOULDER, 0] + outfit.sleeve * joints_m[ELBOW, 0]
    limbs = np.isin(owner, (HEAD, *FOREARMS_AND_HANDS))
    collar_y = joints_m[NECK, 1] - 0.015
    shirt = ~limbs & (y > waist_y) & (x < sleeve_x) & ((y < collar_y) | (x > 0.07))  # noqa: PLR2004
    shirt |= np.isin(owner, FOREARMS_AND_HANDS) & (x < sleeve_x)
    trousers = ~limbs & (y <= waist_y) & (y > ankle_y + 0.01)
    shoes = np.isin(owner, ANKLES_AND_TOES) & (y <= ankle_y + 0.03)
    garments = [
        (shirt, outfit.shirt, 0.007),
        (trousers, outfit.trousers, 0.009),
        (shoes, outfit.shoes, 0.004),
        (shoes & (y < vertices_m[:, 1].min() + 0.012), SOLE, 0.002),
        (_hair(vertices_m, owner == HEAD), outfit.hair, 0.016),
    ]
    if outfit.stripe is not None:
        across = shirt & (np.floor(y / 0.035).astype(int) % 2 == 0) & (x < joints_m[SHOULDER, 0])
        garments.append((across, outfit.stripe, 0.007))
    return garments


def _hair(vertices_m: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Top and back of the head, down to a line that falls from the brow to the nape."""
    low, high = vertices_m[head].min(axis=0), vertices_m[head].max(axis=0)
    share = (vertices_m - low) / (high - low)
    line = np.interp(share[:, 2], [0.0, 0.35, 0.5, 0.62, 0.85], [0.3, 0.42, 0.62, 0.76, 0.84])
    ears = np.abs(vertices_m[:, 0]) > 0.87 * high[0]
    return head & ~ears & (share[:, 1] > line)


def _paint_face(rgb: np.ndarray, vertices_m: np.ndarray, head: np.ndarray, outfit: Outfit) -> None:
    """Eyes, brows and lips, by their usual places in the height of a head."""
    low, high = vertices_m[head].min(axis=0), vertices_m[head].max(axis=0)
    front = head & (vertices_m[:, 2] > low[2] + 0.55 * (high[2] - low[2]))
    x, y = np.abs(vertices_m[:, 0]), vertices_m[:, 1] - low[1]
    tall = high[1] - low[1]

    def oval(centre_x: float, centre_y: float, wide: float, high: float) -> np.ndarray:
        return front & (
            ((x - centre_x * tall) / (wide * tall)) ** 2
            + ((y - centre_y * tall) / (high * tall)) ** 2
            < 1.0
        )

    rgb[oval(0.0, 0.25, 0.1, 0.034)] = np.array(outfit.skin) * (0.78, 0.5, 0.52)
    rgb[oval(0.15, 0.58, 0.075, 0.022)] = np.array(outfit.hair) * 0.9
    rgb[oval(0.135, 0.525, 0.068, 0.034)] = EYE_WHITE
    rgb[oval(0.135, 0.525, 0.034, 0.034)] = PUPIL

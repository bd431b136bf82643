"""More places, made from a seed like the street: a sports hall, a meadow before a hedge."""

import cv2
import numpy as np

from pipeline.scenes.place import DEEP_M, PX_PER_M, TALL_M, WIDE_M, Place, clouds, tinted

GROUND_SHAPE = round(DEEP_M * PX_PER_M), round(WIDE_M * PX_PER_M)
WALL_SHAPE = round(TALL_M * PX_PER_M), round(WIDE_M * PX_PER_M)
HEDGE_M = 2.4
BARS_FROM_M, BARS_TO_M, BARS_EVERY_M = 0.15, 2.6, 3.4
Rgb = tuple[int, int, int]


def hall(seed: int, wall_z_m: float = -4.0) -> Place:
    """A sports hall: boards with court lines before a pale wall with wall bars."""
    rng = np.random.default_rng([seed, 3])
    return Place(_boards(rng), _hall_wall(rng), wall_z_m)


def meadow(seed: int, wall_z_m: float = -5.0) -> Place:
    """Grass before a hedge under a sky with clouds."""
    rng = np.random.default_rng([seed, 4])
    return Place(_grass(rng), _hedge(rng), wall_z_m)


def _boards(rng: np.random.Generator) -> np.ndarray:
    """Boards of 12 cm along x, and a few painted lines."""
    rows, columns = np.indices(GROUND_SHAPE)
    tall, wide = round(0.12 * PX_PER_M), round(1.8 * PX_PER_M)
    shift = (rows // tall * 53) % wide
    ends = (columns + shift) // wide
    tones = rng.normal(0, 8, (GROUND_SHAPE[0] // tall + 2, int(ends.max()) + 2))
    light = 148 + tones[rows // tall, ends] + clouds(rng, GROUND_SHAPE, 0.9, 5.0)
    light -= 24.0 * ((rows % tall < 1) | ((columns + shift) % wide < 1))
    ground = tinted(light, (1.15, 0.88, 0.58))
    line = max(round(0.05 * PX_PER_M), 1)
    for z_m, colour in ((1.4, (226, 224, 216)), (6.2, (170, 44, 40))):
        ground[round(z_m * PX_PER_M) :][:line] = colour
    for x_m in (5.2, 17.6):
        ground[:, round(x_m * PX_PER_M) :][:, :line] = (36, 74, 132)
    return cv2.GaussianBlur(ground, (0, 0), 0.6)


def _hall_wall(rng: np.random.Generator) -> np.ndarray:
    """Plaster over a wooden dado, with wall bars and a band of high windows."""
    wall = tinted(188 + clouds(rng, WALL_SHAPE, 1.6, 5.0), (1.0, 0.98, 0.9))
    _rectangle(wall, 0.0, WIDE_M, 0.0, 1.1, (142, 112, 82))
    for left_m in np.arange(0.9, WIDE_M - 2.5, BARS_EVERY_M):
        for x_m in (left_m, left_m + 0.95, left_m + 1.9):
            _rectangle(wall, x_m, 0.07, BARS_FROM_M, BARS_TO_M, (176, 138, 92))
        for y_m in np.arange(BARS_FROM_M + 0.1, BARS_TO_M, 0.22):
            _rectangle(wall, left_m, 1.97, float(y_m), float(y_m) + 0.04, (196, 160, 112))
    for left_m in np.arange(0.6, WIDE_M - 2.0, 2.6):
        shade = int(rng.integers(186, 216))
        _rectangle(wall, left_m, 2.1, 4.2, 6.0, (shade, shade + 8, shade + 16))
    return cv2.GaussianBlur(wall, (0, 0), 0.7)


def _rectangle(
    wall: np.ndarray, left_m: float, wide_m: float, low_m: float, high_m: float, rgb: Rgb
) -> None:
    """Paint a part of the wall, in place; heights from the ground."""
    rows = slice(round((TALL_M - high_m) * PX_PER_M), round((TALL_M - low_m) * PX_PER_M))
    columns = slice(round(left_m * PX_PER_M), round((left_m + wide_m) * PX_PER_M))
    wall[rows, columns] = rgb


def _grass(rng: np.random.Generator) -> np.ndarray:
    light = 112 + clouds(rng, GROUND_SHAPE, 1.3, 10.0) + clouds(rng, GROUND_SHAPE, 0.08, 11.0)
    dry = 1 + 0.12 * np.tanh(clouds(rng, GROUND_SHAPE, 0.7, 1.0))
    blades = rng.normal(0, 12, GROUND_SHAPE)
    grass = tinted(light + blades, (0.74, 1.0, 0.46)).astype(np.float64)
    grass[..., 0] *= dry
    return np.clip(grass, 0, 255).astype(np.uint8)


def _hedge(rng: np.random.Generator) -> np.ndarray:
    """Leaves up to an uneven top, clouds over it."""
    height_m = np.tile(TALL_M - np.arange(WALL_SHAPE[0])[:, None] / PX_PER_M, WALL_SHAPE[1])
    sky = tinted(206 + clouds(rng, WALL_SHAPE, 2.2, 13.0), (0.92, 0.99, 1.1))
    leaves = 74 + clouds(rng, WALL_SHAPE, 0.5, 12.0) + clouds(rng, WALL_SHAPE, 0.07, 16.0)
    leaves *= 0.65 + 0.35 * np.clip(height_m / HEDGE_M, 0, 1)
    top_m = HEDGE_M + clouds(rng, (1, WALL_SHAPE[1]), 0.4, 0.12)
    inside = (height_m < top_m)[..., None]
    picture = np.where(inside, tinted(leaves, (0.72, 1.0, 0.5)), sky)
    return cv2.GaussianBlur(picture, (0, 0), 0.8)

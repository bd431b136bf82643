"""A place to walk in: paved ground before a brick wall, textures made from a seed."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from pipeline.scenes.cameras import FilmCamera

PX_PER_M = 80
WIDE_M, DEEP_M, TALL_M = 24.0, 16.0, 9.0


@dataclass(frozen=True)
class Place:
    """Textures of the ground (y = 0) and of the wall behind (z = wall_z_m)."""

    ground: UInt8[np.ndarray, "a b 3"]
    """Rows run from the wall towards +z, columns towards +x, from x = -WIDE_M / 2."""
    wall: UInt8[np.ndarray, "c b 3"]
    """Rows run from the top down to the ground."""
    wall_z_m: float


def street(seed: int, wall_z_m: float = -4.0) -> Place:
    """A pavement of slabs before a house with windows."""
    rng = np.random.default_rng(seed)
    return Place(_paving(rng), _house(rng), wall_z_m)


def draw_place(place: Place, camera: FilmCamera, frame: int) -> UInt8[np.ndarray, "h w 3"]:
    """The empty place as the camera sees it; the camera must be in front of the wall."""
    ground_to_world = np.array(
        [[1, 0, -WIDE_M / 2 * PX_PER_M], [0, 0, 0], [0, 1, place.wall_z_m * PX_PER_M]]
    )
    wall_to_world = np.array(
        [[1, 0, -WIDE_M / 2 * PX_PER_M], [0, -1, TALL_M * PX_PER_M], [0, 0, 0]]
    )
    wall_to_world[2, 2] = place.wall_z_m * PX_PER_M
    line = _foot_of_wall(camera, frame, place.wall_z_m)
    ends = line @ np.array([[0.0, camera.width_px], [0.0, 0.0], [1.0, 1.0]])
    first = int(np.clip(np.floor(-ends.max()), 0, camera.height_px))
    last = int(np.clip(np.ceil(-ends.min()) + 1, first, camera.height_px))
    picture = np.empty((camera.height_px, camera.width_px, 3), dtype=np.uint8)
    picture[:last] = _warped(place.wall, wall_to_world, camera, frame, 0, last)
    ground = _warped(place.ground, ground_to_world, camera, frame, first, camera.height_px)
    picture[last:] = ground[last - first :]
    # Rows in which both are to be seen, the edge between them soft.
    x, y = np.arange(camera.width_px) + 0.5, np.arange(first, last) + 0.5
    share = np.clip(line[0] * x + y[:, None] + line[2] + 0.5, 0, 1)[..., None]
    mixed = picture[first:last] * (1 - share) + ground[: last - first] * share
    picture[first:last] = (mixed + 0.5).astype(np.uint8)
    return picture


def _foot_of_wall(camera: FilmCamera, frame: int, wall_z_m: float) -> np.ndarray:
    """a, 1, c of the line a x + y + c = 0 in the picture where the wall meets the ground."""
    foot = np.array([[-1.0, 0.0, wall_z_m], [1.0, 0.0, wall_z_m]])
    left, right = camera.seen(frame, foot) @ camera.K_px.T
    line = np.cross(left, right)
    return line / line[1]


def _warped(
    texture: np.ndarray,
    texture_to_world_px: np.ndarray,
    camera: FilmCamera,
    frame: int,
    first_row: int,
    end_row: int,
) -> np.ndarray:
    """Rows of the picture of a plane's texture: the homography K (R X + t w) of its texels."""
    if end_row <= first_row:
        return np.zeros((0, camera.width_px, 3), dtype=np.uint8)
    scaled = np.vstack([texture_to_world_px / PX_PER_M, [0, 0, 1]])
    outer = np.column_stack([camera.rotmat_camera_world[frame], camera.t_camera_world_m[frame]])
    centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    to_rows = np.array([[1, 0, -0.5], [0, 1, -0.5 - first_row], [0, 0, 1.0]])
    return cv2.warpPerspective(
        texture,
        to_rows @ camera.K_px @ outer @ scaled @ centre,
        (camera.width_px, end_row - first_row),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _paving(rng: np.random.Generator) -> np.ndarray:
    """Slabs of 0.8 m with dark joints, stains and grain."""
    shape = round(DEEP_M * PX_PER_M), round(WIDE_M * PX_PER_M)
    slab = round(0.8 * PX_PER_M)
    rows, columns = np.indices(shape)
    shifted = columns + (rows // slab % 2) * slab // 2
    tones = rng.normal(0, 7, (shape[0] // slab + 2, shape[1] // slab + 3))
    light = 150 + tones[rows // slab, shifted // slab]
    light -= 38.0 * ((rows % slab < 2) | (shifted % slab < 2))  # noqa: PLR2004
    light += clouds(rng, shape, 1.5, 9.0) + clouds(rng, shape, 0.05, 7.0)
    light *= 1 - 0.3 * np.exp(-rows / (0.7 * PX_PER_M))
    return tinted(light, (1.0, 0.97, 0.91))


def _house(rng: np.random.Generator) -> np.ndarray:
    """Bricks with a plinth, windows and a door."""
    shape = round(TALL_M * PX_PER_M), round(WIDE_M * PX_PER_M)
    tall, wide = round(0.1 * PX_PER_M), round(0.3 * PX_PER_M)
    rows, columns = np.indices(shape)
    shifted = columns + (rows // tall % 2) * wide // 2
    tones = rng.normal(0, 9, (shape[0] // tall + 2, shape[1] // wide + 3))
    light = 128 + tones[rows // tall, shifted // wide] + clouds(rng, shape, 2.0, 8.0)
    light += 26.0 * ((rows % tall < 1) | (shifted % wide < 1))
    wall = tinted(light, (1.08, 0.86, 0.76))
    plinth = round(0.5 * PX_PER_M)
    wall[-plinth:] = tinted(112 + clouds(rng, (plinth, shape[1]), 0.3, 8.0), (1.0, 0.98, 0.94))
    for index, left_m in enumerate(np.arange(1.2, WIDE_M - 1.5, 3.1)):
        is_door = index % 3 == 1
        _opening(wall, left_m, 0.0 if is_door else 1.1, 1.1, 2.2 if is_door else 1.5, rng, is_door)
        _opening(wall, left_m, 4.0, 1.1, 1.6, rng, False)
    return cv2.GaussianBlur(wall, (0, 0), 0.7)


def _opening(
    wall: np.ndarray,
    left_m: float,
    sill_m: float,
    wide_m: float,
    tall_m: float,
    rng: np.random.Generator,
    is_door: bool,
) -> None:
    """Set a window or a door into the wall, in place."""
    bottom = len(wall) - round(sill_m * PX_PER_M)
    rows = slice(bottom - round(tall_m * PX_PER_M), bottom)
    columns = slice(round(left_m * PX_PER_M), round((left_m + wide_m) * PX_PER_M))
    frame = round(0.08 * PX_PER_M)
    wall[rows, columns] = (215, 210, 200)
    inner = wall[rows, columns][frame : None if is_door else -frame, frame:-frame]
    shade = np.linspace(1.25, 0.7, len(inner))[:, None]
    tint = (70, 92, 60) if is_door else (84, 98, 112)
    glow = rng.uniform(0.8, 1.15)
    inner[:] = np.clip(shade[..., None] * glow * np.array(tint), 0, 255)
    if not is_door:
        middle = inner.shape[1] // 2
        inner[:, middle - 2 : middle + 2] = (215, 210, 200)


def clouds(
    rng: np.random.Generator, shape: tuple[int, int], size_m: float, amount: float
) -> np.ndarray:
    """Soft noise of this grain, with `amount` as its standard deviation."""
    step = max(round(size_m * PX_PER_M), 1)
    coarse = rng.normal(0, amount, (shape[0] // step + 2, shape[1] // step + 2))
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def tinted(light: np.ndarray, tint: tuple[float, float, float]) -> UInt8[np.ndarray, "h w 3"]:
    """A grey picture in a colour."""
    return np.clip(light[..., None] * np.array(tint), 0, 255).astype(np.uint8)

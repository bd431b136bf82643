"""Overlapping square tiles in several sizes: the detector sees every person large enough in one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from stages.detection.blazepose.anchors import INPUT_SIZE_PX
from stages.detection.blazepose.crops import Region, crop
from stages.detection.blazepose.detector import HIP_CENTER, Candidates, DetectorNetwork, joined
from stages.detection.blazepose.landmarks import Pose
from stages.detection.blazepose.painting import paint_out

OVERLAP = 1 / 3


@dataclass(frozen=True)
class Tile:
    """A square part of the frame; may reach beyond it."""

    x_px: float
    y_px: float
    """Upper left corner."""
    side_px: float

    def to_picture(self, points_px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Pixels of the frame as pixels of the detector's input."""
        return (points_px - (self.x_px, self.y_px)) * (INPUT_SIZE_PX / self.side_px)


def pyramid(width_px: int, height_px: int, levels: Sequence[float]) -> list[Tile]:
    """Tiles of every level, each overlapping its neighbours by at least a third.

    `levels` are tile sides over the frame's longer side; 1 is one tile with the whole frame.
    """
    tiles = []
    for level in levels:
        side = level * max(width_px, height_px)
        tiles += [
            Tile(x, y, side) for y in _starts(height_px, side) for x in _starts(width_px, side)
        ]
    return tiles


def _starts(length_px: int, side_px: float) -> list[float]:
    """Where tiles begin along one direction; a tile longer than the frame is centred on it."""
    spare = length_px - side_px
    if spare <= 0:
        return [spare / 2]
    steps = math.ceil(spare / (side_px * (1 - OVERLAP)) - 1e-6)
    return [spare * i / steps for i in range(steps + 1)]


def scan(
    detector: DetectorNetwork,
    rgb: UInt8[np.ndarray, "h w 3"],
    tiles: Sequence[Tile],
    min_score: float,
    without: Sequence[Pose] = (),
) -> Callable[[], Candidates]:
    """Start looking through the tiles; the call that comes back waits for what was found.

    Candidates are in frame pixels, best first; one that a tile's border cuts is left out. People
    to look `without` are painted out.
    """
    height_px, width_px = rgb.shape[:2]
    pictures = tile_pictures(rgb, tiles)
    for picture, tile in zip(pictures, tiles, strict=True):
        paint_out(picture, without, tile.to_picture)
    collect = detector.submit(pictures, min_score)

    def found() -> Candidates:
        return joined(
            [
                _in_frame(candidates, tile, width_px, height_px)
                for tile, candidates in zip(tiles, collect(), strict=True)
            ]
        )

    return found


def _in_frame(candidates: Candidates, tile: Tile, width_px: int, height_px: int) -> Candidates:
    scale = np.float32(tile.side_px / INPUT_SIZE_PX)
    corner = np.array([tile.x_px, tile.y_px], np.float32)
    moved = Candidates(
        candidates.boxes_xyxy_px * scale + np.tile(corner, 2),
        candidates.points_px * scale + corner,
        candidates.score,
    )
    return moved.taken(_whole(moved, tile, width_px, height_px))


def _whole(candidates: Candidates, tile: Tile, width_px: int, height_px: int) -> np.ndarray:
    """Rows whose head and hips lie inside the tile, borders of the frame itself not counting."""
    low = np.array(
        [tile.x_px if tile.x_px > 0 else -np.inf, tile.y_px if tile.y_px > 0 else -np.inf]
    )
    right, bottom = tile.x_px + tile.side_px, tile.y_px + tile.side_px
    high = np.array(
        [right if right < width_px - 1 else np.inf, bottom if bottom < height_px - 1 else np.inf]
    )
    hips = candidates.points_px[:, HIP_CENTER]
    box = candidates.boxes_xyxy_px
    inside = (np.minimum(hips, box[:, :2]) >= low) & (np.maximum(hips, box[:, 2:]) <= high)
    return np.flatnonzero(inside.all(axis=1))


def tile_pictures(
    rgb: UInt8[np.ndarray, "h w 3"], tiles: Sequence[Tile]
) -> list[UInt8[np.ndarray, "224 224 3"]]:
    """The detector's input for every tile, black beyond the frame.

    Large tiles are cut from pictures that were made smaller by averaging, each from the one before:
    bilinear sampling of the full picture would skip most pixels.
    """
    small = {1.0: rgb}
    for side_px in sorted({tile.side_px for tile in tiles}):
        scale = min(1.0, INPUT_SIZE_PX / side_px)
        if scale not in small:
            size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
            small[scale] = cv2.resize(small[min(small)], size, interpolation=cv2.INTER_AREA)
    return [_tile_picture(small[min(1.0, INPUT_SIZE_PX / t.side_px)], rgb, t) for t in tiles]


def _tile_picture(small: np.ndarray, rgb: np.ndarray, tile: Tile) -> np.ndarray:
    scale_x, scale_y = small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0]
    middle_x, middle_y = tile.x_px + tile.side_px / 2, tile.y_px + tile.side_px / 2
    region = Region(middle_x * scale_x, middle_y * scale_y, tile.side_px * scale_x, 0.0)
    return crop(small, region, INPUT_SIZE_PX, cv2.BORDER_CONSTANT)

"""The floor as a grid of metres, seen by any camera."""

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.views.canvas import Colour, lines
from pipeline.views.scene import Scene

MARGIN_M = 2.0
PIECES = 12
NEAR_M = 0.2
MOST_LINES = 30
STEPS_M = (1, 2, 5, 10, 20, 50, 100)


def grid_step_m(scene: Scene) -> int:
    """Metres between lines: one where the people stay within thirty."""
    low, high = extent_m(scene)
    return next((s for s in STEPS_M if (high - low).max() / s <= MOST_LINES), STEPS_M[-1])


def extent_m(scene: Scene) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Least and largest places of people on the floor: to the right, and towards the camera."""
    places = [posed.joints_m[posed.person.drawn, 0] for posed in scene.people]
    along = (np.concatenate(places) - scene.floor.point_m) @ scene.floor.axes[[0, 2]].T
    return along.min(axis=0) - MARGIN_M, along.max(axis=0) + MARGIN_M


def draw_grid(
    canvas: UInt8[np.ndarray, "h w 4"],
    scene: Scene,
    rotmat: Float[np.ndarray, "3 3"],
    eye_m: Float[np.ndarray, "3"],
    K_px: Float[np.ndarray, "3 3"],
    rgb: Colour,
    area_m: tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]] | None = None,
) -> None:
    """Lines a metre apart, through a camera at `eye_m`, turned by `rotmat`.

    They lie around the people, or over `area_m`: its least and largest places along the floor.
    """
    low, high = area_m or extent_m(scene)
    step = grid_step_m(scene)
    xs = step * np.arange(np.floor(low[0] / step), np.ceil(high[0] / step) + 1)
    zs = step * np.arange(np.floor(low[1] / step), np.ceil(high[1] / step) + 1)
    across = np.array([[[x, zs[0]], [x, zs[-1]]] for x in xs])
    along = np.array([[[xs[0], z], [xs[-1], z]] for z in zs])
    ends = np.concatenate([across, along])
    share = np.linspace(0, 1, PIECES + 1)[None, :, None]
    points = ends[:, :1] * (1 - share) + ends[:, 1:] * share
    points_m = scene.floor.point_m + points @ scene.floor.axes[[0, 2]]
    seen = (points_m - eye_m) @ rotmat.T
    pixels = seen @ K_px.T
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = pixels[..., :2] / seen[..., 2:]
    pixels[seen[..., 2] < NEAR_M] = np.nan
    pieces = np.stack([pixels[:, :-1], pixels[:, 1:]], axis=2).reshape(-1, 2, 2)
    lines(canvas, pieces, rgb)

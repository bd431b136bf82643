"""Scenes by name."""

import numpy as np

from pipeline.body import BodyModel
from pipeline.scenes.cameras import look_at
from pipeline.scenes.clothes import Outfit
from pipeline.scenes.motions import walk
from pipeline.scenes.place import street
from pipeline.scenes.scene import Actor, Scene
from pipeline.scenes.trunk import Style


def crossing(
    body: BodyModel,
    *,
    seconds: float = 5.0,
    fps: float = 30.0,
    width_px: int = 960,
    height_px: int = 540,
    seed: int = 7,
) -> Scene:
    """Two people walk towards a panning camera and cross, one hidden behind the other."""
    frames = max(round(seconds * fps), 1)
    focal_px = 1.15 * width_px
    tall, small = np.zeros(10, np.float32), np.zeros(10, np.float32)
    tall[[0, 1]], small[[0, 1]] = (0.9, -0.6), (-0.3, 0.4)
    first = walk(
        body,
        tall,
        [(-2.3, -2.6), (0.2, -0.9), (1.9, 0.6)],
        frames=frames,
        fps=fps,
        speed_m_s=1.0,
        style=Style(arm_swing_deg=18.0),
    )
    second = walk(
        body,
        small,
        [(2.6, -2.4), (0.2, -2.2), (-2.4, -0.5)],
        frames=frames,
        fps=fps,
        speed_m_s=1.08,
        first_step=0.6,
        style=Style(arm_swing_deg=25.0, sway_m=0.022),
    )
    share = np.linspace(0.0, 1.0, frames)[:, None]
    pan = share**2 * (3 - 2 * share)
    camera = look_at(
        np.array([-0.5, 1.55, 5.2]) + pan * np.array([0.9, 0.0, 0.0]),
        np.array([-0.25, 0.95, 0.0]) + pan * np.array([0.4, 0.0, 0.0]),
        width_px=width_px,
        height_px=height_px,
        focal_px=focal_px,
    )
    red = Outfit(shirt=(186, 52, 46), trousers=(52, 62, 92), shoes=(48, 40, 36), hair=(54, 38, 26))
    striped = Outfit(
        shirt=(232, 226, 214),
        stripe=(60, 104, 128),
        trousers=(96, 84, 66),
        shoes=(200, 196, 190),
        hair=(28, 22, 20),
        skin=(198, 142, 108),
        sleeve=0.4,
    )
    actors = (Actor(first, red), Actor(second, striped))
    return Scene(body, actors, camera, street(seed), fps)

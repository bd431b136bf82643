"""How a camera stands or moves: on a tripod, panning after people, carried by hand."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pipeline.scenes.cameras import FilmCamera, look_at

Move = Literal["static", "pan", "handheld"]
FOLLOWS_S = 0.6
"""A panning camera follows the mean of the people over this time."""
SHAKE_HZ = 240.0
SHAKE_DEG_M_S = ((0.35, 0.008, 0.16), (1.1, 0.03, 0.8))
"""Quick and slow shake: degrees, metres (standard deviations) and the time they are smooth over."""


@dataclass(frozen=True)
class CameraPlan:
    """Where the camera is and how it moves; it looks at a target from this far and high."""

    move: Move = "static"
    azimuth_deg: float = 0.0
    """0 looks along -z, towards the wall; positive stands to the right of that."""
    distance_m: float = 5.5
    height_m: float = 1.5
    target_m: tuple[float, float, float] = (0.0, 0.95, 0.0)
    travel_m: float = 0.0
    """Way to the side over the film (handheld, pan)."""
    focal_of_width: float = 1.15
    """Focal length over the width of the picture."""
    seed: int = 0


TRIPOD = CameraPlan()


def planned_camera(
    plan: CameraPlan,
    people_m: Float64[np.ndarray, "t 3"],
    *,
    fps: float,
    width_px: int,
    height_px: int,
) -> FilmCamera:
    """The camera of a plan.

    Args:
        plan: where and how.
        people_m: middle of the people in every frame; a panning camera follows it on the ground.
        fps: of the film.
        width_px: of the picture.
        height_px: of the picture.
    """
    frames = len(people_m)
    target_m = np.tile(np.array(plan.target_m), (frames, 1))
    angle = np.radians(plan.azimuth_deg)
    away_m = np.array([np.sin(angle) * plan.distance_m, 0.0, np.cos(angle) * plan.distance_m])
    place_m = target_m * [1, 0, 1] + away_m + [0.0, plan.height_m, 0.0]
    if plan.move != "static":
        aside = np.array([np.cos(angle), 0.0, -np.sin(angle)])
        place_m += np.linspace(-0.5, 0.5, frames)[:, None] * plan.travel_m * aside
    if plan.move == "pan":
        smooth_m = gaussian_filter1d(people_m, FOLLOWS_S * fps, axis=0, mode="nearest")
        target_m[:, [0, 2]] = smooth_m[:, [0, 2]]
    camera = look_at(
        place_m,
        target_m,
        width_px=width_px,
        height_px=height_px,
        focal_px=plan.focal_of_width * width_px,
    )
    return shaken(camera, fps, plan.seed) if plan.move == "handheld" else camera


def shaken(camera: FilmCamera, fps: float, seed: int) -> FilmCamera:
    """The same camera held by somebody: small turns (roll too) and shifts, the same at any fps."""
    turn_deg, shift_m = np.zeros((len(camera), 3)), np.zeros((len(camera), 3))
    rng = np.random.default_rng([seed, 5])
    for degrees, metres, smooth_s in SHAKE_DEG_M_S:
        noise = _smooth_noise(rng, len(camera), fps, smooth_s)
        turn_deg += degrees * noise[:, :3]
        shift_m += metres * noise[:, 3:]
    turn = Rotation.from_rotvec(np.radians(turn_deg)).as_matrix()
    rotmat = turn @ camera.rotmat_camera_world
    t_m = -np.einsum("tij,tj->ti", rotmat, camera.place_world_m + shift_m)
    return replace(camera, rotmat_camera_world=rotmat, t_camera_world_m=t_m)


def _smooth_noise(
    rng: np.random.Generator, frames: int, fps: float, smooth_s: float
) -> Float64[np.ndarray, "t 6"]:
    """Noise of standard deviation 1, read off one that does not depend on the frame rate."""
    margin_s = 4 * smooth_s
    count = int(np.ceil((frames / fps + 2 * margin_s) * SHAKE_HZ)) + 1
    dense = gaussian_filter1d(rng.normal(size=(6, count)), smooth_s * SHAKE_HZ, axis=1)
    dense *= np.sqrt(2 * np.sqrt(np.pi) * smooth_s * SHAKE_HZ)  # a Gaussian's loss of variance
    time_s, dense_s = margin_s + np.arange(frames) / fps, np.arange(count) / SHAKE_HZ
    return np.stack([np.interp(time_s, dense_s, row) for row in dense], axis=1)

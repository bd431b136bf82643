"""Build a scene from its specification: the same scene from the same values, always."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.body import BodyModel
from pipeline.scenes import motions, standing
from pipeline.scenes.camera_moves import planned_camera
from pipeline.scenes.grounds import hall, meadow
from pipeline.scenes.motion import Motion
from pipeline.scenes.motion_files import read_motion
from pipeline.scenes.place import street
from pipeline.scenes.recordings import recorded_start
from pipeline.scenes.scene import Actor, Scene
from pipeline.scenes.specs import Procedural, Recorded, SceneSpec
from pipeline.scenes.wardrobe import random_betas, random_outfit

PLACES = {"street": street, "hall": hall, "meadow": meadow}
ON_THE_SPOT: dict[str, Callable[..., Motion]] = {
    "turn": standing.turn_in_place,
    "sit": standing.sit,
    "reach": standing.reach,
    "squat": standing.squat,
}


def staged(spec: SceneSpec, body: BodyModel, motions_folder: Path | None) -> Scene:
    """The scene, at its film's rate times the exposures of a frame.

    Args:
        spec: what to build.
        body: the body of everybody in it.
        motions_folder: where the motion files lie, if the scene has recorded motions.

    Raises:
        MissingError: a motion file is not there.
        InputError: it is unusable or too short.
    """
    fps = spec.fps * spec.options.exposures
    actors = actors_of(spec, body, motions_folder)
    middle_m = np.mean([actor.motion.t_world_m for actor in actors], axis=0)
    camera = planned_camera(
        spec.camera, middle_m, fps=fps, width_px=spec.width_px, height_px=spec.height_px
    )
    seed = int.from_bytes(spec.name.encode(), "little") % 997
    return Scene(body, actors, camera, PLACES[spec.place](seed), fps)


def actors_of(spec: SceneSpec, body: BodyModel, motions_folder: Path | None) -> tuple[Actor, ...]:
    """The people of a scene, with the same arguments and errors as `staged`."""
    fps = spec.fps * spec.options.exposures
    actors = []
    for role in spec.roles:
        betas = random_betas(role.seed)
        if isinstance(role.motion, Recorded):
            assert motions_folder is not None, f"{spec.name} needs a folder with motions"
            motion = _recorded(role.motion, motions_folder, body, betas, fps, spec.seconds)
        else:
            motion = _procedural(role.motion, body, betas, fps, spec.seconds)
        clothes = role.seed if role.clothes_seed is None else role.clothes_seed
        actors.append(Actor(motion, random_outfit(clothes)))
    return tuple(actors)


def _recorded(
    part: Recorded, folder: Path, body: BodyModel, betas: np.ndarray, fps: float, seconds: float
) -> Motion:
    """A recorded motion, the middle of its way where the specification puts it."""
    path = folder / f"{part.clip}.npz"
    facing_rad, shift_m = np.radians(part.facing_deg), np.zeros(2)
    if part.partner is not None:
        facing_rad, shift_m = _beside_partner(part, folder, body)
    motion = read_motion(
        path, body, betas, fps=fps, start_s=part.start_s, seconds=seconds, heading_rad=facing_rad
    )
    way_m = motion.t_world_m[:, [0, 2]]
    if part.partner is None:
        shift_m = -(way_m.min(axis=0) + way_m.max(axis=0)) / 2
    shift_m = shift_m + np.array(part.middle_xz_m)
    return replace(motion, t_world_m=motion.t_world_m + np.insert(shift_m, 1, 0.0))


def _beside_partner(part: Recorded, folder: Path, body: BodyModel) -> tuple[float, np.ndarray]:
    """Facing and place in which two dancers meet, about the middle between them at the start."""
    assert part.partner is not None
    own, other = (
        recorded_start(folder / f"{clip}.npz", body, part.start_s)
        for clip in (part.clip, part.partner)
    )
    turn_rad = np.radians(part.facing_deg)
    x_m, z_m = own.room_xz_m - (own.room_xz_m + other.room_xz_m) / 2
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    return own.heading_rad + turn_rad, np.array([cos * x_m + sin * z_m, cos * z_m - sin * x_m])


def _procedural(
    part: Procedural, body: BodyModel, betas: np.ndarray, fps: float, seconds: float
) -> Motion:
    frames = round(seconds * fps)
    if part.what == "walk":
        return motions.walk(
            body,
            betas,
            list(part.corners_xz_m),
            frames=frames,
            fps=fps,
            speed_m_s=part.speed_m_s,
            first_step=part.first_step,
        )
    spot = standing_spot(part)
    return ON_THE_SPOT[part.what](body, betas, frames=frames, fps=fps, spot=spot)


def standing_spot(part: Procedural) -> standing.Spot:
    """Where a motion on the spot is made."""
    x_m, z_m = part.corners_xz_m[0]
    return standing.Spot(x_m, z_m, float(np.radians(part.facing_deg)))

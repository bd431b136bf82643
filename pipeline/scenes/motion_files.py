"""Recorded motion from a file: at any frame rate, on any body, its feet on the ground."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from scipy.spatial.transform import Rotation

from pipeline.body import BodyModel
from pipeline.errors import InputError
from pipeline.scenes.motion import Build, Motion, build_of, points_of_contact
from pipeline.scenes.recordings import Recording, heading_of, read_recording, sampled

STILL_M_S = 0.20
"""A point of the foot that is slower than this may be in contact."""
TOUCH_M = 0.03
"""... if it is no higher than this above where it is when the body stands."""
FOOT_JOINTS = ((7, 10), (8, 11))
"""Ankle and ball of the left and right foot."""


def read_motion(
    path: Path,
    body: BodyModel,
    betas: Float32[np.ndarray, " 10"],
    *,
    fps: float = 30.0,
    start_s: float = 0.0,
    seconds: float | None = None,
    heading_rad: float = 0.0,
    at_xz_m: tuple[float, float] = (0.0, 0.0),
) -> Motion:
    """Read SMPL motion (`poses`, `trans`, a frame rate) and put it on a body.

    The pelvis' way is scaled by the length of the legs, as the poses stay the same; then the body
    is shifted up or down so that feet in contact touch y = 0 (without a flat floor: so that the
    lowest point of the part does).

    Args:
        path: `.npz` of `mocap_smpl` (y up) or of AMASS (`mocap_framerate`, z up). Of SMPL-H and
            SMPL-X poses the body's 22 joints are taken.
        body: the body that moves.
        betas: its shape.
        fps: frame rate wanted; rotations and places are read off splines.
        start_s: where the wanted part starts.
        seconds: its length; by default to the end of the file.
        heading_rad: where the body faces in the first frame: 0 is +z, a quarter turn is +x.
        at_xz_m: where the pelvis is on the ground in the first frame.

    Raises:
        MissingError: there is no such file.
        InputError: it is no such motion, or it is shorter than the wanted part.
    """
    recording = read_recording(path)
    end_s = recording.end_s if seconds is None else start_s + seconds - 1.0 / fps
    if start_s < 0 or end_s < start_s or end_s > recording.end_s + 0.5 / recording.fps:
        raise InputError(
            f"{path}: lasts {recording.end_s:.2f} s; {start_s:g} to {end_s:.2f} s were asked for"
        )
    time_s = start_s + np.arange(int((end_s - start_s) * fps + 1e-6) + 1) / fps
    time_s = np.minimum(time_s, recording.end_s)
    root_m = body.with_shape(torch.from_numpy(betas)).joints_rest_m[0].double().numpy()
    pose_rotvec, pelvis_m = sampled(recording, body.J_template_m[0].double().numpy(), time_s)
    pelvis_m *= leg_ratio(body, betas)
    turn = _turn_to(heading_rad, pose_rotvec[0, 0])
    pose_rotvec[:, 0] = (turn * Rotation.from_rotvec(pose_rotvec[:, 0])).as_rotvec()
    start_m = pelvis_m[0] * [1, 0, 1]
    pelvis_m = turn.apply(pelvis_m - start_m) + np.insert(at_xz_m, 1, 0.0)
    free = np.zeros((len(time_s), 4), dtype=bool)
    motion = Motion(betas, fps, pose_rotvec, pelvis_m - root_m, free)
    return _grounded(motion, body, recording, time_s)


def leg_ratio(body: BodyModel, betas: Float32[np.ndarray, " 10"]) -> float:
    """Legs of this shape over those of the mean shape."""
    mean = build_of(body, np.zeros(10, np.float32))
    return build_of(body, betas).leg_m / mean.leg_m


def _turn_to(heading_rad: float, root_rotvec: np.ndarray) -> Rotation:
    """The turn about the vertical after which a body so turned faces that way."""
    return Rotation.from_rotvec([0.0, heading_rad - heading_of(root_rotvec), 0.0])


def _grounded(motion: Motion, body: BodyModel, recording: Recording, time_s: np.ndarray) -> Motion:
    """Feet on the ground, and which of their points touch it.

    A point touches where it is slow, low and (if the file knows) the file calls its foot still.
    """
    build = build_of(body, motion.betas)
    points_m = points_of_contact(motion, body)
    above_m = points_m[..., 1] - _standing_heights_m(build)
    still = np.linalg.norm(np.gradient(points_m, 1 / motion.fps, axis=0), axis=-1) < STILL_M_S
    if recording.feet_still is not None:
        nearest = np.round(time_s * recording.fps).astype(int)
        still &= np.repeat(recording.feet_still[nearest], 2, axis=1)
    standing = still.reshape(-1, 2, 2).any(axis=2)
    if recording.flat_floor and standing.any():
        floor_m = float(np.median(_lowest_m(motion, body)[standing]))
    else:
        floor_m = float(motion.posed(body).vertices()[..., 1].min())
    contact = still & (np.abs(above_m - floor_m) < TOUCH_M) if recording.flat_floor else still
    t_world_m = motion.t_world_m - [0.0, floor_m, 0.0]
    return Motion(motion.betas, motion.fps, motion.pose_rotvec, t_world_m, contact)


def _lowest_m(motion: Motion, body: BodyModel) -> Float32[np.ndarray, "t 2"]:
    """Height of the lowest point of the left and of the right foot."""
    owner = body.weights.numpy().argmax(axis=1)
    posed = motion.posed(body)
    feet = [torch.from_numpy(np.flatnonzero(np.isin(owner, pair))) for pair in FOOT_JOINTS]
    return np.stack([posed.vertices(foot)[..., 1].amin(dim=1).numpy() for foot in feet], axis=1)


def _standing_heights_m(build: Build) -> np.ndarray:
    """Height of heel and ball, left then right, when the body stands."""
    balls_m = build.joints_m[[10, 11], 1] - build.sole_y_m
    heels_m = build.heels_m[:, 1] - build.sole_y_m
    return np.stack([heels_m, balls_m], axis=1).reshape(4)

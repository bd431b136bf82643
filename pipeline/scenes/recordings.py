"""A motion file as it is: SMPL poses and places at its own frame rate, and moments between them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from pipeline.body import BodyModel
from pipeline.errors import InputError, MissingError, OutputError
from pipeline.storage import read_npz

RATE_KEYS = ("fps", "mocap_framerate", "mocap_frame_rate")
SMPL_VALUES, BODY_JOINTS, JOINTS = 72, 22, 24
SPLINE_MARGIN_FRAMES = 12
"""Frames before and after the wanted part that the splines still see."""
Z_UP_TO_Y_UP = Rotation.from_euler("x", -90, degrees=True)


@dataclass(frozen=True)
class Recording:
    """A motion as its file holds it, in a world with y up."""

    fps: float
    pose_rotvec: Float64[np.ndarray, "t 24 3"]
    trans_m: Float64[np.ndarray, "t 3"]
    feet_still: Bool[np.ndarray, "t 2"] | None
    flat_floor: bool
    offset_xz_m: Float64[np.ndarray, " 2"]
    """From the file's origin to the place in the room that it was recorded in."""

    @property
    def end_s(self) -> float:
        """Time of the last frame."""
        return (len(self.trans_m) - 1) / self.fps


def read_recording(path: Path) -> Recording:
    """Read a file of `mocap_smpl` (y up) or of AMASS (`mocap_framerate`, z up).

    Raises:
        MissingError: there is no such file.
        InputError: it is no motion in the world.
    """
    if not path.is_file():
        raise MissingError(f"{path}: no such motion file")
    try:
        arrays = read_npz(path)
    except OutputError as error:
        raise InputError(str(error)) from error
    fps = next((float(arrays[key]) for key in RATE_KEYS if key in arrays), 0.0)
    poses, trans = arrays.get("poses"), arrays.get("trans")
    if poses is None or trans is None or not fps > 0:
        raise InputError(f"{path}: is no motion; it needs 'poses', 'trans' and one of {RATE_KEYS}")
    whole = poses.ndim == 2 and poses.shape[1] >= SMPL_VALUES and len(poses) > 1  # noqa: PLR2004
    if not whole or trans.shape != (len(poses), 3):
        raise InputError(
            f"{path}: 'poses' {poses.shape} and 'trans' {trans.shape} are not (t, 72+), (t, 3)"
        )
    if not (np.isfinite(poses).all() and np.isfinite(trans).all()):
        raise InputError(f"{path}: 'poses' or 'trans' hold numbers that are not finite")
    if "camera_K_px" in arrays:
        raise InputError(f"{path}: is in a camera's axes; a motion needs the world's")
    pose_rotvec = np.zeros((len(poses), JOINTS, 3))
    joints = JOINTS if poses.shape[1] == SMPL_VALUES else BODY_JOINTS
    pose_rotvec[:, :joints] = poses[:, : 3 * joints].reshape(len(poses), joints, 3)
    trans = trans.astype(np.float64)
    if "fps" not in arrays:
        pose_rotvec[:, 0] = (Z_UP_TO_Y_UP * Rotation.from_rotvec(pose_rotvec[:, 0])).as_rotvec()
        trans = Z_UP_TO_Y_UP.apply(trans)
    contacts = arrays.get("contacts")
    feet_still = None if contacts is None else contacts.astype(bool)
    return Recording(
        fps,
        pose_rotvec,
        trans,
        feet_still,
        flat_floor=bool(arrays.get("flat_floor", True)),
        offset_xz_m=np.asarray(arrays.get("offset_xz", np.zeros(2)), np.float64),
    )


def sampled(
    recording: Recording, root_m: np.ndarray, time_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pose and place of the pelvis at these times, with steady velocities and accelerations."""
    first = max(int(time_s[0] * recording.fps) - SPLINE_MARGIN_FRAMES, 0)
    last = int(np.ceil(time_s[-1] * recording.fps)) + SPLINE_MARGIN_FRAMES + 1
    knots_s = np.arange(len(recording.trans_m))[first:last] / recording.fps
    pelvis_m = CubicSpline(knots_s, recording.trans_m[first:last] + root_m)(time_s)
    pose_rotvec = np.zeros((len(time_s), JOINTS, 3))
    for joint in range(JOINTS):
        knots = Rotation.from_rotvec(recording.pose_rotvec[first:last, joint])
        pose_rotvec[:, joint] = RotationSpline(knots_s, knots)(time_s).as_rotvec()
    return pose_rotvec, pelvis_m


def heading_of(root_rotvec: np.ndarray) -> float:
    """Where a body so turned faces: 0 is +z, a quarter turn is +x."""
    ahead = Rotation.from_rotvec(root_rotvec).apply([0.0, 0.0, 1.0])
    return float(np.arctan2(ahead[0], ahead[2]))


@dataclass(frozen=True)
class RecordedStart:
    """Where a recorded body is at some moment of its take, before anything is moved."""

    heading_rad: float
    """0 faces +z, a quarter turn +x."""
    room_xz_m: Float64[np.ndarray, " 2"]
    """The pelvis on the ground of the room that the take was recorded in."""


def recorded_start(path: Path, body: BodyModel, start_s: float = 0.0) -> RecordedStart:
    """Where the body of a motion file is at `start_s`; partners of one take share the room.

    Raises:
        MissingError, InputError: as for `read_motion`.
    """
    recording = read_recording(path)
    root_m = body.J_template_m[0].double().numpy()
    pose_rotvec, pelvis_m = sampled(recording, root_m, np.array([start_s]))
    heading = heading_of(pose_rotvec[0, 0])
    return RecordedStart(heading, pelvis_m[0, [0, 2]] + recording.offset_xz_m)

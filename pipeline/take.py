"""A take: people of one result over a stretch of its video, in the axes of an export.

The camera's axes (x right, y down, z forward) become the world's: y up gives x right, y up, z
towards the camera; z up gives x right, y away from the camera, z up. A camera that was held at a
slant leaves the world at that slant, unless the take is levelled by its floor.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64, Int32
from torch import Tensor

from pipeline.body import BodyModel, PosedBody, ShapedBody
from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.types import Camera, Person

Up = Literal["y", "z"]

BODY_TO_UP: dict[str, np.ndarray] = {
    "y": np.eye(3),
    "z": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
}
"""Turns SMPL's own axes (y up, facing +z) into axes with that up (z up: facing -y)."""

LEVEL_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Turns the axes of a level camera into x right, y up, z towards the camera."""

CAMERA_TO_UP: dict[str, np.ndarray] = {up: turn @ LEVEL_CAMERA for up, turn in BODY_TO_UP.items()}
"""Turns the camera's axes into axes with that up."""

EVEN_TOLERANCE = 0.01
"""Steps between frames may differ by this share and still count as one frame rate."""


@dataclass(frozen=True)
class SkeletonMotion:
    """A person as a skeleton that turns at its joints, in the take's axes, t frames."""

    rest_m: Float64[np.ndarray, "24 3"]
    """Joints at rest, upright in the take's axes, at the body's own origin."""
    local_rotmat: Float64[np.ndarray, "t 24 3 3"]
    """Every joint against its parent, the pelvis against the world; at rest all are identity."""
    global_rotmat: Float64[np.ndarray, "t 24 3 3"]
    joints_m: Float64[np.ndarray, "t 24 3"]

    @property
    def root_m(self) -> Float64[np.ndarray, "t 3"]:
        """Place of the pelvis."""
        return self.joints_m[:, 0]


@dataclass(frozen=True)
class SmplMotion:
    """A person as SMPL parameters in the take's axes, t frames."""

    pose_rotvec: Float64[np.ndarray, "t 24 3"]
    t_m: Float64[np.ndarray, "t 3"]
    """Vertices = posed vertices + this."""


@dataclass(frozen=True)
class Take:
    """What is exported."""

    name: str
    """Stem of the files to write."""
    people: tuple[Person, ...]
    """In camera axes, only the frames of the stretch."""
    body: BodyModel
    camera: Camera
    width_px: int
    height_px: int
    frame_index: Int32[np.ndarray, " f"]
    """Source index of every frame of the stretch, whether somebody is in it or not."""
    time_s: Float64[np.ndarray, " f"]
    """Presentation times of these frames on the source's clock."""
    source_video: str
    up: Up = "y"
    floor_axes: Float64[np.ndarray, "3 3"] | None = None
    """Rows: right, up and towards the camera along the floor, in camera axes; None: the camera is
    taken to be level."""
    shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added to every place once it is in the take's axes."""

    @property
    def fps(self) -> float:
        """Mean frame rate; 30 where a single frame gives none."""
        return mean_fps(self.time_s)

    @property
    def is_even(self) -> bool:
        """Whether one frame rate says all times."""
        steps_s = np.diff(self.time_s)
        return not len(steps_s) or bool(np.ptp(steps_s) <= EVEN_TOLERANCE * steps_s.mean())

    @cached_property
    def exact_body(self) -> BodyModel:
        """The body in double precision."""
        return self.body.to("cpu", torch.float64)

    def with_up(self, up: Up) -> "Take":
        """The same in other axes, not levelled, not shifted."""
        return replace(self, up=up, floor_axes=None, shift_m=(0.0, 0.0, 0.0))

    @property
    def from_camera(self) -> Float64[np.ndarray, "3 3"]:
        """Turns the camera's axes into the take's."""
        level = LEVEL_CAMERA if self.floor_axes is None else self.floor_axes
        return BODY_TO_UP[self.up] @ level

    def file_stem(self, person: Person) -> str:
        """Stem of a file that holds one person."""
        return f"{self.name}_person_{person.id:03d}"

    def shaped(self, person: Person) -> ShapedBody:
        """The person's body at rest, double precision."""
        return self.exact_body.with_shape(torch.from_numpy(person.betas.astype(np.float64)))

    def smpl(self, person: Person) -> SmplMotion:
        """SMPL's parameters with the first joint and the place turned into the take's axes."""
        turn = torch.from_numpy(self.from_camera)
        pose_rotvec = torch.from_numpy(person.pose_rotvec.astype(np.float64))
        root = rotmat_to_rotvec(turn @ rotvec_to_rotmat(pose_rotvec[:, 0]))
        pelvis_m = self.shaped(person).joints_rest_m[0].numpy()
        place_m = (pelvis_m + person.t_camera_m) @ turn.numpy().T - pelvis_m
        turned = torch.cat([root[:, None], pose_rotvec[:, 1:]], 1)
        return SmplMotion(turned.numpy(), place_m + np.array(self.shift_m))

    def posed(self, person: Person, rows: slice = slice(None)) -> PosedBody:
        """The person's bodies in the take's axes, double precision."""
        motion = self.smpl(person)
        pose_rotvec = torch.from_numpy(motion.pose_rotvec[rows])
        return self.shaped(person).with_pose(pose_rotvec, torch.from_numpy(motion.t_m[rows]))

    def skeleton(self, person: Person) -> SkeletonMotion:
        """The person as a skeleton that stands upright in the take's axes when nothing turns."""
        posed, upright = self.posed(person), torch.from_numpy(BODY_TO_UP[self.up])
        return SkeletonMotion(
            (self.shaped(person).joints_rest_m @ upright.mT).numpy(),
            _upright(posed.pose_rotmat, upright).numpy(),
            (posed.global_rotmat @ upright.mT).numpy(),
            posed.joints_m.numpy(),
        )

    def upright_vertices_m(self, person: Person) -> Float64[np.ndarray, "v 3"]:
        """The skin that goes with `skeleton`'s rest: at the body's origin, up along the axes."""
        return self.shaped(person).vertices_rest_m.numpy() @ BODY_TO_UP[self.up].T


def _upright(local_rotmat: Tensor, upright: Tensor) -> Tensor:
    """Local rotations when the rest pose itself is turned: the root's result stays."""
    root = local_rotmat[:, :1] @ upright.mT
    return torch.cat([root, upright @ local_rotmat[:, 1:] @ upright.mT], 1)


def mean_fps(time_s: Float64[np.ndarray, " t"]) -> float:
    """Mean frame rate of these times; 30 where a single frame gives none."""
    if len(time_s) < 2:  # noqa: PLR2004
        return 30.0
    return float((len(time_s) - 1) / (time_s[-1] - time_s[0]))


def without_gaps(person: Person) -> Person:
    """The person with MISSING frames filled between their neighbours: slerp, straight lines.

    The status stays MISSING there: the body is made up, not seen.
    """
    known = person.drawn
    if known.all() or not known.any():
        return person
    known_s, time_s = person.time_s[known], person.time_s
    pose_rotvec = interpolate_rotvec(known_s, person.pose_rotvec[known], time_s)
    t_camera_m = interpolate_linear(known_s, person.t_camera_m[known], time_s)
    seen = known[:, None]
    return replace(
        person,
        pose_rotvec=np.where(seen[..., None], person.pose_rotvec, pose_rotvec).astype(np.float32),
        t_camera_m=np.where(seen, person.t_camera_m, t_camera_m).astype(np.float32),
    )

"""What a made-up person does: pose and place in the world over time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64

from pipeline.body import BodyModel, PosedBody

CONTACT_POINTS = ("left_heel", "left_ball", "right_heel", "right_ball")


@dataclass(frozen=True)
class Motion:
    """A body's motion at an even frame rate."""

    betas: Float32[np.ndarray, " 10"]
    fps: float
    pose_rotvec: Float64[np.ndarray, "t 24 3"]
    """Joint 0 turns the body into the world's axes."""
    t_world_m: Float64[np.ndarray, "t 3"]
    """SMPL translation: vertices in the world = posed vertices + this."""
    contact: Bool[np.ndarray, "t 4"]
    """Which of `CONTACT_POINTS` rest on the ground."""

    def __len__(self) -> int:
        return len(self.pose_rotvec)

    @property
    def time_s(self) -> Float64[np.ndarray, " t"]:
        """Seconds from the first frame."""
        return np.arange(len(self)) / self.fps

    def posed(self, body: BodyModel, frames: slice = slice(None)) -> PosedBody:
        """The body in the world in these frames."""
        pose_rotvec = torch.from_numpy(self.pose_rotvec[frames].astype(np.float32))
        t_m = torch.from_numpy(self.t_world_m[frames].astype(np.float32))
        return body.with_shape(torch.from_numpy(self.betas)).with_pose(pose_rotvec, t_m)


@dataclass(frozen=True)
class Build:
    """A shaped body's measures that walking needs, at rest, sole at its lowest."""

    joints_m: Float64[np.ndarray, "24 3"]
    sole_y_m: float
    heels_m: Float64[np.ndarray, "2 3"]
    """Rearmost point of the left and right sole."""
    heel_vertices: tuple[int, int]

    @cached_property
    def leg_m(self) -> float:
        """Hip to knee to ankle."""
        hip, knee, ankle = self.joints_m[[1, 4, 7]]
        return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


def build_of(body: BodyModel, betas: Float32[np.ndarray, " 10"]) -> Build:
    """Measure a body of this shape."""
    shaped = body.with_shape(torch.from_numpy(betas))
    vertices_m = shaped.vertices_rest_m.numpy().astype(np.float64)
    owner = body.weights.numpy().argmax(axis=1)
    heels = (_heel(vertices_m, owner == 7), _heel(vertices_m, owner == 8))  # noqa: PLR2004
    return Build(
        joints_m=shaped.joints_rest_m.numpy().astype(np.float64),
        sole_y_m=float(vertices_m[:, 1].min()),
        heels_m=vertices_m[list(heels)],
        heel_vertices=heels,
    )


def _heel(vertices_m: np.ndarray, of_foot: np.ndarray) -> int:
    """The vertex of the foot that lies furthest back and down."""
    candidates = np.flatnonzero(of_foot)
    back_and_down = vertices_m[candidates] @ np.array([0.0, -1.0, -0.6])
    return int(candidates[back_and_down.argmax()])


def points_of_contact(motion: Motion, body: BodyModel) -> Float64[np.ndarray, "t 4 3"]:
    """Where the `CONTACT_POINTS` of a motion are in the world."""
    return contact_points_m(motion.posed(body), build_of(body, motion.betas))


def contact_points_m(posed: PosedBody, build: Build) -> Float64[np.ndarray, "t 4 3"]:
    """Where the `CONTACT_POINTS` are: vertices of the heels, joints of the balls of the feet."""
    heels_m = posed.vertices(torch.tensor(build.heel_vertices)).numpy()
    balls_m = posed.joints_m[:, [10, 11]].numpy()
    both = [heels_m[:, 0], balls_m[:, 0], heels_m[:, 1], balls_m[:, 1]]
    return np.stack(both, axis=1).astype(np.float64)

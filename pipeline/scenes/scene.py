"""A film set: who does what, dressed how, where, before which camera; and its exact truth."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64

from pipeline.body import BodyModel
from pipeline.files import write_npz
from pipeline.scenes.cameras import FilmCamera, in_camera
from pipeline.scenes.clothes import Outfit
from pipeline.scenes.motion import Motion
from pipeline.scenes.place import Place
from pipeline.storage import read_npz

SEEN_ENOUGH = 0.35
"""A person counts as present where at least this share of its picture is to be seen."""


_PER_FRAME = ("time_s", "rotmat_camera_world", "t_camera_world_m")
_PER_PERSON_AND_FRAME = (
    "pose_rotvec",
    "t_camera_m",
    "joints_camera_m",
    "boxes_xyxy_px",
    "seen_share",
    "contact",
)


@dataclass(frozen=True)
class Actor:
    """One person of the film."""

    motion: Motion
    outfit: Outfit


@dataclass(frozen=True)
class Scene:
    """Everything that makes a film."""

    body: BodyModel
    actors: tuple[Actor, ...]
    camera: FilmCamera
    place: Place
    fps: float

    def __len__(self) -> int:
        return len(self.camera)


@dataclass(frozen=True)
class Truth:
    """What is so, for p people over t frames, in the camera's axes."""

    time_s: Float64[np.ndarray, " t"]
    K_px: Float64[np.ndarray, "3 3"]
    betas: Float32[np.ndarray, "p 10"]
    pose_rotvec: Float32[np.ndarray, "p t 24 3"]
    t_camera_m: Float32[np.ndarray, "p t 3"]
    joints_camera_m: Float32[np.ndarray, "p t 24 3"]
    boxes_xyxy_px: Float32[np.ndarray, "p t 4"]
    """Around the whole body, hidden parts too, not cut at the picture's edge."""
    seen_share: Float32[np.ndarray, "p t"]
    """Share of the body's picture that nothing hides and that lies in the frame, 0 to 1."""
    contact: Bool[np.ndarray, "p t 4"]
    """Which of `CONTACT_POINTS` rest on the ground."""
    rotmat_camera_world: Float64[np.ndarray, "t 3 3"]
    """How the camera moves: x_camera = rotmat_camera_world @ x_world + t_camera_world_m."""
    t_camera_world_m: Float64[np.ndarray, "t 3"]

    def in_world(
        self, frames: Int64[np.ndarray, " f"], points_camera_m: Float[np.ndarray, "f k 3"]
    ) -> Float64[np.ndarray, "f k 3"]:
        """Points in the camera's axes in these frames, brought into the world."""
        away_m = points_camera_m - self.t_camera_world_m[frames, None]
        return np.einsum("fij,fki->fkj", self.rotmat_camera_world[frames], away_m)

    def every(self, step: int, first: int) -> "Truth":
        """The truth of every `step`-th frame from `first` on."""
        part = slice(first, None, step)
        per_frame = {name: getattr(self, name)[part] for name in _PER_FRAME}
        per_person = {name: getattr(self, name)[:, part] for name in _PER_PERSON_AND_FRAME}
        return replace(self, **per_frame, **per_person)

    @property
    def present(self) -> Bool[np.ndarray, "p t"]:
        """Frames in which enough of a person is seen to ask for it."""
        return self.seen_share >= SEEN_ENOUGH


def truth_of(
    scene: Scene,
    boxes_xyxy_px: Float32[np.ndarray, "p t 4"],
    seen_share: Float32[np.ndarray, "p t"],
) -> Truth:
    """The scene's truth; what only the drawn picture can tell is given."""
    poses, places, joints = [], [], []
    for actor in scene.actors:
        shaped = scene.body.with_shape(torch.from_numpy(actor.motion.betas))
        root_m = shaped.joints_rest_m[0].numpy().astype(np.float64)
        seen = in_camera(scene.camera, actor.motion.pose_rotvec, actor.motion.t_world_m, root_m)
        poses.append(seen.pose_rotvec.astype(np.float32))
        places.append(seen.t_camera_m.astype(np.float32))
        posed = shaped.with_pose(torch.from_numpy(poses[-1]), torch.from_numpy(places[-1]))
        joints.append(posed.joints_m.numpy())
    return Truth(
        time_s=np.arange(len(scene)) / scene.fps,
        K_px=scene.camera.K_px,
        betas=np.stack([actor.motion.betas for actor in scene.actors]),
        pose_rotvec=np.stack(poses),
        t_camera_m=np.stack(places),
        joints_camera_m=np.stack(joints),
        boxes_xyxy_px=boxes_xyxy_px,
        seen_share=seen_share,
        contact=np.stack([actor.motion.contact for actor in scene.actors]),
        rotmat_camera_world=scene.camera.rotmat_camera_world,
        t_camera_world_m=scene.camera.t_camera_world_m,
    )


def write_truth(path: Path, truth: Truth) -> None:
    """Save as plain .npz."""
    write_npz(path, vars(truth))


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` saved."""
    return Truth(**read_npz(path))

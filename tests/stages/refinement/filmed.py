"""Somebody of the film set before a camera, seen with noise: exact truth, feet on the ground."""

from dataclasses import dataclass

import numpy as np
import torch

from pipeline.camera import project
from pipeline.rotations import rotvec_to_rotmat
from pipeline.scenes.cameras import FilmCamera, in_camera, look_at
from pipeline.scenes.motion import Motion, points_of_contact
from pipeline.scenes.motions import walk
from pipeline.types import Camera, Person, Status
from tests.stages.refinement.moving_body import SITES, with_noise

BODY = SITES.body.to("cpu", torch.float32)


@dataclass(frozen=True)
class Filmed:
    """A person as the tracker gives it, and what is so."""

    person: Person
    camera: Camera
    film: FilmCamera
    motion: Motion

    def feet_world_m(self, person: Person) -> np.ndarray:
        """(t, 4, 3) the points of contact of a person found."""
        found = Motion(
            person.betas,
            self.motion.fps,
            person.pose_rotvec.astype(np.float64),
            person.t_camera_m.astype(np.float64),
            self.motion.contact,
        )
        away_m = points_of_contact(found, BODY) - self.film.t_camera_world_m[:, None]
        return np.einsum("tji,tkj->tki", self.film.rotmat_camera_world, away_m)


def filmed_walk(pan_m_s: float = 0.0, seconds: float = 3.0, noise: float = 1.0) -> Filmed:
    """A walk across the picture, before a camera that stands or turns with speed `pan_m_s`."""
    frames = round(30 * seconds)
    motion = walk(
        BODY, np.zeros(10, np.float32), [(-1.5, -0.4), (1.8, 0.4)], frames=frames, fps=30.0
    )
    ahead = pan_m_s * np.arange(frames)[:, None] / 30.0
    target = np.array([0.0, 0.9, 0.0]) + (ahead - ahead.mean()) * np.array([1.0, 0.0, 0.0])
    film = look_at(
        np.array([[0.0, 1.4, 5.0]]), target, width_px=960, height_px=720, focal_px=1000.0
    )
    root_m = BODY.with_shape(torch.zeros(10)).joints_rest_m[0].double().numpy()
    seen = in_camera(film, motion.pose_rotvec, motion.t_world_m, root_m)
    rotmat = rotvec_to_rotmat(torch.from_numpy(seen.pose_rotvec))
    sites_m = SITES.places(rotmat, torch.zeros(frames, 10, dtype=torch.float64)).numpy()
    placed_m = sites_m + seen.t_camera_m[:, None]
    visible = np.ones((frames, 33, 1))
    person = Person(
        id=1,
        frame_index=np.arange(frames, dtype=np.int32),
        time_s=np.arange(frames) / 30.0,
        status=np.full(frames, Status.OBSERVED, dtype=np.uint8),
        confidence=np.ones(frames, dtype=np.float32),
        pose_rotvec=seen.pose_rotvec.astype(np.float32),
        betas=np.zeros(10, np.float32),
        t_camera_m=seen.t_camera_m.astype(np.float32),
        boxes_xyxy_px=np.tile(np.float32([0, 0, 10, 10]), (frames, 1)),
        skeleton="blazepose33",
        keypoints_px=np.concatenate([project(placed_m, film.K_px), visible], -1).astype("f4"),
        landmarks_m=(sites_m - sites_m[:, [23, 24]].mean(1, keepdims=True)).astype("f4"),
    )
    person = with_noise(person, pixels=3.0 * noise, metres=0.03 * noise)
    return Filmed(person, Camera(film.K_px, "given"), film, motion)

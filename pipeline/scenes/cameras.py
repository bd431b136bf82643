"""Cameras that film a made-up place, and what a motion is in a camera's axes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation

from pipeline.camera import intrinsics


@dataclass(frozen=True)
class FilmCamera:
    """A camera that may move: x_camera = rotmat_camera_world @ x_world + t_camera_world_m."""

    width_px: int
    height_px: int
    K_px: Float64[np.ndarray, "3 3"]
    rotmat_camera_world: Float64[np.ndarray, "t 3 3"]
    t_camera_world_m: Float64[np.ndarray, "t 3"]

    def __len__(self) -> int:
        return len(self.t_camera_world_m)

    @property
    def place_world_m(self) -> Float64[np.ndarray, "t 3"]:
        """Where the camera is."""
        return -np.einsum("tij,ti->tj", self.rotmat_camera_world, self.t_camera_world_m)

    def seen(
        self, frame: int, points_world_m: Float[np.ndarray, "*n 3"]
    ) -> Float64[np.ndarray, "*n 3"]:
        """World points in the camera's axes."""
        return points_world_m @ self.rotmat_camera_world[frame].T + self.t_camera_world_m[frame]


def look_at(
    place_world_m: Float[np.ndarray, "#t 3"],
    target_world_m: Float[np.ndarray, "#t 3"],
    *,
    width_px: int,
    height_px: int,
    focal_px: float,
) -> FilmCamera:
    """A level camera (no roll) at these places that looks at these points, frame by frame."""
    place, target = np.broadcast_arrays(place_world_m, target_world_m)
    ahead = target - place
    ahead = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right = right / np.linalg.norm(right, axis=1, keepdims=True)
    rotmat = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    t_m = -np.einsum("tij,tj->ti", rotmat, place)
    return FilmCamera(width_px, height_px, intrinsics(focal_px, width_px, height_px), rotmat, t_m)


@dataclass(frozen=True)
class CameraPose:
    """A body's pose and place in the camera's axes, as `Person` holds them."""

    pose_rotvec: Float64[np.ndarray, "t 24 3"]
    t_camera_m: Float64[np.ndarray, "t 3"]


def in_camera(
    camera: FilmCamera,
    pose_rotvec: Float64[np.ndarray, "t 24 3"],
    t_world_m: Float64[np.ndarray, "t 3"],
    root_rest_m: Float64[np.ndarray, " 3"],
) -> CameraPose:
    """Turn a motion in the world into the same motion as the camera sees it.

    A body turns about its root joint, which is not the origin of its rest pose: with root r,
    t_camera = R (r + t_world) + t_camera_world - r.

    Args:
        camera: as many frames as the motion.
        pose_rotvec: joint 0 turns the body into the world.
        t_world_m: SMPL translation in the world.
        root_rest_m: root joint of the shaped body at rest.
    """
    turn = Rotation.from_matrix(camera.rotmat_camera_world)
    turned = pose_rotvec.copy()
    turned[:, 0] = (turn * Rotation.from_rotvec(pose_rotvec[:, 0])).as_rotvec()
    t_camera_m = turn.apply(root_rest_m + t_world_m) + camera.t_camera_world_m - root_rest_m
    return CameraPose(turned, t_camera_m)

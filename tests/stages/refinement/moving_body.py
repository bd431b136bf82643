"""Somebody who walks in a curve and swings the arms: made up, for tests with exact truth."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from pipeline.body import load_body
from pipeline.camera import intrinsics, project
from pipeline.landmark_sites import PosedSites
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.skeletons import SMPL24
from pipeline.types import Camera, Person, Status

CAMERA = Camera(intrinsics(1500.0, 1920, 1080), "given")
SITES = PosedSites(load_body())
BETAS = np.array([0.6, -0.4, 0.3, 0.2, 0, 0, 0, 0, 0, 0], dtype=np.float32)


@dataclass(frozen=True)
class Walk:
    """The truth and the person as it was seen."""

    person: Person
    pose_rotmat: torch.Tensor
    joints_m: np.ndarray


def walking_pose(time_s: np.ndarray) -> torch.Tensor:
    """(t, 24, 3, 3) joint rotations."""
    phase = 2 * np.pi * 0.9 * time_s
    pose = np.zeros((len(time_s), 24, 3))

    def put(joint: str, axis: int, angle) -> None:
        pose[:, SMPL24.index(joint), axis] = angle

    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * np.sin(phase)
        put(f"{side}_hip", 0, -0.1 - 0.45 * swing)
        put(f"{side}_knee", 0, 0.55 - 0.45 * sign * np.cos(phase))
        put(f"{side}_ankle", 0, 0.15 * swing)
        put(f"{side}_shoulder", 2, -sign * 1.15)
        put(f"{side}_shoulder", 1, sign * (0.1 + 0.4 * np.sin(phase)))
        put(f"{side}_elbow", 1, -sign * (0.7 + 0.25 * np.sin(phase)))
    for joint in ("spine1", "spine2", "spine3"):
        put(joint, 1, 0.05 * np.sin(phase))
    rotmat = rotvec_to_rotmat(torch.from_numpy(pose))
    yaw = np.zeros((len(time_s), 3))
    yaw[:, 1] = 0.5 + 0.4 * time_s
    upright = rotvec_to_rotmat(torch.tensor([np.pi, 0.0, 0.0], dtype=torch.float64))
    rotmat[:, 0] = upright @ rotvec_to_rotmat(torch.from_numpy(yaw))
    return rotmat


def walk(fps: float = 30.0, seconds: float = 2.0, still: bool = False) -> Walk:
    """A person of known pose, seen without any error."""
    time_s = np.arange(round(fps * seconds)) / fps
    pose = walking_pose(np.zeros_like(time_s) + 0.4 if still else time_s)
    moment_s = 0 * time_s if still else time_s
    place = np.stack([0.4 * moment_s - 0.4, 0 * time_s, 4.5 - 0.3 * moment_s], -1)
    betas = torch.from_numpy(BETAS).double()
    bodies = betas.expand(len(pose), 10)
    sites_m = SITES.places(pose, bodies).numpy() + place[:, None]
    joints_m = SITES.body.with_shape(betas).with_pose(pose_rotmat=pose).joints_m.numpy()
    count = len(time_s)
    visible = np.ones((count, 33, 1))
    middle_m = sites_m[:, [23, 24]].mean(1, keepdims=True)
    person = Person(
        id=1,
        frame_index=np.arange(count, dtype=np.int32),
        time_s=time_s,
        status=np.full(count, Status.OBSERVED, dtype=np.uint8),
        confidence=np.ones(count, dtype=np.float32),
        pose_rotvec=rotmat_to_rotvec(pose).numpy().astype(np.float32),
        betas=BETAS,
        t_camera_m=place.astype(np.float32),
        boxes_xyxy_px=np.tile(np.float32([0, 0, 10, 10]), (count, 1)),
        skeleton="blazepose33",
        keypoints_px=np.concatenate([project(sites_m, CAMERA.K_px), visible], -1).astype("f4"),
        landmarks_m=(sites_m - middle_m).astype(np.float32),
    )
    return Walk(person, pose, joints_m + place[:, None])


def with_noise(person: Person, pixels: float, metres: float, seed: int = 0) -> Person:
    """Every landmark disturbed on its own."""
    rng = np.random.default_rng(seed)
    keypoints_px, landmarks_m = person.keypoints_px.copy(), person.landmarks_m.copy()
    keypoints_px[..., :2] += rng.normal(0, pixels, keypoints_px[..., :2].shape)
    landmarks_m += rng.normal(0, metres, landmarks_m.shape)
    return replace(
        person,
        keypoints_px=keypoints_px.astype(np.float32),
        landmarks_m=landmarks_m.astype(np.float32),
    )


def joints_of(person: Person) -> np.ndarray:
    """(t, 24, 3) joints in the camera, metres."""
    pose = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
    shaped = SITES.body.with_shape(torch.from_numpy(person.betas).double())
    joints_m = shaped.with_pose(pose_rotmat=pose).joints_m.numpy()
    return joints_m + person.t_camera_m[:, None]

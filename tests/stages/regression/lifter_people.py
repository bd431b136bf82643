"""People with exact keypoints for tests of the lifter: procedural motion before a camera."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pipeline.body import load_body
from pipeline.camera import project
from pipeline.landmark_sites import PosedSites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.scenes.cameras import in_camera, look_at
from pipeline.scenes.motions import walk
from pipeline.types import Camera, Detections, Video
from stages.regression.lifter.filmed import between_hips
from stages.regression.lifter.view import seen_straight

WIDTH_PX, HEIGHT_PX, FOCAL_PX = 960, 540, 1100.0


@dataclass(frozen=True)
class SeenWalker:
    """One walker, the detections of him, and what is true."""

    video: Video
    camera: Camera
    detections: Detections
    joints_m: np.ndarray
    """(t, 24, 3) in the camera."""
    pose_rotvec: np.ndarray
    t_camera_m: np.ndarray
    betas: np.ndarray
    landmarks_m: np.ndarray
    """(t, 33, 3) the sites in the axes of a camera that looks straight at the body."""


def seen_walker(seconds: float = 2.0, fps: float = 30.0) -> SeenWalker:
    """Somebody walks aslant towards the camera; every landmark is exactly where its site is."""
    body, betas = load_body(), np.zeros(10, np.float32)
    frames = round(seconds * fps)
    motion = walk(body, betas, [(-1.5, -1.5), (0.2, -0.4), (1.4, 0.6)], frames=frames, fps=fps)
    film = look_at(
        np.tile([[0.3, 1.5, 5.0]], (frames, 1)),
        np.tile([[0.0, 0.9, 0.0]], (frames, 1)),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        focal_px=FOCAL_PX,
    )
    root_m = body.J_template_m[0].numpy().astype(np.float64)
    seen = in_camera(film, motion.pose_rotvec, motion.t_world_m, root_m)
    rotmat = rotvec_to_rotmat(torch.from_numpy(seen.pose_rotvec))
    shapes = torch.zeros(frames, 10, dtype=torch.float64)
    sites_m = PosedSites(body).places(rotmat, shapes).numpy() + seen.t_camera_m[:, None]
    posed = body.to(dtype=torch.float64).with_shape(shapes).with_pose(pose_rotmat=rotmat)
    keypoints_px = project(sites_m, film.K_px)
    low, high = keypoints_px.min(1), keypoints_px.max(1)
    landmarks_px = np.concatenate([keypoints_px, np.ones((frames, 33, 1))], -1)
    frame_index = np.arange(frames, dtype=np.int32)
    detections = Detections(
        frame_index,
        np.concatenate([low, high], 1).astype(np.float32),
        np.ones(frames, np.float32),
        "blazepose33",
        landmarks_px.astype(np.float32),
    )
    video = Video(Path("none"), WIDTH_PX, HEIGHT_PX, 0, frame_index / fps, 0, False, "none")
    joints_m = posed.joints_m.numpy() + seen.t_camera_m[:, None]
    directions = (keypoints_px - film.K_px[:2, 2]) / FOCAL_PX
    straight = seen_straight(
        torch.from_numpy(directions[None]).float(), torch.ones(1, frames, len(keypoints_px[0]))
    )
    rotmat_view = straight.rotmat_view_camera[0].double()
    landmarks_m = between_hips(torch.from_numpy(sites_m) @ rotmat_view.mT).float().numpy()
    return SeenWalker(
        video,
        Camera(film.K_px, "given"),
        replace(detections, landmarks_m=landmarks_m),
        joints_m,
        seen.pose_rotvec,
        seen.t_camera_m,
        betas,
        landmarks_m,
    )

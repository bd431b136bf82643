"""Backend `landmarks`: BlazePose's 3D landmarks to a SMPL body, in closed form, without a network.

Pose by inverse kinematics, shape from lengths, place where the body's own landmark sites project
onto the landmarks in the picture.
"""

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.backends import BackendConfig
from pipeline.camera import translation_from_points
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.frame import Frame
from pipeline.landmark_ik import pose_from_landmarks
from pipeline.landmark_shape import betas_from_landmarks
from pipeline.landmark_sites import PosedSites
from pipeline.one_thread import one_thread
from pipeline.rotations import rotmat_to_rotvec
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Bodies, Camera, Detections

LEAST_VISIBILITY = 0.05
"""Every landmark keeps some weight, so that hidden people have a place too."""


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Turns landmarks into bodies."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self.sites = PosedSites(context.body)

    def __call__(self, frames: Sequence[Frame], detections: Detections, camera: Camera) -> Bodies:
        """A body per detection; what has a landmark that is not finite gets NaN.

        Raises:
            SettingsError: the detections have no BlazePose landmarks.
        """
        if len(detections) == 0:
            return _bodies(np.zeros((0, 24, 3)), np.zeros((0, 10)), np.zeros((0, 3)))
        landmarks_px, landmarks_m = detections.landmarks_px, detections.landmarks_m
        if detections.skeleton != BLAZEPOSE33.name or landmarks_px is None or landmarks_m is None:
            raise SettingsError(
                "regression 'landmarks' needs BlazePose's landmarks: use detection.backend="
                "blazepose, or another regression backend for these detections."
            )
        betas = betas_from_landmarks(landmarks_m, self.sites.rest)
        with one_thread():
            pose_rotmat = pose_from_landmarks(landmarks_m, self.sites.rest)
            pose_rotvec = rotmat_to_rotvec(pose_rotmat).numpy()
            sites_m = self.sites.places(pose_rotmat, torch.from_numpy(betas)).numpy()
        weights = np.maximum(landmarks_px[..., 2], LEAST_VISIBILITY)
        t_m = translation_from_points(sites_m, landmarks_px[..., :2], weights, camera.K_px)
        return _bodies(pose_rotvec, betas, t_m)


def _bodies(pose_rotvec: np.ndarray, betas: np.ndarray, t_camera_m: np.ndarray) -> Bodies:
    return Bodies(
        pose_rotvec.astype(np.float32), betas.astype(np.float32), t_camera_m.astype(np.float32)
    )

"""How good a person's motion is, judged without ground truth."""

from typing import Any

import numpy as np
import torch

from pipeline.body import BodyModel
from pipeline.camera import project
from pipeline.landmark_sites import find_sites
from pipeline.metrics import jitter_m_s3
from pipeline.person_file import person_path
from pipeline.result import ResultFolder
from pipeline.types import Camera, Person, Status

SEEN_VISIBILITY = 0.5
JITTER_FRAMES = 4


def person_summary(
    person: Person, folder: ResultFolder, camera: Camera, body: BodyModel
) -> dict[str, Any]:
    """A person's line in run.json: where, how often seen, how well it fits, how it shakes."""
    joints_m, sites_m = _posed(person, body)
    return {
        "id": person.id,
        "file": person_path(folder.path, person.id).relative_to(folder.path).as_posix(),
        "first_frame": int(person.frame_index[0]),
        "last_frame": int(person.frame_index[-1]),
        "first_s": round(float(person.time_s[0]), 6),
        "last_s": round(float(person.time_s[-1]), 6),
        "observed_share": round(float(person.observed.mean()), 4),
        "interpolated_share": round(float((person.status == Status.INTERPOLATED).mean()), 4),
        "confidence": round(float(person.confidence[person.observed].mean()), 4),
        "reprojection_px": _reprojection_px(person, sites_m, camera),
        "jitter_m_s3": _jitter(person, joints_m),
    }


def _posed(person: Person, body: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """Joints and landmark sites in the camera, (t, 24, 3) and (t, k, 3) metres."""
    sites = find_sites(body)
    shaped = body.with_shape(torch.from_numpy(person.betas))
    posed = shaped.with_pose(
        torch.from_numpy(person.pose_rotvec), torch.from_numpy(person.t_camera_m)
    )
    joints_m = posed.joints_m.double().numpy()
    turned = posed.global_rotmat.double().numpy()[:, sites.joint]
    bones_m = sites.at(person.betas) - shaped.joints_rest_m.double().numpy()[sites.joint]
    sites_m = joints_m[:, sites.joint] + np.einsum("tkij,kj->tki", turned, bones_m)
    return joints_m, sites_m


def _reprojection_px(person: Person, sites_m: np.ndarray, camera: Camera) -> float | None:
    """Mean distance of the body's sites from the landmarks that were clearly seen."""
    if person.keypoints_px is None or person.skeleton != "blazepose33":
        return None
    clear = person.observed[:, None] & (person.keypoints_px[..., 2] > SEEN_VISIBILITY)
    if not clear.any():
        return None
    off_px = project(sites_m, camera.K_px) - person.keypoints_px[..., :2]
    return round(float(np.linalg.norm(off_px[clear], axis=-1).mean()), 2)


def _jitter(person: Person, joints_m: np.ndarray) -> float | None:
    if len(person) < JITTER_FRAMES:
        return None
    return round(float(jitter_m_s3(joints_m, person.time_s)), 3)

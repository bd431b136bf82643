"""How far off the lifter is on people that a detector really looked at."""

from dataclasses import dataclass

import torch

from pipeline.metrics import joint_angle_error_deg, mpjpe_mm, pa_mpjpe_mm
from pipeline.rotations import geodesic_angle_rad, rotmat_to_rotvec
from stages.regression.lifter.detected import DetectedPeople
from stages.regression.lifter.filmed import SiteBody
from stages.regression.lifter.network import WINDOW, LifterNetwork
from stages.regression.lifter.view import seen_straight


@dataclass(frozen=True)
class Errors:
    """Over all frames of all clips, in windows that follow each other."""

    step: int
    loss: float
    """Of the last batch of training."""
    mpjpe_mm: float
    pa_mpjpe_mm: float
    angle_deg: float
    """Of a joint's rotation against its parent, the root's against the camera."""
    depth_share: float
    """Mean error of the pelvis' depth, in depths."""
    spread_correlation: float
    """Between the errors of rotations and those that the network expects."""


@torch.inference_mode()
def errors(
    network: LifterNetwork, people: DetectedPeople, sites: SiteBody, step: int, loss: float
) -> Errors:
    """Measure on whole clips."""
    filmed, starts, clips = people.filmed, [], []
    for clip, (start, length) in enumerate(zip(people.start, people.length, strict=True)):
        begins = torch.arange(int(start), int(start + length) - WINDOW + 1, WINDOW // 2)
        starts.append(begins)
        clips.append(torch.full_like(begins, clip))
    rows = torch.cat(starts)[:, None] + torch.arange(WINDOW)
    betas, size = people.betas[torch.cat(clips)], rows.shape
    seen = (filmed.rays, filmed.confidence, filmed.landmarks_m)
    view = seen_straight(*(values[0][rows] for values in seen))
    lifted = network(view.features(), view.confidence.amax(-1) > 0)
    pose = lifted.pose_rotmat.clone()
    pose[:, :, 0] = view.rotmat_view_camera.mT @ pose[:, :, 0]
    true_pose = filmed.pose_rotmat[0][rows]
    found_m = sites.points_m(pose, lifted.betas)[0].flatten(0, 1).numpy()
    true_m = sites.points_m(true_pose, betas)[0].flatten(0, 1).numpy()
    depth_m = lifted.pelvis_m(view.size)[..., 2] / filmed.pelvis_m[0][rows].norm(dim=-1)
    off_rad = geodesic_angle_rad(pose, true_pose).flatten()
    related = torch.corrcoef(torch.stack([off_rad, lifted.log_spread.exp().flatten()]))[0, 1]
    rotvec = [rotmat_to_rotvec(r).reshape(-1, 24, 3).numpy() for r in (pose, true_pose)]
    assert len(found_m) == size[0] * size[1]
    return Errors(
        step,
        loss,
        mpjpe_mm(found_m, true_m),
        pa_mpjpe_mm(found_m, true_m),
        joint_angle_error_deg(*rotvec),
        float((depth_m - 1).abs().mean()),
        float(related),
    )

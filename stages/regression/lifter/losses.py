"""What the lifter is told of its mistakes."""

import torch
from torch import Tensor

from pipeline.rotations import geodesic_angle_rad
from stages.regression.lifter.batches import Batch
from stages.regression.lifter.filmed import NEAREST_M, SiteBody
from stages.regression.lifter.network import BODY_RADIUS_M, Lifted
from stages.regression.lifter.recipe import TrainConfig


def loss_of(lifted: Lifted, batch: Batch, sites: SiteBody, config: TrainConfig) -> Tensor:
    """Joints, keypoint sites, rotations, speed, picture, place and shape, weighed."""
    joints_m, sites_m = sites.points_m(lifted.pose_rotmat, lifted.betas)
    true_joints_m, true_sites_m = sites.points_m(batch.pose_rotmat, batch.betas)
    off_m = joints_m - true_joints_m
    pelvis_m = lifted.pelvis_m(batch.size)
    seen_at = _pixels(sites_m + pelvis_m[:, :, None], batch.size)
    true_at = _pixels(true_sites_m + batch.pelvis_m[:, :, None], batch.size)
    depth = batch.pelvis_m[..., 2]
    true_place = torch.cat(
        [
            batch.pelvis_m[..., :2] / (depth * batch.size[:, None])[..., None],
            (depth * batch.size[:, None] / BODY_RADIUS_M).log()[..., None],
        ],
        -1,
    )
    return (
        config.joints * off_m.norm(dim=-1).mean()
        + config.sites * (sites_m - true_sites_m).norm(dim=-1).mean()
        + config.rotations * (lifted.pose_rotmat - batch.pose_rotmat).abs().mean()
        + config.speed * off_m.diff(dim=1).norm(dim=-1).mean()
        + config.picture * (seen_at - true_at).norm(dim=-1).clamp_max(1.0).mean()
        + config.place * (lifted.place - true_place).abs().clamp_max(1.0).mean()
        + config.shape * (lifted.betas - batch.betas).square().mean()
        + config.spread * surprise(lifted, batch.pose_rotmat)[batch.seen].mean()
    )


def surprise(lifted: Lifted, pose_rotmat: Tensor) -> Tensor:
    """(b, t, 24) by the angles that the rotations are off (Laplace's density, but for a constant).

    The rotations themselves do not learn from it: they would give up what is hard.
    """
    off_rad = geodesic_angle_rad(lifted.pose_rotmat.detach(), pose_rotmat)
    return lifted.log_spread + off_rad * (-lifted.log_spread).exp()


def _pixels(points_m: Tensor, size: Tensor) -> Tensor:
    """In sizes, as `View.points`."""
    z = points_m[..., 2:].clamp_min(NEAREST_M / 2)
    return points_m[..., :2] / z / size[:, None, None, None]

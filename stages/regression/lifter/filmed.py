"""Windows of motion before random cameras: bodies of random shape, their keypoints, the truth."""

from dataclasses import dataclass, replace
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.body import BodyModel
from pipeline.kinematics import place_joints
from pipeline.landmark_sites import find_sites
from pipeline.motion_clips import MIRROR, MotionClips, mirror_rotmat
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33
from stages.regression.lifter.network import WINDOW
from stages.regression.lifter.variety import varied
from stages.regression.lifter.view import Keypoints, seen_straight

TEMPO = (0.7, 1.4)
DISTANCE_M = (1.8, 12.0)
ELEVATION_DEG, MOST_ELEVATION_DEG = 5.0, 65.0
TILTED = 0.4
"""Share of cameras that nobody held level; then both spreads are the second ones."""
ELEVATION_SPREAD_DEG, ROLL_SPREAD_DEG = (10.0, 25.0), (3.0, 20.0)
AIM_SPREAD = (0.25, 0.1)
"""How far beside the person a camera aims, in units of the distance."""
FOLLOWING = 0.4
"""Share of cameras that turn with the person."""
LARGEST_BETA = 2.5
NEAREST_M = 0.4
HIPS = torch.from_numpy(BLAZEPOSE33.indices("left_hip", "right_hip")).long()


@dataclass(frozen=True)
class Filmed:
    """Windows of people in the camera's axes; `b` windows of `t` frames."""

    pose_rotmat: Float[Tensor, "b t 24 3 3"]
    pelvis_m: Float[Tensor, "b t 3"]
    betas: Float[Tensor, "b 10"]
    rays: Float[Tensor, "b t 33 2"]
    """Keypoints as x / z and y / z: exact ones, or what a detector made of them."""
    confidence: Float[Tensor, "b t 33"]
    """0 where a detector saw nothing; 1 for exact keypoints."""
    landmarks_m: Float[Tensor, "b t 33 3"]
    """As `View.landmarks_m`."""

    def mirrored(self, chosen: Tensor) -> "Filmed":
        """Left and right exchanged in the windows chosen (b,) bool."""
        mirror = Keypoints(self.rays, self.confidence, self.landmarks_m).mirrored()

        def pick(mirrored: Tensor, plain: Tensor) -> Tensor:
            return torch.where(chosen.view(-1, *[1] * (plain.ndim - 1)), mirrored, plain)

        return replace(
            self,
            pose_rotmat=pick(mirror_rotmat(self.pose_rotmat), self.pose_rotmat),
            pelvis_m=pick(self.pelvis_m @ MIRROR, self.pelvis_m),
            rays=pick(mirror.rays, self.rays),
            confidence=pick(mirror.confidence, self.confidence),
            landmarks_m=pick(mirror.landmarks_m, self.landmarks_m),
        )


class SiteBody:
    """Joints and keypoint sites of a body, the pelvis held at the origin."""

    def __init__(self, body: BodyModel) -> None:
        sites = find_sites(body)
        self.body = body
        self.carrier = torch.from_numpy(sites.joint).long()
        self.rest_m = torch.from_numpy(sites.rest_m).float()
        self.rest_per_beta_m = torch.from_numpy(sites.rest_per_beta_m).float()

    def points_m(
        self, pose_rotmat: Float[Tensor, "b t 24 3 3"], betas: Float[Tensor, "b 10"]
    ) -> tuple[Float[Tensor, "b t 24 3"], Float[Tensor, "b t 33 3"]]:
        """Joints and sites relative to the pelvis."""
        joints_rest_m = self.body.with_shape(betas).joints_rest_m[:, None]
        rotmat, joints_m = place_joints(self.body.chain, joints_rest_m, pose_rotmat)
        sites_rest_m = self.rest_m + torch.einsum("kcn,bn->bkc", self.rest_per_beta_m, betas)
        arms_m = sites_rest_m[:, None] - joints_rest_m[..., self.carrier, :]
        turned = (rotmat[..., self.carrier, :, :] @ arms_m[..., None])[..., 0]
        sites_m = joints_m[..., self.carrier, :] + turned
        pelvis_m = joints_m[..., :1, :]
        return joints_m - pelvis_m, sites_m - pelvis_m


def film_windows(clips: MotionClips, sites: SiteBody, count: int, rng: torch.Generator) -> Filmed:
    """Random motion, shape, side and camera; keypoints are exact."""
    motion = varied(clips.windows(count, WINDOW, TEMPO, rng), rng)
    betas = torch.randn(count, 10, generator=rng).clamp(-LARGEST_BETA, LARGEST_BETA)
    rest = sites.body.with_shape(betas).joints_rest_m
    pelvis_world_m = motion.t_world_m + rest[:, None, 0]
    rotmat_camera_world, place_m = _cameras(pelvis_world_m, rng)
    root = rotmat_camera_world @ motion.rotmat[:, :, 0]
    pose = torch.cat([root[:, :, None], motion.rotmat[:, :, 1:]], 2)
    pelvis_m = (rotmat_camera_world @ (pelvis_world_m - place_m)[..., None])[..., 0]
    nearest = pelvis_m[..., 2].amin(1, keepdim=True)[..., None]
    pelvis_m = pelvis_m + torch.nn.functional.pad((NEAREST_M + 1.0 - nearest).clamp_min(0), (2, 0))
    from_pelvis_m = sites.points_m(pose, betas)[1]
    rays = rays_to(from_pelvis_m + pelvis_m[:, :, None])
    confidence = torch.ones_like(rays[..., 0])
    view = seen_straight(rays, confidence)
    landmarks_m = between_hips(from_pelvis_m @ view.rotmat_view_camera.mT)
    filmed = Filmed(pose, pelvis_m, betas, rays, confidence, landmarks_m)
    return filmed.mirrored(torch.randint(2, (count,), generator=rng) == 0)


def rays_to(points_m: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 2"]:
    """X / z and y / z of points in the camera's axes."""
    return points_m[..., :2] / points_m[..., 2:].clamp_min(NEAREST_M)


def between_hips(points_m: Float[Tensor, "*b 33 3"]) -> Float[Tensor, "*b 33 3"]:
    """Moved so that the middle of the hip marks is the origin, as detectors give them."""
    return points_m - points_m[..., HIPS, :].mean(-2, keepdim=True)


def _cameras(pelvis_world_m: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """World to camera (b, t, 3, 3) and places (b, 1, 3): any side, mostly level, some following."""
    count, frames = pelvis_world_m.shape[:2]
    middle_m = pelvis_world_m.mean(1, keepdim=True)
    low, high = (torch.tensor(d).log() for d in DISTANCE_M)
    distance_m = (low + (high - low) * torch.rand(count, 1, 1, generator=rng)).exp()
    tilted = torch.rand(count, 1, 1, generator=rng) < TILTED
    spread_deg, roll_spread_deg = (
        torch.where(tilted, wide, narrow)
        for narrow, wide in (ELEVATION_SPREAD_DEG, ROLL_SPREAD_DEG)
    )
    elevation = ELEVATION_DEG + spread_deg * torch.randn(count, 1, 1, generator=rng)
    elevation = elevation.clamp(-MOST_ELEVATION_DEG, MOST_ELEVATION_DEG) * pi / 180
    heading = 2 * pi * torch.rand(count, 1, 1, generator=rng)
    level = elevation.cos()
    away = torch.cat([heading.sin() * level, elevation.sin(), heading.cos() * level], -1)
    place_m = middle_m + distance_m * away
    aside = torch.randn(count, 1, 3, generator=rng) * torch.tensor(
        [AIM_SPREAD[0], AIM_SPREAD[1], AIM_SPREAD[0]]
    )
    follows = torch.rand(count, 1, 1, generator=rng) < FOLLOWING
    target_m = torch.where(follows, pelvis_world_m, middle_m.expand(-1, frames, -1))
    ahead = torch.nn.functional.normalize(target_m + distance_m * aside - place_m, dim=-1)
    down = torch.tensor([0.0, -1.0, 0.0]).expand_as(ahead)
    right = torch.nn.functional.normalize(torch.linalg.cross(down, ahead), dim=-1)
    rotmat = torch.stack([right, torch.linalg.cross(ahead, right), ahead], -2)
    roll = roll_spread_deg * pi / 180 * torch.randn(count, 1, 1, generator=rng)
    turn = rotvec_to_rotmat(torch.nn.functional.pad(roll, (2, 0)))
    return turn @ rotmat, place_m

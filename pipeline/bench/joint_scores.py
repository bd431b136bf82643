"""A run against measured joints: which found person it is, and how far off its points are.

Like for like: marks such as OpenPose's or BlazePose's are compared with the body's landmark sites
(`pipeline.landmark_sites`), joint centres with SMPL's joints.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from pipeline import metrics
from pipeline.bench.joint_truth import SKELETONS, JointTruth
from pipeline.body import BodyModel
from pipeline.camera import project
from pipeline.landmark_sites import PosedSites
from pipeline.person_file import joints_camera_m
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Person

NEAR_ENOUGH = 0.35
"""A found body is the true person's if its points lie within this share of its height."""
MS_PER_S = 1000.0
LEAST_FRAMES = 3
"""Fewer have no velocity to tell the time by."""
LEAST_SPEED_PX_S = 1.0
"""What is slower at its fastest tells no time either."""
HIPS = ("left_hip", "right_hip")


@dataclass(frozen=True)
class JointScore:
    """Errors over the frames in which truth and body are both there."""

    pa_mpjpe_mm: float
    mpjpe_mm: float
    """Hips (else all points) laid upon each other by their middle."""
    acceleration_error_m_s2: float
    """After the same."""
    translation_error_mm: float
    """Of that middle in the camera; NaN for landmarks without a place."""
    coverage: float
    truth_ahead_ms: float
    """How much earlier the truth shows the motion than the picture does: its clock, not an error
    of the body. NaN for landmarks without a place."""
    frames: int


@dataclass(frozen=True)
class FoundPoints:
    """The true person's points as found, over the clip's frames; NaN where it was not found."""

    points_m: Float64[np.ndarray, "t k 3"]
    placed: bool
    """In the camera's axes with their place; else only turned into them."""


def score_joints(truth: JointTruth, found: FoundPoints) -> JointScore:
    """Compare; the truth is that of the clip's frames (`JointTruth.at`)."""
    assert truth.time_s is not None, "take the truth at the clip's frames first"
    true_m = truth.joints_camera_m
    known = np.isfinite(true_m).all((1, 2))
    valid = known & np.isfinite(found.points_m).all((1, 2))
    points_m, true_m = np.nan_to_num(found.points_m), np.nan_to_num(true_m)
    smooth_m = np.nan_to_num(truth.filtered_m())
    hips = [truth.joints.index(name) for name in HIPS if name in truth.joints]
    middle = hips or list(range(len(truth.joints)))
    away_m = (smooth_m - points_m)[:, middle].mean(axis=1, keepdims=True)
    place_mm = metrics.translation_error_mm(
        points_m[:, middle].mean(axis=1), true_m[:, middle].mean(axis=1), valid=valid
    )
    accel = metrics.acceleration_error_mm_s2(points_m + away_m, smooth_m, truth.time_s, valid=valid)
    return JointScore(
        pa_mpjpe_mm=metrics.pa_mpjpe_mm(points_m, true_m, valid=valid),
        mpjpe_mm=metrics.mpjpe_mm(points_m, true_m, valid=valid, root=middle),
        acceleration_error_m_s2=accel / metrics.MM_PER_M,
        translation_error_mm=place_mm if found.placed else float("nan"),
        coverage=metrics.coverage(valid, known),
        truth_ahead_ms=_ahead_ms(truth, points_m, valid) if found.placed else float("nan"),
        frames=int(valid.sum()),
    )


def _ahead_ms(
    truth: JointTruth, points_m: Float64[np.ndarray, "t k 3"], valid: Bool[np.ndarray, " t"]
) -> float:
    """The delay that brings the true points nearest to the found ones in the picture.

    Least squares of `found(t) = true(t) - delay * velocity(t) + offset of the point`. Depth is left
    out: it is what a single camera sees worst.
    """
    assert truth.time_s is not None
    if int(valid.sum()) < LEAST_FRAMES:
        return float("nan")
    true_px = project(truth.filtered_m()[valid], truth.K_px)
    found_px = project(points_m[valid], truth.K_px)
    velocity = np.gradient(true_px, truth.time_s[valid], axis=0)
    velocity -= velocity.mean(axis=0)
    late = true_px - found_px
    if float(np.abs(velocity).max()) < LEAST_SPEED_PX_S:
        return float("nan")
    return MS_PER_S * float((late * velocity).sum() / np.square(velocity).sum())


def body_points(truth: JointTruth, people: tuple[Person, ...], body: BodyModel) -> FoundPoints:
    """The points of whichever found body lies on the true person, frame by frame."""
    points_m = np.stack(
        [_points_of(person, truth, body) for person in people]
        or [np.full_like(truth.joints_camera_m, np.nan)]
    )
    rows = _nearest(truth, points_m)
    return FoundPoints(_picked(points_m, rows), placed=True)


def own_landmarks(truth: JointTruth, people: tuple[Person, ...], body: BodyModel) -> FoundPoints:
    """The detector's own 3D landmarks of the same people; NaN where it gives none."""
    bodies_m = [_points_of(person, truth, body) for person in people]
    nothing = np.full_like(truth.joints_camera_m, np.nan)
    rows = _nearest(truth, np.stack(bodies_m or [nothing]))
    landmarks_m = [nothing.copy() for _ in people] or [nothing]
    wanted = BLAZEPOSE33.indices(*truth.joints) if truth.points == "landmarks" else None
    for over_m, person in zip(landmarks_m, people, strict=False):
        if wanted is not None and person.landmarks_m is not None:
            over_m[person.frame_index] = person.landmarks_m[:, wanted]
    return FoundPoints(_picked(np.stack(landmarks_m), rows), placed=False)


def _points_of(person: Person, truth: JointTruth, body: BodyModel) -> np.ndarray:
    """(t, k, 3) over the clip's frames, NaN where the body is not to be believed."""
    wanted = SKELETONS[truth.points].indices(*truth.joints)
    if truth.points == "smpl24":
        points_m = joints_camera_m(person, body)[:, wanted].astype(np.float64)
    else:
        pose = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
        betas = torch.from_numpy(person.betas).double().expand(len(person), 10)
        points_m = PosedSites(body).places(pose, betas).numpy()[:, wanted]
        points_m = points_m + person.t_camera_m[:, None]
    over_m = np.full_like(truth.joints_camera_m, np.nan)
    over_m[person.frame_index] = np.where(person.drawn[:, None, None], points_m, np.nan)
    return over_m


def _nearest(
    truth: JointTruth, points_m: Float64[np.ndarray, "p t k 3"]
) -> Int64[np.ndarray, " t"]:
    """Row of the found person on the true one in every frame, -1 where nobody is."""
    true_px = project(np.nan_to_num(truth.joints_camera_m, nan=1.0), truth.K_px)
    found_px = project(np.nan_to_num(points_m, nan=1e3), truth.K_px)
    height_px = np.ptp(true_px[..., 1], axis=1)
    away = np.linalg.norm(found_px - true_px, axis=-1).mean(axis=-1) / np.maximum(height_px, 1.0)
    there: Bool[np.ndarray, "p t"] = np.isfinite(points_m).all((2, 3))
    away = np.where(there, away, np.inf)
    rows = away.argmin(axis=0)
    return np.where(away.min(axis=0) < NEAR_ENOUGH, rows, -1)


def _picked(points_m: np.ndarray, rows: np.ndarray) -> np.ndarray:
    chosen = points_m[np.maximum(rows, 0), np.arange(len(rows))]
    return np.where(rows[:, None, None] >= 0, chosen, np.nan)

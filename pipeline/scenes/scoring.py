"""Found people against a film's truth: who is who by place in the picture, then the errors.

Every frame in which a true person is present counts; found people are assigned anew in every
frame, so that a swap of ids shows as a swap and not as a good pose.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy.optimize import linear_sum_assignment

from pipeline import metrics
from pipeline.body import BodyModel
from pipeline.camera import project
from pipeline.person_file import joints_camera_m
from pipeline.scenes.scene import Truth
from pipeline.types import Person

NEAR_ENOUGH = 0.35
"""A found body is a true person's if its joints lie within this share of the person's height."""
NOBODY = -1


@dataclass(frozen=True)
class PersonScore:
    """How well one true person was found; errors are over the frames it was found in."""

    frames_present: int
    coverage: float
    id_switches: int
    mpjpe_mm: float
    pa_mpjpe_mm: float
    translation_error_mm: float
    """Of the pelvis in the camera."""
    joint_angle_error_deg: float
    acceleration_error_mm_s2: float
    """Of the joints in the camera."""


@dataclass(frozen=True)
class Score:
    """A whole film."""

    people: tuple[PersonScore, ...]
    nobody_frames: int
    """Bodies found, counted per frame, where there is no true person."""


@dataclass(frozen=True)
class _Found:
    """Found people laid over the film's frames, f of them."""

    ids: Int64[np.ndarray, " f"]
    drawn: Bool[np.ndarray, "f t"]
    joints_camera_m: Float32[np.ndarray, "f t 24 3"]
    pose_rotvec: Float32[np.ndarray, "f t 24 3"]


def score(truth: Truth, people: tuple[Person, ...], body: BodyModel) -> Score:
    """Compare; the found people's frame 0 is the truth's frame 0."""
    found = _laid_over(people, len(truth.time_s), body)
    match = _matches(truth, found)
    used = [len(np.unique(column[column >= 0])) for column in match.T]
    return Score(
        people=tuple(_person_score(truth, found, match, p) for p in range(len(match))),
        nobody_frames=int(found.drawn.sum() - np.sum(used)),
    )


def _laid_over(people: tuple[Person, ...], frames: int, body: BodyModel) -> _Found:
    drawn = np.zeros((len(people), frames), dtype=bool)
    joints_m = np.full((len(people), frames, 24, 3), np.nan, dtype=np.float32)
    pose_rotvec = np.full((len(people), frames, 24, 3), np.nan, dtype=np.float32)
    for row, person in enumerate(people):
        drawn[row, person.frame_index] = person.drawn
        joints_m[row, person.frame_index] = joints_camera_m(person, body)
        pose_rotvec[row, person.frame_index] = person.pose_rotvec
    ids = np.array([person.id for person in people], dtype=np.int64)
    return _Found(ids, drawn, joints_m, pose_rotvec)


def _matches(truth: Truth, found: _Found) -> Int64[np.ndarray, "p t"]:
    """For every true person and frame the row of the found one, or `NOBODY`.

    Absent people are matched too (a body found on a hidden person is no false one); the scores
    leave those frames out.
    """
    people, frames = truth.seen_share.shape
    match = np.full((people, frames), NOBODY, dtype=np.int64)
    heights_px = truth.boxes_xyxy_px[..., 3] - truth.boxes_xyxy_px[..., 1]
    for frame in range(frames):
        rows = np.flatnonzero(found.drawn[:, frame])
        if not len(rows):
            continue
        true_px = project(truth.joints_camera_m[:, frame], truth.K_px)
        found_px = project(found.joints_camera_m[rows, frame], truth.K_px)
        away_px = np.linalg.norm(true_px[:, None] - found_px[None], axis=-1).mean(axis=-1)
        # What is too far away costs the same however far it is, and so displaces no good pair.
        share = np.minimum(away_px / heights_px[:, frame, None], NEAR_ENOUGH)
        for person, column in zip(*linear_sum_assignment(share), strict=True):
            if share[person, column] < NEAR_ENOUGH:
                match[person, frame] = rows[column]
    return match


def _person_score(truth: Truth, found: _Found, match: np.ndarray, person: int) -> PersonScore:
    present, rows = truth.present[person], match[person]
    scored = present & (rows >= 0)
    true_m = truth.joints_camera_m[person]
    joints_m, pose_rotvec = np.zeros_like(true_m), np.zeros_like(true_m)
    frames = np.flatnonzero(scored)
    joints_m[frames] = found.joints_camera_m[rows[frames], frames]
    pose_rotvec[frames] = found.pose_rotvec[rows[frames], frames]
    return PersonScore(
        frames_present=int(present.sum()),
        coverage=metrics.coverage(rows >= 0, present),
        id_switches=metrics.id_switches(rows[scored]),
        mpjpe_mm=metrics.mpjpe_mm(joints_m, true_m, valid=scored),
        pa_mpjpe_mm=metrics.pa_mpjpe_mm(joints_m, true_m, valid=scored),
        translation_error_mm=metrics.translation_error_mm(
            joints_m[:, 0], true_m[:, 0], valid=scored
        ),
        joint_angle_error_deg=metrics.joint_angle_error_deg(
            pose_rotvec, truth.pose_rotvec[person], valid=scored
        ),
        acceleration_error_mm_s2=metrics.acceleration_error_mm_s2(
            joints_m, true_m, truth.time_s, valid=scored
        ),
    )

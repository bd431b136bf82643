"""Found people against a film's truth: who is who by place in the picture, then the errors.

Every frame in which a true person is present counts; found people are assigned anew in every
frame, so that a swap of ids shows as a swap and not as a good pose.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64

from pipeline import metrics
from pipeline.body import BodyModel, PosedBody
from pipeline.scenes.matching import NOBODY, Found, laid_over, matches
from pipeline.scenes.motion import build_of, contact_points_m
from pipeline.scenes.scene import Truth
from pipeline.types import Person


@dataclass(frozen=True)
class PersonScore:
    """How well one true person was found; errors are over the frames it was found in."""

    frames_present: int
    frames_scored: int
    """Frames in which it was there and found."""
    coverage: float
    id_switches: int
    mpjpe_mm: float
    pa_mpjpe_mm: float
    pve_mm: float
    """Of the skin, pelvis on pelvis; NaN where the found body's vertices are not the film's."""
    translation_error_mm: float
    """Of the pelvis in the camera."""
    joint_angle_error_deg: float
    acceleration_error_mm_s2: float
    """Of the joints in the camera."""
    jitter_m_s3: float
    """Of the joints in the world, into which the true camera brings them."""
    true_jitter_m_s3: float
    foot_slide_mm_per_frame: float
    """Of heels and balls of the feet that truly touch the ground, brought into the world too."""
    true_foot_slide_mm_per_frame: float
    contacts: int
    """Pairs of frames and points that the foot slide is a mean of."""


@dataclass(frozen=True)
class Score:
    """A whole film."""

    people: tuple[PersonScore, ...]
    nobody_frames: int
    """Bodies found, counted per frame, where there is no true person."""


def score(
    truth: Truth,
    people: tuple[Person, ...],
    body: BodyModel,
    found_body: BodyModel | None = None,
) -> Score:
    """Compare; the found people's frame 0 is the truth's frame 0.

    Args:
        truth: of the film.
        people: found.
        body: that the film was made with.
        found_body: that the found people have, where it is another.
    """
    found_body = found_body or body
    found = laid_over(people, len(truth.time_s), found_body)
    match = matches(truth, found)
    used = [len(np.unique(column[column >= 0])) for column in match.T]
    scorer = _Scorer(truth, found, body, found_body)
    return Score(
        people=tuple(scorer.person(p, match[p]) for p in range(len(match))),
        nobody_frames=int(found.drawn.sum() - np.sum(used)),
    )


@dataclass(frozen=True)
class _FootSlide:
    """Way per frame of feet that touch the ground, and over how many pairs of frames."""

    found_mm: float
    true_mm: float
    contacts: int


@dataclass(frozen=True)
class _Scorer:
    """One film's truth and what was found in it."""

    truth: Truth
    found: Found
    body: BodyModel
    found_body: BodyModel

    def person(self, person: int, rows: Int64[np.ndarray, " t"]) -> PersonScore:
        """The score of a true person whose found rows are these."""
        truth, present = self.truth, self.truth.present[person]
        scored = present & (rows != NOBODY)
        frames = np.flatnonzero(scored)
        true_m = truth.joints_camera_m[person]
        joints_m = self._picked(self.found.joints_camera_m, rows, frames)
        pose_rotvec = self._picked(self.found.pose_rotvec, rows, frames)
        slide = self._foot_slide(person, rows, scored)
        every = np.arange(len(scored))
        time_s = truth.time_s
        return PersonScore(
            frames_present=int(present.sum()),
            frames_scored=len(frames),
            coverage=metrics.coverage(rows != NOBODY, present),
            id_switches=metrics.id_switches(rows[scored]),
            mpjpe_mm=metrics.mpjpe_mm(joints_m, true_m, valid=scored),
            pa_mpjpe_mm=metrics.pa_mpjpe_mm(joints_m, true_m, valid=scored),
            pve_mm=self._pve_mm(person, rows, frames),
            translation_error_mm=metrics.translation_error_mm(
                joints_m[:, 0], true_m[:, 0], valid=scored
            ),
            joint_angle_error_deg=metrics.joint_angle_error_deg(
                pose_rotvec, truth.pose_rotvec[person], valid=scored
            ),
            acceleration_error_mm_s2=metrics.acceleration_error_mm_s2(
                joints_m, true_m, time_s, valid=scored
            ),
            jitter_m_s3=metrics.jitter_m_s3(truth.in_world(every, joints_m), time_s, valid=scored),
            true_jitter_m_s3=metrics.jitter_m_s3(
                truth.in_world(every, true_m), time_s, valid=scored
            ),
            foot_slide_mm_per_frame=slide.found_mm,
            true_foot_slide_mm_per_frame=slide.true_mm,
            contacts=slide.contacts,
        )

    def _picked(self, values: np.ndarray, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """(t, ...) of whoever was matched in each frame; zero elsewhere."""
        picked = np.zeros((len(rows), *values.shape[2:]), values.dtype)
        picked[frames] = values[rows[frames], frames]
        return picked

    def _true_posed(self, person: int, frames: np.ndarray) -> PosedBody:
        shaped = self.body.with_shape(torch.from_numpy(self.truth.betas[person]))
        return shaped.with_pose(
            torch.from_numpy(self.truth.pose_rotvec[person, frames]),
            torch.from_numpy(self.truth.t_camera_m[person, frames]),
        )

    def _pve_mm(self, person: int, rows: np.ndarray, frames: np.ndarray) -> float:
        if not len(frames) or self.found_body.name != self.body.name:
            return float("nan")
        total = 0.0
        for row in map(int, np.unique(rows[frames])):
            mine = frames[rows[frames] == row]
            found = self.found.posed(self.found_body, row, mine)
            true = self._true_posed(person, mine)
            total += len(mine) * metrics.pve_mm(
                found.vertices().numpy(),
                true.vertices().numpy(),
                predicted_root_m=found.joints_m[:, 0].numpy(),
                true_root_m=true.joints_m[:, 0].numpy(),
            )
        return total / len(frames)

    def _foot_slide(self, person: int, rows: np.ndarray, scored: np.ndarray) -> "_FootSlide":
        truth, frames = self.truth, np.flatnonzero(scored)
        every = np.arange(len(scored))
        points_m = self._picked(self.found.contact_points_camera_m, rows, frames)
        true_m = contact_points_m(
            self._true_posed(person, every), build_of(self.body, truth.betas[person])
        )
        contact = truth.contact[person] & scored[:, None]
        found_mm, true_mm = (
            metrics.foot_slide_mm_per_frame(truth.in_world(every, points), contact)
            for points in (points_m, true_m)
        )
        return _FootSlide(found_mm, true_mm, int((contact[1:] & contact[:-1]).sum()))

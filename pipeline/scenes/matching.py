"""Who of the found people is who of the true ones, frame by frame, by place in the picture."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from scipy.optimize import linear_sum_assignment

from pipeline.body import BodyModel, PosedBody
from pipeline.camera import project
from pipeline.person_file import joints_camera_m
from pipeline.scenes.motion import build_of, contact_points_m
from pipeline.scenes.scene import Truth
from pipeline.types import Person

NEAR_ENOUGH = 0.35
"""A found body is a true person's if its joints lie within this share of the person's height."""
NOBODY = -1


@dataclass(frozen=True)
class Found:
    """Found people laid over the film's frames, f of them; NaN where one is not drawn."""

    ids: Int64[np.ndarray, " f"]
    drawn: Bool[np.ndarray, "f t"]
    joints_camera_m: Float32[np.ndarray, "f t 24 3"]
    contact_points_camera_m: Float32[np.ndarray, "f t 4 3"]
    pose_rotvec: Float32[np.ndarray, "f t 24 3"]
    betas: Float32[np.ndarray, "f 10"]
    t_camera_m: Float32[np.ndarray, "f t 3"]

    def posed(self, body: BodyModel, row: int, frames: Int64[np.ndarray, " n"]) -> PosedBody:
        """One found person's body in the camera in these frames."""
        shaped = body.with_shape(torch.from_numpy(self.betas[row]))
        pose_rotvec = torch.from_numpy(self.pose_rotvec[row, frames])
        return shaped.with_pose(pose_rotvec, torch.from_numpy(self.t_camera_m[row, frames]))


def laid_over(people: tuple[Person, ...], frames: int, body: BodyModel) -> Found:
    """The found people over all frames of a film."""
    count = len(people)
    drawn = np.zeros((count, frames), dtype=bool)
    shapes = {"joints": (24, 3), "points": (4, 3), "pose": (24, 3), "t": (3,)}
    over = {
        name: np.full((count, frames, *shape), np.nan, np.float32) for name, shape in shapes.items()
    }
    for row, person in enumerate(people):
        part = person.frame_index
        drawn[row, part] = person.drawn
        over["joints"][row, part] = joints_camera_m(person, body)
        over["pose"][row, part] = person.pose_rotvec
        over["t"][row, part] = person.t_camera_m
        shaped = body.with_shape(torch.from_numpy(person.betas))
        posed = shaped.with_pose(
            torch.from_numpy(person.pose_rotvec), torch.from_numpy(person.t_camera_m)
        )
        over["points"][row, part] = contact_points_m(posed, build_of(body, person.betas))
    return Found(
        ids=np.array([person.id for person in people], dtype=np.int64),
        drawn=drawn,
        joints_camera_m=over["joints"],
        contact_points_camera_m=over["points"],
        pose_rotvec=over["pose"],
        betas=np.array([person.betas for person in people], np.float32).reshape(-1, 10),
        t_camera_m=over["t"],
    )


def matches(truth: Truth, found: Found) -> Int64[np.ndarray, "p t"]:
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

"""A person's joints, landmark sites and soles in the camera: what all measures look at."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from pipeline.body import BodyModel
from pipeline.landmark_sites import find_sites
from pipeline.types import Person

SOLE_VERTICES = 24
"""Lowest vertices of each foot at rest."""
FOOT_JOINTS = ((7, 10), (8, 11))
"""Ankle and ball, left and right."""


@dataclass(frozen=True)
class Posed:
    """One person over t frames, camera axes, metres."""

    person: Person
    joints_m: Float64[np.ndarray, "t 24 3"]
    sites_m: Float64[np.ndarray, "t 33 3"]
    """Where the body carries BlazePose's landmarks."""
    soles_m: Float64[np.ndarray, "t 2 s 3"]
    """Points of the left and right sole."""
    stature_m: float
    """Height at rest, from sole to crown."""


def pose_person(person: Person, body: BodyModel) -> Posed:
    """Pose a person's body in every frame, only the points that are looked at."""
    sites, soles = find_sites(body), sole_vertices(body)
    shaped = body.with_shape(torch.from_numpy(person.betas))
    posed = shaped.with_pose(
        torch.from_numpy(person.pose_rotvec), torch.from_numpy(person.t_camera_m)
    )
    joints_m = posed.joints_m.double().numpy()
    turned = posed.global_rotmat.double().numpy()[:, sites.joint]
    arms_m = sites.at(person.betas) - shaped.joints_rest_m.double().numpy()[sites.joint]
    sites_m = joints_m[:, sites.joint] + np.einsum("tkij,kj->tki", turned, arms_m)
    soles_m = posed.vertices(torch.from_numpy(soles.ravel())).double().numpy()
    return Posed(
        person=person,
        joints_m=joints_m,
        sites_m=sites_m,
        soles_m=soles_m.reshape(len(person), 2, -1, 3),
        stature_m=statures_m(person.betas[None], body)[0],
    )


def sole_vertices(body: BodyModel) -> np.ndarray:
    """(2, s) vertex numbers of the left and right sole: the lowest of each foot at rest."""
    weights, height_m = body.weights.numpy(), body.v_template_m.numpy()[:, 1]
    feet = [weights[:, joints].sum(axis=1) > 0.5 for joints in FOOT_JOINTS]  # noqa: PLR2004
    return np.stack(
        [
            np.argsort(np.where(foot, height_m, np.inf), kind="stable")[:SOLE_VERTICES]
            for foot in feet
        ]
    )


def statures_m(betas: np.ndarray, body: BodyModel) -> np.ndarray:
    """(n,) heights at rest of n shapes (n, 10), sole to crown of the average body."""
    height_m = body.v_template_m.numpy()[:, 1]
    ends = torch.tensor([int(height_m.argmin()), int(height_m.argmax())])
    moved = body.shapedirs[ends, 1].double().numpy() @ betas.T.astype(np.float64)
    return height_m[ends[1]] - height_m[ends[0]] + moved[1] - moved[0]

"""SMPLify's published objective as refinement."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.camera import project
from pipeline.context import Context
from pipeline.errors import MissingError
from pipeline.metrics import mpjpe_mm
from pipeline.rotations import rotvec_to_rotmat
from pipeline.types import Status
from stages.refinement.smplify import Backend, Config
from stages.refinement.smplify.chain import Chain, Motion
from tests.stages.refinement.moving_body import CAMERA, SITES, joints_of, walk


def fitted(person, **published):
    config = Config(objective="published", published=published)
    (out,) = Backend(config, Context())((person,), CAMERA)
    return out


def pixel_error(person, seen) -> float:
    rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
    betas = torch.from_numpy(person.betas).double().expand(len(person), 10)
    sites_m = SITES.places(rotmat, betas).numpy() + person.t_camera_m[:, None]
    away = project(sites_m, CAMERA.K_px) - seen.keypoints_px[..., :2]
    return float(np.linalg.norm(away, axis=-1).mean())


@pytest.mark.parametrize("preset", ["spin", "smplify"])
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_a_bent_start_comes_back_to_the_picture(preset, optimiser):
    truth = walk(seconds=0.2)
    pose = truth.person.pose_rotvec.copy()
    pose[:, [4, 5], 0] += 0.5
    start = replace(truth.person, pose_rotvec=pose)
    fit = fitted(start, preset=preset, optimiser=optimiser)
    assert pixel_error(fit, truth.person) < 0.5 * pixel_error(start, truth.person)
    # One picture does not tell the depth: in space the published objective may well lose.
    assert mpjpe_mm(joints_of(fit), truth.joints_m) < 110.0


def test_frames_do_not_know_each_other_and_unseen_ones_stay():
    person = walk(seconds=0.2).person
    status = person.status.copy()
    status[2] = Status.INTERPOLATED
    fit = fitted(replace(person, status=status), optimiser="adam", steps=20)
    rotmats = [rotvec_to_rotmat(torch.from_numpy(p.pose_rotvec[2]).double()) for p in (fit, person)]
    torch.testing.assert_close(*rotmats, atol=1e-6, rtol=0)
    alone = replace(
        person,
        **{
            name: getattr(person, name)[:1]
            for name, value in vars(person).items()
            if isinstance(value, np.ndarray) and name != "betas"
        },
    )
    first = fitted(alone, optimiser="adam", steps=20)
    np.testing.assert_allclose(first.pose_rotvec[0], fit.pose_rotvec[0], atol=1e-4)


def test_sites_of_many_shapes_are_those_of_one():
    chain, truth = Chain(SITES.body), walk(seconds=0.1)
    build = torch.zeros(28, dtype=torch.float64)
    build[:10] = torch.from_numpy(truth.person.betas)
    t_m = torch.from_numpy(truth.person.t_camera_m).double()
    expected = chain.places(Motion(truth.pose_rotmat, t_m, build))[0]
    found = chain.sites_of(truth.pose_rotmat, build[:10].expand(len(t_m), 10), t_m)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_a_prior_that_is_not_there_is_told():
    with pytest.raises(MissingError, match="no such file"):
        Backend(Config(objective="published", published={"prior": "/none/gmm_08.pkl"}), Context())

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.smplify_prior import PRIOR_PATH, shipped_pose_prior
from stages.refinement.smplify.dofs import make_dofs
from stages.refinement.smplify.mixture import Mixture, fit_mixture
from stages.refinement.smplify.normal import Normal
from stages.refinement.smplify.prior import TURNS, PriorTerm, shipped_dof_prior
from stages.refinement.smplify.train_prior import read_poses
from tests.stages.refinement.moving_body import walking_pose

HELD_OUT = Path(__file__).resolve().parents[4] / "shared" / "data" / "mocap_smpl" / "val"
TIMES_S = np.array([0.1, 0.35, 0.8])


def shipped_mixture() -> Mixture:
    with np.load(PRIOR_PATH) as file:
        keys = ("means", "covars", "weights")
        return Mixture(*(torch.from_numpy(file[f"dof_{key}"]).double() for key in keys))


def random_angles(count: int) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(0, 0.4, (count, make_dofs().count - 3 - TURNS)))


def test_the_cost_is_minus_two_log_of_the_best_component_but_a_constant() -> None:
    x, mixture = random_angles(50), shipped_mixture()
    log = [
        torch.distributions.MultivariateNormal(mean, covariance_matrix=covar).log_prob(x)
        for mean, covar in zip(mixture.means, mixture.covars, strict=True)
    ]
    expected = (torch.stack(log, 1) + mixture.weights.log()).amax(1)
    found = shipped_dof_prior().best(x).cost
    torch.testing.assert_close(
        found - found[0], -2 * (expected - expected[0]), atol=1e-6, rtol=1e-9
    )
    assert found.min() >= 0


def test_its_gradient_is_that_of_its_cost() -> None:
    dofs, size = make_dofs(), 1e-6
    pose = walking_pose(TIMES_S)
    term = PriorTerm(shipped_dof_prior(), dofs, torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64))
    t, d = len(pose), dofs.count
    normal = Normal(
        torch.zeros(t, d, d).double(),
        torch.zeros(t, d).double(),
        None,
        torch.zeros(1),
        torch.zeros(1),
        torch.zeros(t).double(),
    )
    term.add(normal, rotmat_to_rotvec(pose))
    torch.testing.assert_close(normal.cost, term.cost(rotmat_to_rotvec(pose)))

    for way in range(d - 3):
        step = torch.zeros((t, d - 3), dtype=torch.float64)
        step[:, way] = size
        turned = [pose @ rotvec_to_rotmat(dofs.local_turns(sign * step)) for sign in (1, -1)]
        costs = [term.cost(rotmat_to_rotvec(rotmat)) for rotmat in turned]
        slope = (costs[0] - costs[1]) / (2 * size)
        torch.testing.assert_close(2 * normal.g[:, 3 + way], slope, atol=1e-3, rtol=1e-5)


def test_em_finds_two_clouds_again() -> None:
    rng = torch.Generator().manual_seed(1)
    clouds = torch.randn(2, 4000, 3, generator=rng, dtype=torch.float64)
    x = torch.cat([clouds[0] + 4, 0.5 * clouds[1] - 4])
    weight = torch.cat([torch.ones(4000), torch.full((4000,), 3.0)]).double()
    found = fit_mixture(x, weight, 2, floor=0.0, iterations=20, seed=0)
    order = found.means[:, 0].argsort()
    torch.testing.assert_close(
        found.weights[order], weight.new_tensor([0.75, 0.25]), atol=0.01, rtol=0
    )
    torch.testing.assert_close(
        found.means[order], weight.new_tensor([[-4.0] * 3, [4.0] * 3]), atol=0.1, rtol=0
    )
    eye = torch.eye(3, dtype=torch.float64)
    expected = torch.stack([0.25 * eye, eye])
    torch.testing.assert_close(found.covars[order], expected, atol=0.1, rtol=0)


def test_the_prior_in_smplifys_form_likes_a_walk_better_than_a_walk_with_limbs_bent_back() -> None:
    prior = shipped_pose_prior()
    pose = rotmat_to_rotvec(walking_pose(TIMES_S))[:, 1:].flatten(1)
    assert prior.means.shape[1] == 69
    assert (prior.energy(pose) + 10 < prior.energy(-pose)).all()


@pytest.mark.skipif(not HELD_OUT.is_dir(), reason="needs ../shared/data/mocap_smpl/val")
def test_held_out_motion_is_as_likely_as_reported_and_within_the_ranges() -> None:
    poses, dofs = read_poses(HELD_OUT, 150), make_dofs()
    angles = poses.dof_angles_rad(dofs)
    share = poses.weight / poses.weight.sum()
    found = float((shipped_mixture().log_density(angles) * share).sum())
    report = json.loads(PRIOR_PATH.with_suffix(".json").read_text())
    assert found == pytest.approx(report["shipped"]["held_out"], abs=0.02)
    low, high = dofs.low_rad[TURNS:], dofs.high_rad[TURNS:]
    outside = ((angles < low) | (angles > high)).double()
    assert (share @ outside).max() < 0.005

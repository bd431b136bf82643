"""SMPLify's terms and stages against the official ones; the prior's file; what terms mean."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._spin_smplify import check_smplify
from pipeline.errors import InputError, MissingError
from pipeline.skeletons import SMPL24
from pipeline.smplify_prior import make_pose_prior, read_pose_prior
from pipeline.smplify_terms import SPIN_WEIGHTS, angle_prior, body_terms, geman_mcclure

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "spin" / "spin_smplify.npz"


def _mixture(components=3):
    rng = np.random.default_rng(0)
    roots = 0.2 * rng.standard_normal((components, 69, 69))
    covars = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(69)
    return {
        "means": 0.3 * rng.standard_normal((components, 69)),
        "covars": covars,
        "weights": rng.dirichlet(np.ones(components)),
    }


def _write(path, content):
    path.write_bytes(pickle.dumps(content, protocol=2))
    return path


def test_every_term_gradient_and_run_is_the_official_one():
    golden = GoldenFile.open(GOLDEN)
    results = list(check_smplify(golden))
    assert [result for result in results if not result.passed] == []
    assert len(results) == 92
    assert golden.used == set(golden.arrays)


def test_published_weights_are_there_by_name():
    named = (SPIN_WEIGHTS.robust_px, SPIN_WEIGHTS.pose_prior, SPIN_WEIGHTS.angle_prior)
    assert named == (100.0, 4.78, 15.2)
    assert (SPIN_WEIGHTS.shape_prior, SPIN_WEIGHTS.camera_depth) == (5.0, 100.0)


def test_energies_of_one_pose_differ_as_the_densities_of_the_mixture_do():
    mixture = _mixture()
    prior = make_pose_prior(**mixture)
    poses = 0.4 * np.random.default_rng(1).standard_normal((5, 69))
    found = prior.energies(torch.from_numpy(poses)).numpy()
    density = np.stack(
        [
            np.log(weight) + multivariate_normal(mean, covar).logpdf(poses)
            for mean, covar, weight in zip(*mixture.values(), strict=True)
        ],
        axis=1,
    )
    constant = found + density
    assert np.allclose(constant, constant[0, 0], atol=1e-8)
    assert np.allclose(prior.energy(torch.from_numpy(poses)), found.min(axis=1))


def test_the_prior_is_read_from_a_pickle_of_the_users(tmp_path):
    mixture = _mixture()
    found = read_pose_prior(_write(tmp_path / "gmm_08.pkl", mixture))
    made = make_pose_prior(**mixture)
    assert torch.equal(found.precisions, made.precisions)
    assert torch.equal(found.log_weights, made.log_weights)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"covars": None}, "covars"),
        ({"means": np.zeros((3, 72))}, "'means' is float64"),
        ({"weights": np.ones(2)}, "number of components"),
        ({"weights": np.zeros(3)}, "above 0"),
        ({"covars": -np.ones((3, 69, 69))}, "positive definite"),
        ({"means": np.full((3, 69), np.nan)}, "'means' is empty or not finite"),
    ],
)
def test_a_file_that_is_no_mixture_is_told_by_its_key(tmp_path, change, told):
    with pytest.raises(InputError, match=told):
        read_pose_prior(_write(tmp_path / "gmm.pkl", {**_mixture(), **change}))


def test_a_missing_file_or_key_is_told(tmp_path):
    with pytest.raises(MissingError, match="no such file"):
        read_pose_prior(tmp_path / "nowhere.pkl")
    mixture = _mixture()
    del mixture["weights"]
    with pytest.raises(InputError, match="'weights' is missing"):
        read_pose_prior(_write(tmp_path / "gmm.pkl", mixture))
    with pytest.raises(InputError, match="holds no mixture"):
        read_pose_prior(_write(tmp_path / "gmm.pkl", [1, 2]))


@pytest.mark.parametrize(
    ("joint", "bent"),
    [
        ("left_elbow", (0.0, -1.0, 0.0)),
        ("right_elbow", (0.0, 1.0, 0.0)),
        ("left_knee", (1.0, 0.0, 0.0)),
        ("right_knee", (1.0, 0.0, 0.0)),
    ],
)
def test_a_joint_bent_the_wrong_way_costs_more(joint, bent):
    right_way = torch.zeros(23, 3)
    right_way[SMPL24.index(joint) - 1] = torch.tensor(bent)
    straight = angle_prior(torch.zeros(23, 3))
    assert torch.equal(straight, torch.ones(4))
    ratios = torch.stack([angle_prior(right_way), angle_prior(-right_way)]).sum(1)
    assert torch.allclose(ratios, 3 + torch.exp(torch.tensor([-2.0, 2.0])))


def test_a_large_error_costs_no_more_than_the_scale_squared():
    errors_px = torch.tensor([1e-3, 100.0, 1e5], dtype=torch.float64)
    cost = geman_mcclure(errors_px, 100.0)
    assert torch.allclose(cost, torch.tensor([1e-6, 5e3, 1e4], dtype=torch.float64), rtol=1e-5)


def test_points_of_no_confidence_pull_nothing():
    prior = make_pose_prior(**_mixture()).to(dtype=torch.float32)
    found_px = torch.zeros(1, 4, 2, requires_grad=True)
    seen = torch.tensor([[[5.0, 0, 1], [900, 9, 0], [5, 0, 0.5], [0, 0, 1]]])
    terms = body_terms(found_px, seen, torch.zeros(1, 23, 3), torch.ones(1, 10), prior)
    first, none, third, exact = terms.reprojection[0].detach()
    assert none == exact == 0
    assert third == pytest.approx(float(first) / 4)
    assert terms.shape_prior == pytest.approx(250.0)
    (pull,) = torch.autograd.grad(terms.total.sum(), found_px)
    assert (pull[0, 1] == 0).all() and pull[0, 0, 0] < 0

"""PHALP's formulas, networks and life cycle against the official outputs, rule-made weights."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems import _phalp_vectors as vectors
from benchmarks.golden_systems._phalp_life import check_scene
from benchmarks.golden_systems._phalp_networks import (
    check_encoder,
    check_predictor,
    rule_encoder,
)
from benchmarks.golden_systems.phalp import check_rule
from stages.tracking.phalp.cost import EQ_019, combined, pose_and_place_terms
from stages.tracking.phalp.location import forecast
from stages.tracking.phalp.pose_predictor import shapes, sizes_in

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "phalp"


def _opened(name: str) -> GoldenFile:
    return GoldenFile.open(GOLDEN / f"phalp_{name}.npz")


def _assert_all_pass(comparisons, count):
    results = list(comparisons)
    assert not [result for result in results if not result.passed]
    assert len(results) == count


@pytest.mark.parametrize(
    ("check", "name", "count"),
    [
        (vectors.check_features, "features", 3),
        (vectors.check_location, "location", 3),
        (vectors.check_average, "uv_average", 1),
        (vectors.check_prepared, "encoder", 1),
        (vectors.check_sampling, "uv_sampling", 2),
        (check_encoder, "encoder", 5),
        (check_predictor, "pose_predictor", 18),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_formulas_and_networks_meet_the_official_ones(check, name, count):
    _assert_all_pass(check(_opened(name)), count)


def test_the_rule_makes_the_reference_weights():
    _assert_all_pass(check_rule(GoldenFile.open(GOLDEN / "weight_rule_probe.npz")), 1)


def test_cost_gate_and_assignment_meet_the_official_ones():
    _assert_all_pass(vectors.check_cost(_opened("cost"), rule_encoder()), 15)


@pytest.mark.parametrize("scene", ["a", "b"])
def test_scenes_give_the_official_ids_lives_and_ghosts(scene):
    golden, predictor = _opened(f"lifecycle_{scene}"), _opened("pose_predictor")
    _assert_all_pass(check_scene(golden, predictor), 10)


def test_what_is_not_a_number_is_no_match():
    """The official program gives it cost 0, the best match."""
    golden = _opened("cost")
    places = golden["track_loca"].astype(np.float64)
    places[1, 93] = np.nan
    terms = pose_and_place_terms(
        golden["cost_A0"], golden["track_pose"], golden["det_pose"], places, golden["det_loca"]
    )
    cost = combined(terms, EQ_019)
    assert np.isinf(cost[1]).all()
    assert np.isfinite(np.delete(cost, 1, axis=0)).all()
    assert (golden["cost_EQ_019_TPL_nan_row1"][1] == 0).all()


def test_a_straight_line_is_forecast_and_a_single_time_stands_still():
    frame = np.arange(7)[None]
    line = forecast(frame, 2.0 * frame, np.array([9]), 0.0)
    np.testing.assert_allclose(line.value, [18.0])
    np.testing.assert_allclose(line.half_width, 0.0, atol=1e-12)
    once = forecast(np.full((1, 7), 3), np.full((1, 7), 5.0), np.array([9]), 1.2)
    assert (once.value.item(), once.half_width.item()) == (5.0, 0.0)


def test_sizes_are_read_off_a_checkpoint():
    assert sizes_in(shapes()).width == 512
    smaller = sizes_in({n: s for n, s in shapes().items() if "layers.15" not in n})
    assert smaller.depth == 15

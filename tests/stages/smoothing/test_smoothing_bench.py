"""The benchmark of smoothers: its errors have the size they say, its tables hold every smoother."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.bench import smoothing
from pipeline.bench.noisy_people import REGRESSOR, WILD, true_people, with_gaps, with_noise
from pipeline.bench.smoothing_scores import RAW, score_smoothers, smoothers
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.motion_delay import delay_frames
from pipeline.types import Status


@pytest.fixture(scope="module")
def walker():
    return true_people(None, Context().body, 30.0, 1)["walk"]


def errors_deg(person, other) -> np.ndarray:
    first, second = (Rotation.from_rotvec(p.pose_rotvec.reshape(-1, 3)) for p in (person, other))
    return np.degrees((first.inv() * second).magnitude()).reshape(len(person), 24)


def test_noise_has_the_size_it_says(walker):
    calm = replace(REGRESSOR, bursts=0.0)
    off = errors_deg(walker, with_noise(walker, 0, calm))
    wanted = np.hypot(REGRESSOR.white_deg, REGRESSOR.slow_deg)
    assert np.sqrt(np.mean(off**2)) == pytest.approx(wanted, rel=0.05)
    wild = errors_deg(walker, with_noise(walker, 0, WILD))
    assert (wild > 35).mean() == pytest.approx(WILD.bursts, rel=0.25)
    again = with_noise(walker, 0, WILD)
    np.testing.assert_array_equal(again.pose_rotvec, with_noise(walker, 0, WILD).pose_rotvec)


def test_gaps_are_where_they_should_be(walker):
    status = with_gaps(walker, 10, 20).status
    assert (status[20:30] == Status.MISSING).all()
    assert (status[:20] == Status.OBSERVED).all()
    assert status[-1] == Status.OBSERVED


def test_a_delay_is_found_to_a_fraction_of_a_frame():
    frames = np.arange(200)
    wave = np.sin(frames / 9)[:, None, None] * np.ones((1, 2, 3))
    later = np.sin((frames - 2.3) / 9)[:, None, None] * np.ones((1, 2, 3))
    assert delay_frames(wave, later, np.ones(200, bool), 8) == pytest.approx(2.3, abs=0.05)


def test_every_smoother_is_scored_and_raw_is_the_unit(walker):
    rows = score_smoothers([walker], REGRESSOR, 30.0)
    assert [row.smoother for row in rows] == smoothers()
    assert {"whittaker", "posebert", "one_euro", "savgol", "gaussian"} < set(smoothers())
    raw = rows[0]
    assert raw.smoother == RAW
    assert (raw.acceleration_of_raw, raw.clean_mpjpe_mm) == (1.0, 0.0)
    assert raw.clean_peak_hand_speed == 1.0
    late = next(row for row in rows if row.smoother == "one_euro")
    assert late.delay_ms > 10  # it is causal
    assert all(abs(r.delay_ms) < 10 for r in rows if r.smoother != "one_euro")


def test_tables_without_recorded_motion():
    tables, figures = smoothing.smoothing_tables(None, quick=True)
    assert len(tables) == 3
    assert {row["smoother"] for row in figures["targets"]} == set(smoothers()) - {RAW}
    assert sum(row["default"] for row in figures["targets"]) == 1
    assert sum(row["best_mpjpe"] for row in figures["targets"]) <= 1
    assert all(np.isfinite(gap["mpjpe_mm"]) for gap in figures["gaps"])


def test_a_folder_without_motion_is_named(tmp_path):
    with pytest.raises(InputError, match="no motion"):
        true_people(tmp_path, Context().body, 30.0, 2)

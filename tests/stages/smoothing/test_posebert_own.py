"""PoseBERT with the weights that come with the project."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.bench.noisy_people import REGRESSOR, true_people, with_gaps, with_noise
from pipeline.bench.smoothing_scores import smoothed
from pipeline.context import Context
from pipeline.metrics import acceleration_error_mm_s2, mpjpe_mm
from pipeline.safetensors_file import write_safetensors
from pipeline.types import Person, Status
from stages.smoothing import posebert
from stages.smoothing.posebert.network import empty_network, network_with, sizes_in
from stages.smoothing.posebert.own_weights import OWN_PATH, read_own
from stages.smoothing.posebert.ship import write_own
from tests.stages.smoothing.motions import person_of
from tests.stages.smoothing.test_whittaker import angles_deg

MOTIONS = Path(__file__).parents[4] / "shared" / "data" / "mocap_smpl"
MOST_BYTES = 7_000_000


def own(person: Person, **settings) -> Person:
    (out,) = posebert.Backend(posebert.Config(**settings), Context())((person,))
    return out


def joints_m(person: Person) -> np.ndarray:
    body = Context().body.with_shape(torch.from_numpy(person.betas))
    return body.with_pose(torch.from_numpy(person.pose_rotvec)).joints_m.numpy()


@pytest.fixture(scope="module")
def procedural() -> dict[str, Person]:
    """The project's own motions, 30 fps; the network has not seen them."""
    return true_people(None, Context().body, 30.0, 5)


def test_the_shipped_weights_are_a_small_network_that_starts_from_its_input():
    assert OWN_PATH.stat().st_size < MOST_BYTES
    tensors = read_own()
    sizes = sizes_in({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    assert sizes.from_input
    assert tensors.keys() == empty_network(sizes=sizes).state_dict().keys()
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_halving_keeps_the_numbers(tmp_path):
    network = network_with(read_own())
    full = tmp_path / "trained.safetensors"
    write_safetensors(full, {n: t + 1e-5 for n, t in network.state_dict().items()}, {"data": "x"})
    write_own(full, tmp_path / "own.safetensors")
    kept = read_own(tmp_path / "own.safetensors")
    assert all((kept[n] - t).abs().max() < 2e-3 for n, t in network.state_dict().items())
    assert (tmp_path / "own.safetensors").stat().st_size < 0.5 * full.stat().st_size


def scores(truth: dict[str, Person], smoother: str) -> tuple[float, float]:
    """MPJPE in mm and acceleration error, means over the motions."""
    people = list(truth.values())
    noisy = [with_noise(person, seed, REGRESSOR) for seed, person in enumerate(people)]
    rows = []
    for true, found in zip(people, smoothed(noisy, smoother), strict=True):
        got, wanted = joints_m(found), joints_m(true)
        rows.append((mpjpe_mm(got, wanted), acceleration_error_mm_s2(got, wanted, true.time_s)))
    mpjpe, acceleration = np.mean(rows, axis=0)
    return float(mpjpe), float(acceleration)


def test_unseen_motion_gets_nearer_to_the_truth_than_by_a_filter(procedural):
    raw, filtered, found = (scores(procedural, n) for n in ("none", "whittaker", "posebert"))
    assert found[0] < 0.95 * filtered[0] < raw[0]
    assert found[1] < 0.1 * raw[1]


@pytest.mark.skipif(not MOTIONS.is_dir(), reason=f"no recorded motion at {MOTIONS}")
def test_held_out_recordings_too():
    truth = true_people(MOTIONS, Context().body, 30.0, 4)
    raw, filtered, found = (scores(truth, n) for n in ("none", "whittaker", "posebert"))
    assert found[0] < 0.9 * filtered[0] < raw[0]
    assert found[1] < 0.13 * raw[1]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 40, 64, 65, 150])
def test_any_length(procedural, count):
    person = procedural["walk"]
    rows = slice(0, count)
    short = replace(
        person,
        frame_index=person.frame_index[rows],
        time_s=person.time_s[rows],
        status=person.status[rows],
        confidence=person.confidence[rows],
        pose_rotvec=person.pose_rotvec[rows],
        t_camera_m=person.t_camera_m[rows],
        boxes_xyxy_px=person.boxes_xyxy_px[rows],
    )
    out = own(short)
    assert out.pose_rotvec.shape == (count, 24, 3)
    assert angles_deg(out.pose_rotvec, short.pose_rotvec).mean() < 6  # no pose of its own


@pytest.mark.parametrize("fps", [24.0, 25.0, 60.0])
def test_other_frame_rates_give_the_same_motion(fps):
    """Steady noise, which is the same at every rate: a pose that leans wrongly all the time."""
    given = {rate: true_people(None, Context().body, rate, 1)["walk"] for rate in (30.0, fps)}
    lean = np.random.default_rng(0).normal(size=(24, 3)) * 0.06
    out = {
        rate: own(replace(p, pose_rotvec=(p.pose_rotvec + lean).astype(np.float32)))
        for rate, p in given.items()
    }
    changed = mpjpe_mm(joints_m(out[30.0]), joints_m(given[30.0]))
    at = np.round(given[fps].time_s * 30) / 30
    same = np.flatnonzero(np.abs(at - given[fps].time_s) < 1e-6)
    there = np.round(given[fps].time_s[same] * 30).astype(int)
    same, there = same[there < len(given[30.0])], there[there < len(given[30.0])]
    apart = mpjpe_mm(joints_m(out[fps])[same], joints_m(out[30.0])[there])
    assert apart < 0.25 * changed
    assert len(same) > 20


def test_gaps_are_filled_nearer_to_the_truth_than_by_a_filter(procedural):
    truth = list(procedural.values())
    given = [with_gaps(with_noise(p, seed, REGRESSOR), 12, 20) for seed, p in enumerate(truth)]
    off = {}
    for name in ("whittaker", "posebert"):
        found = smoothed(given, name)
        assert all((out.status != Status.MISSING).all() for out in found)
        off[name] = np.mean(
            [
                mpjpe_mm(joints_m(out), joints_m(true), valid=p.status == Status.MISSING)
                for true, p, out in zip(truth, given, found, strict=True)
            ]
        )
    assert off["posebert"] < off["whittaker"]


def test_what_missing_frames_hold_does_not_matter(procedural):
    given = with_gaps(procedural["reach"], 10, 30)
    garbage = given.pose_rotvec.copy()
    garbage[given.status == Status.MISSING] = 0.5
    np.testing.assert_array_equal(
        own(given).pose_rotvec, own(replace(given, pose_rotvec=garbage)).pose_rotvec
    )


def test_both_kinds_of_windows_are_alike(procedural):
    noisy = with_noise(procedural["squat"], 0, REGRESSOR)
    blended, official = own(noisy), own(noisy, windows="official")
    between = mpjpe_mm(joints_m(blended), joints_m(official))
    assert between < 0.5 * mpjpe_mm(joints_m(blended), joints_m(noisy))


def test_the_bill_names_the_weights():
    (ours,) = posebert.licences(posebert.Config())
    assert ours.commercial
    assert "mocap.cs.cmu.edu" in ours.what
    (official,) = posebert.licences(posebert.Config(weights="official"))
    assert not official.commercial
    (unknown,) = posebert.licences(posebert.Config(weights="mine.pt"))
    assert "mine.pt" in unknown.what
    assert not unknown.commercial


def test_a_still_person_stays_still():
    out = own(person_of(np.arange(90) / 30))
    assert np.abs(np.diff(out.pose_rotvec, axis=0)).max() < np.deg2rad(2)

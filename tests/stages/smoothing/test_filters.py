"""The simple filters: equal to the reference values, blind to poles, told of honestly."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.context import Context
from pipeline.types import Person, Status
from stages.smoothing import gaussian, one_euro, savgol, whittaker
from stages.smoothing._report import fast_motion
from tests.stages.smoothing.motions import person_of
from tests.stages.smoothing.test_whittaker import angles_deg, turning

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "filters"
COMPLETE = Path(__file__).parents[4] / "shared" / "golden" / "filters"
"""With real motion, which does not travel with the project."""
FILTERS = {"one_euro": one_euro, "savgol": savgol, "gaussian": gaussian}
ALL = {**FILTERS, "whittaker": whittaker}
CONTEXT = Context()


def smoothed(name: str, person: Person, context: Context = CONTEXT, **settings: float) -> Person:
    module = ALL[name]
    (out,) = module.Backend(module.Config(**settings), context)((person,))
    return out


def euro(values: np.ndarray, time_s: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Each coordinate on its own, as in the reference."""
    signals = values.reshape(len(values), -1, 1)
    return one_euro.one_euro(signals, time_s, *map(float, parameters)).reshape(values.shape)


@pytest.mark.parametrize("name", ["default", "typical", "fast"])
def test_one_euro_is_the_published_formula(name):
    golden = np.load(GOLDEN / "one_euro.npz")
    time_s = np.arange(160) / golden["one_euro/fps"]
    found = euro(golden["one_euro/x1"], time_s, golden[f"one_euro/{name}_params"])
    np.testing.assert_allclose(found, golden[f"one_euro/{name}_x1"], atol=1e-12, rtol=0)


def test_one_euro_follows_uneven_times_and_gaps():
    golden = np.load(GOLDEN / "one_euro.npz")
    x, parameters = golden["one_euro/x1"], golden["one_euro/typical_params"]
    found = euro(x, golden["one_euro/irregular_t"], parameters)
    np.testing.assert_allclose(found, golden["one_euro/irregular_x1"], atol=1e-12, rtol=0)
    kept = golden["one_euro/gap_keep"]
    found = euro(x[kept], golden["one_euro/t"][kept], parameters)
    np.testing.assert_allclose(found, golden["one_euro/gap_x1"], atol=1e-12, rtol=0)


def test_savgol_equals_the_reference():
    golden = np.load(GOLDEN / "scipy_filters.npz")
    names = [name for name in golden.files if name.startswith("savgol/w")]
    assert len(names) == 5
    for name in names:
        window, order = map(int, re.findall(r"[wp](\d+)", name))
        found = savgol.savgol(golden["x1"], window, order)
        np.testing.assert_allclose(found, golden[name], atol=1e-9, rtol=0)
    found = savgol.savgol(golden["x1"][:7], 7, 2)
    np.testing.assert_allclose(found, golden["savgol/short7_w7_p2_x1"], atol=1e-9, rtol=0)


def test_gaussian_is_the_sampled_kernel():
    x = np.random.default_rng(0).normal(size=(50, 2))
    taps = np.arange(-8, 9)
    kernel = np.exp(-0.5 * (taps / 2.0) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(x, ((8, 8), (0, 0)), mode="edge")
    wanted = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)
    np.testing.assert_allclose(gaussian.gaussian(x, 2.0), wanted, atol=1e-12)


@pytest.mark.skipif(not COMPLETE.is_dir(), reason=f"no {COMPLETE}: holds real motion")
def test_real_motion_equals_the_reference():
    euros, others = (np.load(COMPLETE / f"{n}.npz") for n in ("one_euro", "scipy_filters"))
    x, time_s = euros["one_euro/x3"], np.arange(160) / euros["one_euro/fps"]
    for name in ("default", "typical", "fast"):
        found = euro(x, time_s, euros[f"one_euro/{name}_params"])
        np.testing.assert_allclose(found, euros[f"one_euro/{name}_x3"], atol=1e-12, rtol=0)
    found = euro(x, np.arange(160.0), euros["one_euro/frames_params"])
    np.testing.assert_allclose(found, euros["one_euro/frames_x3"], atol=1e-12, rtol=0)
    for sigma in (1.0, 2.0, 3.0, 20.0):
        found = gaussian.gaussian(others["x3"], sigma)
        np.testing.assert_allclose(found, others[f"gaussian/s{sigma:g}_nearest_x3"], atol=1e-9)
    found = savgol.savgol(others["joints22"], 9, 2)
    np.testing.assert_allclose(found, others["savgol/w9_p2_interp_joints22"], atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("root", [(0.0, 0.0, 0.0), (np.pi, 0.0, 0.0), (0.0, 3.1, 0.6)])
def test_a_still_person_stays_still(name, root):
    person = person_of(np.arange(60) / 30, np.tile(root, (60, 1)))
    out = smoothed(name, person)
    assert angles_deg(out.pose_rotvec, person.pose_rotvec).max() < 1e-4
    np.testing.assert_allclose(out.t_camera_m, person.t_camera_m, atol=1e-6)


@pytest.mark.parametrize("name", FILTERS)
def test_the_curve_does_not_depend_on_where_half_a_turn_lies(name):
    rng = np.random.default_rng(1)
    t = np.arange(150) / 30
    truth = Rotation.from_rotvec(turning(t, 0.3, (0, 1, 0)))
    noisy = truth * Rotation.from_rotvec(rng.normal(size=(150, 3)) * 0.08)
    assert (np.linalg.norm(np.diff(noisy.as_rotvec(), axis=0), axis=1) > 5).any()  # it does jump
    out = smoothed(name, person_of(t, noisy.as_rotvec())).pose_rotvec[:, 0]
    before = angles_deg(noisy.as_rotvec(), truth.as_rotvec())
    assert angles_deg(out, truth.as_rotvec()).mean() < 0.8 * before.mean()
    away = Rotation.from_rotvec([np.pi, 0.4, 0]).inv()
    elsewhere = smoothed(name, person_of(t, (away * noisy).as_rotvec())).pose_rotvec[:, 0]
    assert angles_deg((away * Rotation.from_rotvec(out)).as_rotvec(), elsewhere).max() < 0.01


@pytest.mark.parametrize("name", FILTERS)
def test_frame_rate_does_not_change_the_curve(name):
    t = np.arange(0, 4, 1 / 60)
    angle = np.sin(2 * np.pi * 0.7 * t) + 0.1 * np.sin(2 * np.pi * 5.0 * t)
    rotvec = angle[:, None] * np.array([1.0, 0, 0])
    fine = smoothed(name, person_of(t, rotvec)).pose_rotvec[::2, 5, 0]
    coarse = smoothed(name, person_of(t[::2], rotvec[::2])).pose_rotvec[:, 5, 0]
    assert np.abs(fine - coarse)[15:-15].max() < 0.06  # of which 0.02 is what a window rounds
    assert np.abs(fine - angle[::2])[15:-15].max() > 0.05  # and it does smooth


@pytest.mark.parametrize("name", ["savgol", "gaussian"])
def test_uneven_times_give_the_curve_of_even_ones(name):
    even = np.arange(240) / 60
    uneven = even + np.random.default_rng(3).uniform(-0.004, 0.004, 240)

    def swing(t: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * 1.0 * t)[:, None] * np.array([0, 1.0, 0])

    wanted = smoothed(name, person_of(even, swing(even))).pose_rotvec[:, 5, 1]
    found = smoothed(name, person_of(uneven, swing(uneven))).pose_rotvec[:, 5, 1]
    inner = slice(20, -20)
    assert np.abs(found - np.interp(uneven, even, wanted))[inner].max() < 0.01


@pytest.mark.parametrize("name", FILTERS)
def test_short_gaps_are_filled_and_long_ones_are_not(name):
    t = np.arange(120) / 30
    missing = np.zeros(120, bool)
    missing[30:40], missing[70:95] = True, True
    truth = turning(t, 1.0, (0, 1, 0))
    person = person_of(t, truth, None, missing)
    person.t_camera_m[missing], person.pose_rotvec[missing] = 0, 0
    out = smoothed(name, person, max_gap_s=0.5)
    assert (out.status[30:40] == Status.INTERPOLATED).all()
    assert (out.status[70:95] == Status.MISSING).all()
    assert (out.status[~missing] == Status.OBSERVED).all()
    late_deg = 10 if name == "one_euro" else 2
    assert angles_deg(out.pose_rotvec[30:40, 0], truth[30:40]).max() < late_deg
    assert np.abs(out.t_camera_m[:41] - [0.3, 0.1, 4.0]).max() < 0.005
    np.testing.assert_allclose(out.confidence[30:40], 0.4, atol=1e-6)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_few_frames_pass(name, count):
    person = person_of(np.arange(count) / 30, np.random.default_rng(4).normal(size=(count, 3)))
    out = smoothed(name, person)
    assert np.isfinite(out.pose_rotvec).all()
    np.testing.assert_allclose(out.t_camera_m, person.t_camera_m, atol=1e-6)


def test_one_euro_looks_at_no_later_frame():
    rng = np.random.default_rng(5)
    rotvec, t = rng.normal(size=(60, 3)) * 0.1, np.arange(60) / 30
    whole = smoothed("one_euro", person_of(t, rotvec))
    half = smoothed("one_euro", person_of(t[:30], rotvec[:30]))
    np.testing.assert_allclose(whole.pose_rotvec[:30], half.pose_rotvec, atol=1e-6)


def swinging(frames_late: float = 0.0, share: float = 1.0) -> Person:
    """Shoulders that swing back and forth, at 30 fps."""
    t = np.arange(180) / 30
    person = person_of(t)
    pose = person.pose_rotvec.copy()
    pose[:, [16, 17], 1] = share * np.sin(2 * np.pi * 0.8 * (t - frames_late / 30))[:, None]
    return replace(person, pose_rotvec=pose)


@pytest.mark.parametrize("late_frames", [0.0, 2.0, 2.5])
def test_delay_and_peak_speed_are_measured(late_frames):
    motion = fast_motion(swinging(), swinging(late_frames, 0.8), CONTEXT.body)
    assert motion is not None
    assert motion.delay_s * 30 == pytest.approx(late_frames, abs=0.1)
    assert motion.peak_kept == pytest.approx(0.8, abs=0.03)


def test_of_a_still_person_no_speed_is_told():
    still = person_of(np.arange(60) / 30)
    assert fast_motion(still, still, CONTEXT.body) is None


@pytest.mark.parametrize("name", ALL)
def test_a_run_tells_what_became_of_fast_motion(name):
    context = Context()
    smoothed(name, swinging(), context)
    (event,) = context.events.events
    assert (event.stage, event.kind) == ("smoothing", "info")
    kept, delay_ms = map(int, re.search(r"kept: (\d+) %; delay (-?\d+) ms", event.message).groups())
    assert 80 <= kept <= 110
    assert (delay_ms > 15) if name == "one_euro" else (abs(delay_ms) <= 1)

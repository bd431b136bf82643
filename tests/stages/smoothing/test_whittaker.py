"""What smoothing must leave alone, what it must take away, and how gaps are treated."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.context import Context
from pipeline.types import Person, Status
from stages.smoothing import none, whittaker
from tests.stages.smoothing.motions import person_of

CONTEXT = Context()


def smoothed(person: Person, context: Context = CONTEXT, **settings: float) -> Person:
    (out,) = whittaker.Backend(whittaker.Config(**settings), context)((person,))
    return out


def angles_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles between rotations given as axis-angle, in degrees."""
    turns = Rotation.from_rotvec(a.reshape(-1, 3)).inv() * Rotation.from_rotvec(b.reshape(-1, 3))
    return np.rad2deg(turns.magnitude()).reshape(a.shape[:-1])


def turning(time_s: np.ndarray, per_s: float, axis: tuple[float, float, float]) -> np.ndarray:
    """(t, 3) axis-angle, angle at most pi, of a steady turn that starts facing the camera."""
    facing = Rotation.from_rotvec([np.pi, 0, 0])
    unit = np.array(axis) / np.linalg.norm(axis)
    return (facing * Rotation.from_rotvec(per_s * time_s[:, None] * unit)).as_rotvec()


@pytest.mark.parametrize("root", [(0.0, 0.0, 0.0), (np.pi, 0.0, 0.0), (0.0, 3.1, 0.6)])
def test_a_still_person_stays_still(root: tuple[float, float, float]) -> None:
    person = person_of(np.arange(60) / 30, np.tile(root, (60, 1)))
    out = smoothed(person)
    assert angles_deg(out.pose_rotvec, person.pose_rotvec).max() < 1e-4
    np.testing.assert_allclose(out.t_camera_m, person.t_camera_m, atol=1e-6)


@pytest.mark.parametrize("per_s", [0.5, 3.0])
def test_a_steady_turn_and_a_steady_walk_pass(per_s: float) -> None:
    t = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 150))
    place = np.stack([-1 + 0.4 * t, 0.1 * t, np.full_like(t, 5.0)], 1)
    person = person_of(t, turning(t, per_s, (0, 1, 0.3)), place)
    out = smoothed(person)
    assert angles_deg(out.pose_rotvec, person.pose_rotvec).max() < 0.1
    assert np.abs(out.t_camera_m - place).max() < 1e-4


def test_noise_around_half_a_turn_does_not_tear_the_body() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(150) / 30
    truth = Rotation.from_rotvec(turning(t, 0.3, (0, 1, 0)))
    noisy = truth * Rotation.from_rotvec(rng.normal(size=(150, 3)) * 0.08)
    assert (np.linalg.norm(np.diff(noisy.as_rotvec(), axis=0), axis=1) > 5).any()  # it does jump
    out = smoothed(person_of(t, noisy.as_rotvec())).pose_rotvec[:, 0]
    before = angles_deg(noisy.as_rotvec(), truth.as_rotvec())
    after = angles_deg(out, truth.as_rotvec())
    assert after.mean() < 0.6 * before.mean()
    assert after.max() < before.max()
    # The same motion far from half a turn gives the same curve.
    away = Rotation.from_rotvec([np.pi, 0, 0]).inv()
    elsewhere = smoothed(person_of(t, (away * noisy).as_rotvec())).pose_rotvec[:, 0]
    back = (away * Rotation.from_rotvec(out)).as_rotvec()
    assert angles_deg(back, elsewhere).max() < 0.01


@pytest.mark.parametrize("frame", [0, 1, 40, 79])
@pytest.mark.parametrize("wrong_deg", [60.0, 175.0])
def test_one_wild_frame_vanishes(frame: int, wrong_deg: float) -> None:
    rng = np.random.default_rng(2)
    t = np.arange(80) / 30
    truth = turning(t, 1.0, (0, 1, 0))
    noise = Rotation.from_rotvec(rng.normal(size=(80, 3)) * 0.01)
    rotvec = (Rotation.from_rotvec(truth) * noise).as_rotvec()
    wild = Rotation.from_rotvec(np.deg2rad(wrong_deg) * np.array([0.6, 0, 0.8]))
    rotvec[frame] = (Rotation.from_rotvec(rotvec[frame]) * wild).as_rotvec()
    place = np.tile([0.3, 0.1, 4.0], (80, 1))
    place[frame] = [2.0, -1.0, 9.0]
    out = smoothed(person_of(t, rotvec, place))
    assert angles_deg(out.pose_rotvec[:, 0], truth).max() < 3
    assert np.linalg.norm(out.t_camera_m - [0.3, 0.1, 4.0], axis=1).max() < 0.005


def test_a_fast_swing_is_kept() -> None:
    t = np.arange(0, 4, 1 / 60)
    angle = 1.2 * np.tanh((t - 2) / 0.12)  # 140 degrees in a third of a second
    rotvec = angle[:, None] * np.array([0, 0, 1.0])
    out = smoothed(person_of(t, rotvec))
    speed = np.abs(np.diff(out.pose_rotvec[:, 5, 2])).max() / np.abs(np.diff(angle)).max()
    assert 0.9 < speed < 1.1
    assert angles_deg(out.pose_rotvec[:, 5], rotvec).max() < 6


def test_frame_rate_does_not_change_the_curve() -> None:
    t = np.arange(0, 4, 1 / 60)
    angle = np.sin(2 * np.pi * 0.7 * t) + 0.3 * np.sin(2 * np.pi * 4.0 * t)
    rotvec = angle[:, None] * np.array([1.0, 0, 0])
    fine = smoothed(person_of(t, rotvec), spread=1).pose_rotvec[::2, 5, 0]
    coarse = smoothed(person_of(t[::2], rotvec[::2]), spread=1).pose_rotvec[:, 5, 0]
    inner = slice(15, -15)
    assert np.abs(fine - coarse)[inner].max() < 0.005
    assert np.abs(fine - angle[::2])[inner].max() > 0.1  # and it does smooth


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_strength_adapts_to_the_noise_and_to_the_motion(fps: int) -> None:
    t = np.arange(0, 6, 1 / fps)
    fast = np.where(t > 3, 0.5 * np.sin(2 * np.pi * 3.0 * t), 0.0)
    rotvec = fast[:, None] * np.array([0, 0, 1.0])
    noise = np.random.default_rng(7).normal(size=rotvec.shape) * 0.02
    still, moving = t < 2.7, (t > 3.3) & (t < 5.7)

    def off_deg(given: np.ndarray, where: np.ndarray, spread: float) -> float:
        out = smoothed(person_of(t, given), spread=spread).pose_rotvec[:, 5]
        return float(angles_deg(out, rotvec)[where].mean())

    # Without noise the motion comes through; with it both the still and the fast part gain.
    assert off_deg(rotvec, moving, 3) < 0.5 * off_deg(rotvec, moving, 1)
    for part in (still, moving):
        assert off_deg(rotvec + noise, part, 3) < 0.8 * off_deg(rotvec + noise, part, 1)


def test_short_gaps_are_filled_and_long_ones_are_not() -> None:
    t = np.arange(120) / 30
    missing = np.zeros(120, bool)
    missing[30:40], missing[70:95] = True, True
    place = np.stack([0.5 * t, 0.1 * t, np.full_like(t, 4.0)], 1)
    truth = turning(t, 1.0, (0, 1, 0))
    person = person_of(t, truth, place, missing)
    person.t_camera_m[missing], person.pose_rotvec[missing] = 0, 0
    out = smoothed(person, max_gap_s=0.5)
    assert (out.status[30:40] == Status.INTERPOLATED).all()
    assert (out.status[70:95] == Status.MISSING).all()
    assert (out.status[~missing] == Status.OBSERVED).all()
    assert angles_deg(out.pose_rotvec[30:40, 0], truth[30:40]).max() < 1
    assert np.abs(out.t_camera_m - place)[:41].max() < 0.005
    np.testing.assert_allclose(out.confidence[30:40], 0.4, atol=1e-6)
    assert (out.confidence[70:95] == 0).all()
    np.testing.assert_array_equal(out.boxes_xyxy_px, person.boxes_xyxy_px)


def test_a_long_gap_parts_the_sequence() -> None:
    t = np.arange(100) / 30
    missing = np.zeros(100, bool)
    missing[40:70] = True
    rotvec = np.zeros((100, 3))
    rotvec[70:, 0] = 1.5
    out = smoothed(person_of(t, rotvec, None, missing))
    assert angles_deg(out.pose_rotvec[:40, 0], rotvec[:40]).max() < 1e-3
    assert angles_deg(out.pose_rotvec[70:, 0], rotvec[70:]).max() < 1e-3


def test_depth_noise_goes_without_a_slide_in_the_picture() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(150) / 30
    pelvis = CONTEXT.body.J_template_m[0].numpy()
    ray = np.array([0.2, 0.15, 1.0])
    depth = 4 * np.exp(0.05 * rng.normal(size=150))
    person = replace(
        person_of(t, None, depth[:, None] * ray - pelvis), betas=np.zeros(10, np.float32)
    )
    out = smoothed(person).t_camera_m + pelvis
    assert out[:, 2].std() < 0.4 * depth.std()
    assert np.abs(1000 * (out[:, :2] / out[:, 2:] - ray[:2])).max() < 0.05  # px at focal 1000


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_frames_pass(count: int) -> None:
    person = person_of(np.arange(count) / 30, np.random.default_rng(4).normal(size=(count, 3)))
    out = smoothed(person)
    assert angles_deg(out.pose_rotvec, person.pose_rotvec).max() < 1e-3
    np.testing.assert_allclose(out.t_camera_m, person.t_camera_m, atol=1e-6)


def test_two_sightings_around_a_gap_are_enough() -> None:
    t = np.arange(8) / 30
    missing = np.array([False, *[True] * 6, False])
    rotvec = np.linspace(0, 1, 8)[:, None] * np.array([0, 1.0, 0])
    out = smoothed(person_of(t, rotvec, None, missing))
    assert (out.status[1:7] == Status.INTERPOLATED).all()
    assert angles_deg(out.pose_rotvec[:, 0], rotvec).max() < 1


def test_doubtful_frames_count_less() -> None:
    t = np.arange(90) / 30
    rotvec = np.random.default_rng(5).normal(size=(90, 3)) * 0.03
    rotvec[40:50, 0] += 0.15
    sure = person_of(t, rotvec)
    confidence = sure.confidence.copy()
    confidence[40:50] = 0.1
    doubtful = replace(sure, confidence=confidence)
    bump = [smoothed(p).pose_rotvec[40:50, 0, 0].mean() for p in (sure, doubtful)]
    assert bump[1] < 0.8 * bump[0]


def test_a_person_behind_the_camera_is_told_of() -> None:
    context = Context()
    place = np.tile([0.0, 0.0, 0.5], (30, 1))
    place[10] = [0, 0, -2]
    out = smoothed(person_of(np.arange(30) / 30, None, place), context)
    assert np.isfinite(out.t_camera_m).all()
    (event,) = context.events.events
    assert (event.kind, event.person_id) == ("fallback", 1)


def test_shape_and_frames_are_untouched_and_none_changes_nothing() -> None:
    person = person_of(np.arange(30) / 30, np.random.default_rng(6).normal(size=(30, 3)))
    out = smoothed(person)
    np.testing.assert_array_equal(out.betas, person.betas)
    np.testing.assert_array_equal(out.frame_index, person.frame_index)
    assert none.Backend(none.Config(), Context())((person,)) == (person,)
    assert whittaker.Backend(whittaker.Config(), Context())(()) == ()

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline import metrics


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def points(rng, n=4, k=12):
    return rng.normal(size=(n, k, 3))


def test_mpjpe_by_hand():
    true = np.zeros((2, 2, 3))
    true[:, 1] = (0, 1, 0)
    found = true + np.array([5.0, 5.0, 5.0])
    found[0, 1, 0] += 0.030
    found[1, 1] += (0.0, 0.030, 0.040)
    assert metrics.mpjpe_mm(found, true) == pytest.approx((0 + 30 + 0 + 50) / 4)
    assert metrics.mpjpe_mm(found, true, valid=np.array([True, False])) == pytest.approx(15)
    only_second_point = np.array([[False, True], [False, True]])
    assert metrics.mpjpe_mm(found, true, valid=only_second_point) == pytest.approx(40)


def test_mpjpe_roots():
    true = np.zeros((1, 3, 3))
    found = true.copy()
    found[0, 2, 0] = 0.060
    assert metrics.mpjpe_mm(found, true, root=None) == pytest.approx(20)
    assert metrics.mpjpe_mm(found, true, root=2) == pytest.approx(40)
    assert metrics.mpjpe_mm(found, true, root=(1, 2)) == pytest.approx((30 + 30 + 30) / 3)


def test_float32_is_reckoned_in_float64(rng):
    true, offset = points(rng), np.array([0.003, 0.004, 0.0])
    far = (true + 1000).astype(np.float32)
    found = far.astype(np.float64) + offset
    assert metrics.mpjpe_mm(found, far, root=None) == pytest.approx(5.0, abs=1e-9)


def test_nothing_valid_is_nan(rng):
    p, none = points(rng), np.zeros(4, bool)
    assert np.isnan(metrics.mpjpe_mm(p, p, valid=none))
    assert np.isnan(metrics.pa_mpjpe_mm(p, p, valid=none))
    assert np.isnan(metrics.coverage(none, none))


def test_invalid_frames_may_be_nan(rng):
    p, q = points(rng), points(rng)
    valid = np.array([True, True, False, True])
    expected = metrics.pa_mpjpe_mm(p[valid], q[valid])
    q[2] = np.nan
    assert metrics.pa_mpjpe_mm(p, q, valid=valid) == pytest.approx(expected)
    rotvec = rng.normal(size=(4, 2, 3))
    broken = rotvec.copy()
    broken[2] = np.nan
    assert metrics.joint_angle_error_deg(broken, rotvec, valid=valid) == pytest.approx(0, abs=1e-9)


def test_procrustes_recovers_a_similarity(rng):
    source = points(rng)
    rotmat = Rotation.from_rotvec(rng.normal(size=(4, 3))).as_matrix()
    scale, t_m = np.array([0.5, 1.0, 2.0, 3.0]), rng.normal(size=(4, 3))
    target = scale[:, None, None] * source @ rotmat.transpose(0, 2, 1) + t_m[:, None]
    fit = metrics.procrustes(source, target)
    np.testing.assert_allclose(fit.scale, scale, atol=1e-12)
    np.testing.assert_allclose(fit.rotmat, rotmat, atol=1e-12)
    np.testing.assert_allclose(fit.t_m, t_m, atol=1e-12)
    assert metrics.pa_mpjpe_mm(source, target) < 1e-9


def test_procrustes_is_the_least_squares_answer(rng):
    source, target = points(rng, n=1), points(rng, n=1)
    fit = metrics.procrustes(source, target)
    best = ((fit.apply(source) - target) ** 2).sum()
    for axis in range(3):
        for step in (-1e-3, 1e-3):
            turn = Rotation.from_rotvec(step * np.eye(3)[axis]).as_matrix()
            other = metrics.Similarity(fit.scale, turn @ fit.rotmat, fit.t_m)
            assert ((other.apply(source) - target) ** 2).sum() > best
    for factor in (0.99, 1.01):
        other = metrics.Similarity(fit.scale * factor, fit.rotmat, fit.t_m)
        assert ((other.apply(source) - target) ** 2).sum() > best


def test_a_mirror_image_is_not_an_alignment(rng):
    source = points(rng)
    mirrored = source * (-1, 1, 1)
    fit = metrics.procrustes(source, mirrored)
    np.testing.assert_allclose(np.linalg.det(fit.rotmat), 1.0, atol=1e-12)
    assert metrics.pa_mpjpe_mm(source, mirrored) > 100


def test_a_flat_set_of_points_is_aligned_by_a_proper_rotation(rng):
    source = points(rng) * (1, 1, 0)
    fit = metrics.procrustes(source, source[..., [1, 0, 2]])
    np.testing.assert_allclose(np.linalg.det(fit.rotmat), 1.0, atol=1e-12)
    assert metrics.pa_mpjpe_mm(source, source[..., [1, 0, 2]]) < 1e-9


def test_procrustes_ignores_invalid_points_and_can_keep_the_size(rng):
    source = points(rng)
    target = 2 * source
    target[:, 3] += 10
    valid = np.ones((4, 12), bool)
    valid[:, 3] = False
    np.testing.assert_allclose(metrics.procrustes(source, target, valid=valid).scale, 2)
    np.testing.assert_allclose(metrics.procrustes(source, target, with_scale=False).scale, 1)


def test_pve_with_and_without_roots():
    true = np.zeros((1, 5, 3))
    found = true + np.array([0.1, 0, 0])
    assert metrics.pve_mm(found, true) == pytest.approx(100)
    roots = {"predicted_root_m": found[:, 0], "true_root_m": true[:, 0]}
    assert metrics.pve_mm(found, true, **roots) == pytest.approx(0)


def test_joint_angle_error_takes_the_shorter_way_round():
    true = np.zeros((1, 2, 3))
    found = np.array([[[0, np.radians(30), 0], [np.radians(350), 0, 0]]])
    assert metrics.joint_angle_error_deg(found, true) == pytest.approx((30 + 10) / 2)


def test_translation_error_by_hand():
    found, true = np.array([[0, 0, 4.0], [0, 0.3, 0.4]]), np.array([[0, 0, 3.9], [0, 0, 0]])
    assert metrics.translation_error_mm(found, true) == pytest.approx((100 + 500) / 2)


def test_acceleration_error_of_a_parabola_at_uneven_times():
    time_s = np.array([0.0, 0.1, 0.15, 0.4, 0.41])
    true = np.zeros((5, 1, 3))
    found = true.copy()
    found[:, 0, 1] = 0.5 * 9.81 * time_s**2 + 3 * time_s
    assert metrics.acceleration_error_mm_s2(found, true, time_s) == pytest.approx(9810)
    found[0] += 1
    valid = np.array([False, True, True, True, True])
    error = metrics.acceleration_error_mm_s2(found, true, time_s, valid=valid)
    assert error == pytest.approx(9810)


def test_jitter_of_a_cubic_at_uneven_times():
    time_s = np.array([0.0, 0.03, 0.1, 0.12, 0.3, 0.33])
    way = np.zeros((6, 2, 3))
    way[:, :, 2] = (2 * time_s**3 - time_s**2)[:, None]
    assert metrics.jitter_m_s3(way, time_s) == pytest.approx(12)
    assert np.isnan(metrics.jitter_m_s3(way[:3], time_s[:3]))


def test_foot_slide_counts_contact_and_ground_only():
    feet = np.zeros((4, 1, 3))
    feet[:, 0, 0] = (0, 0.003, 0.006, 1.0)
    feet[:, 0, 1] = (0, 0.5, 0, 0)
    contact = np.array([[True], [True], [True], [False]])
    assert metrics.foot_slide_mm_per_frame(feet, contact) == pytest.approx(3)


def test_reprojection_error_by_hand():
    seen = np.zeros((1, 2, 2))
    projected = np.array([[[3.0, 4.0], [0.0, 100.0]]])
    valid = np.array([[True, False]])
    assert metrics.reprojection_error_px(projected, seen, valid=valid) == pytest.approx(5)


def test_coverage_and_id_switches():
    present = np.array([True, True, True, True, False])
    found = np.array([True, False, True, True, True])
    assert metrics.coverage(found, present) == pytest.approx(0.75)
    assert metrics.id_switches(np.array([1, 1, -1, 1, 2, 2, -1, 1])) == 2
    assert metrics.id_switches(np.array([-1, -1])) == 0


def test_pck_counts_points_within_reach_and_lost_ones_as_wrong():
    true = np.zeros((2, 3, 2))
    found = np.array([[[3, 4], [0, 6], [np.nan, 0]], [[0, 1], [9, 0], [0, 0]]], float)
    share = metrics.correct_keypoints_share(found, true, np.array([5.0, 0.5]))
    assert share == pytest.approx(2 / 6)
    valid = np.array([[True, True, False], [False, False, True]])
    share = metrics.correct_keypoints_share(found, true, np.array([5.0, 0.5]), valid=valid)
    assert share == pytest.approx(2 / 3)


def test_oks_by_hand():
    true = np.zeros((3, 2, 2))
    found = np.array([[[0, 0], [2, 0]], [[0, 0], [2, 0]], [[0, 0], [0, 0]]], float)
    valid = np.array([[True, True], [False, True], [False, False]])
    # d^2 / (2 area (2 sigma)^2) = 4 / (2 * 100 * 0.04) = 0.5
    oks = metrics.object_keypoint_similarity(
        found, true, np.array([100.0, 100.0, 1.0]), np.array([0.1, 0.1]), valid=valid
    )
    np.testing.assert_allclose(oks[:2], [(1 + np.exp(-0.5)) / 2, np.exp(-0.5)])
    assert np.isnan(oks[2])


def test_coco_s_constants():
    assert metrics.COCO17_SIGMA.shape == (17,)
    np.testing.assert_array_equal(
        metrics.COCO17_SIGMA[[0, 3, 5, 11, 16]], [0.026, 0.035, 0.079, 0.107, 0.089]
    )

"""Straight lines and shortest arcs."""

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from pipeline.interpolate import interpolate_linear, interpolate_rotvec


def test_linear_holds_the_ends() -> None:
    known, values = np.array([1.0, 2.0, 4.0]), np.array([[0.0], [10.0], [0.0]])
    out = interpolate_linear(known, values, np.array([0.0, 1.5, 2.0, 3.0, 9.0]))
    np.testing.assert_allclose(out[:, 0], [0, 5, 10, 5, 0])


def test_one_known_time_is_enough() -> None:
    out = interpolate_linear(np.array([1.0]), np.array([[7.0, 8.0]]), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(out, np.tile([7.0, 8.0], (3, 1)))
    turned = interpolate_rotvec(np.array([1.0]), np.ones((1, 24, 3)), np.array([0.0, 3.0]))
    np.testing.assert_allclose(turned, np.ones((2, 24, 3)))


def test_rotations_equal_slerp_joint_by_joint() -> None:
    rng = np.random.default_rng(0)
    known, asked = np.array([0.0, 0.3, 1.1, 2.0]), np.linspace(0, 2, 23)
    rotvec = rng.normal(size=(4, 3, 3)) * 1.5
    out = interpolate_rotvec(known, rotvec, asked)
    for joint in range(3):
        wanted = Slerp(known, Rotation.from_rotvec(rotvec[:, joint]))(asked)
        off = (wanted.inv() * Rotation.from_rotvec(out[:, joint])).magnitude()
        assert off.max() < 1e-9


def test_half_a_turn_is_passed_on_the_short_side() -> None:
    ends = np.array([[np.pi - 0.1, 0, 0], [-(np.pi - 0.1), 0, 0]])
    (middle,) = interpolate_rotvec(np.array([0.0, 1.0]), ends, np.array([0.5]))
    np.testing.assert_allclose(np.abs(middle), [np.pi, 0, 0], atol=1e-9)

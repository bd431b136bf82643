from pathlib import Path

import numpy as np
import pytest

from pipeline.camera import (
    back_project,
    focal_from_fov,
    intrinsics,
    make_camera,
    project,
    rays,
    translation_from_points,
)
from pipeline.errors import SettingsError
from pipeline.events import EventLog
from pipeline.types import Video

K = intrinsics(1500.0, 1920, 1080)


def video(width_px=1920, height_px=1080):
    times = np.arange(3) / 30.0
    return Video(Path("a.mp4"), width_px, height_px, 0, times, 0, False, "h264")


def points(seed=0, bodies=5):
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.9, 0.9, (bodies, 33, 3)), rng.uniform([-1, -1, 2], [1, 1, 9], (bodies, 3))


def test_the_optical_axis_meets_the_middle_of_the_picture():
    assert project(np.array([0.0, 0.0, 3.0]), K) == pytest.approx([960, 540])


def test_right_and_down_are_positive_and_one_metre_at_f_metres_is_f_pixels():
    assert project(np.array([1.0, 0.5, 1.0]), K) == pytest.approx([960 + 1500, 540 + 750])


def test_back_projection_undoes_projection():
    places = points()[0] + [0, 0, 4]
    again = back_project(project(places, K), places[..., 2], K)
    np.testing.assert_allclose(again, places, atol=1e-12)
    assert np.all(rays(project(places, K), K)[..., 2] == 1)


def test_points_behind_the_camera_give_finite_pixels():
    assert np.isfinite(project(np.array([[0.3, 0.2, -1.0], [0.0, 0.0, 0.0]]), K)).all()


def test_a_translation_is_found_again_to_a_nanometre():
    places, t_m = points()
    seen = project(places + t_m[:, None], K)
    found = translation_from_points(places, seen, np.ones(seen.shape[:2]), K)
    np.testing.assert_allclose(found, t_m, atol=1e-9)


def test_a_fifth_of_wrong_points_moves_a_translation_by_less_than_one_percent():
    places, t_m = points(1)
    seen = project(places + t_m[:, None], K)
    seen[:, :6] += 300.0
    found = translation_from_points(places, seen, np.ones(seen.shape[:2]), K)
    assert np.linalg.norm(found - t_m, axis=1).max() < 0.01 * t_m[:, 2].max()


def test_points_of_no_weight_do_not_count():
    places, t_m = points(2)
    seen = project(places + t_m[:, None], K)
    seen[:, 10:] = 0.0
    weights = np.ones(seen.shape[:2])
    weights[:, 10:] = 0.0
    found = translation_from_points(places, seen, weights, K)
    np.testing.assert_allclose(found, t_m, atol=1e-8)


def test_a_body_never_comes_to_lie_behind_the_camera():
    places, _ = points(3)
    seen = project(places + np.array([0, 0, 3]), K)[:, ::-1]
    found = translation_from_points(places, seen, np.ones(seen.shape[:2]), K)
    assert np.isfinite(found).all()
    assert (places[..., 2] + found[:, None, 2]).min() > 0.09


def test_a_given_focal_length_is_taken_without_an_event():
    events = EventLog()
    camera = make_camera(video(), 1234.0, None, events)
    assert camera.origin == "given"
    np.testing.assert_allclose(camera.K_px, [[1234, 0, 960], [0, 1234, 540], [0, 0, 1]])
    assert events.events == []


def test_an_angle_of_view_is_horizontal():
    camera = make_camera(video(), None, 90.0, EventLog())
    assert camera.K_px[0, 0] == pytest.approx(960.0)
    assert focal_from_fov(60.0, 1000) == pytest.approx(500 / np.tan(np.pi / 6))


def test_an_assumed_focal_length_is_the_diagonal_and_told():
    events = EventLog()
    camera = make_camera(video(1600, 1200), None, None, events)
    assert camera.origin == "assumed"
    assert camera.K_px[0, 0] == pytest.approx(2000.0)
    (event,) = events.events
    assert event.kind == "assumption"
    assert "2000 px" in event.message
    assert "camera.focal_px=" in event.message


@pytest.mark.parametrize(
    ("focal_px", "fov_deg"),
    [(1000.0, 60.0), (0.0, None), (-5.0, None), (float("nan"), None), (float("inf"), None),
     (None, 0.0), (None, 180.0), (None, -10.0), (None, float("nan"))],
)  # fmt: skip
def test_nonsense_is_refused_with_the_name_of_the_setting(focal_px, fov_deg):
    with pytest.raises(SettingsError, match=r"focal_px|fov_deg"):
        make_camera(video(), focal_px, fov_deg, EventLog())

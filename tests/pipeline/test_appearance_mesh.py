"""Looks through fitted meshes: whose colours are read where people hide each other."""

from dataclasses import replace

import av
import numpy as np
import pytest

from pipeline.appearance import VALUES
from pipeline.appearance_hidden import crowd_of
from pipeline.appearance_limbs import NAMES, held_to_landmarks, limbs_on_landmarks
from pipeline.appearance_mesh import looks_through_meshes, meshes_by_frame, points_on_meshes
from pipeline.appearance_points import PARTS, SKELETONS
from pipeline.appearance_source import LookSource, chosen_source
from pipeline.appearance_surface import surface_samples
from pipeline.body import load_body
from pipeline.chosen import Chosen
from pipeline.colours import rgb_to_lab
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.errors import SettingsError
from pipeline.events import EventLog
from pipeline.frame import Frame
from pipeline.mesh_depth import Window, bounds_px, nearness, projected, window_of
from pipeline.types import Bodies
from tests.pipeline.two_people import CAMERA, CLOTHES, two_people

FRAMES = 12
LEFT_KNEE = 4


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def film(body):
    return two_people(FRAMES, body)


@pytest.fixture(scope="module")
def samples(body):
    return surface_samples(body)


def frames_of(pictures):
    return [
        Frame(n, n / 25, av.VideoFrame.from_ndarray(rgb, format="rgb24"))
        for n, rgb in enumerate(pictures)
    ]


@pytest.fixture(scope="module")
def looks(film, body, samples):
    """(n, 7, 4)"""
    frames = frames_of(film.pictures)
    found = looks_through_meshes(frames, film.detections, film.bodies, CAMERA, body, samples)
    return found.reshape(-1, len(PARTS), VALUES)


def test_depth_of_a_slanted_face_is_exact_in_every_cell():
    corners_m = np.array([[-1.0, -1.0, 4.0], [-1.0, 1.0, 5.0], [1.5, 0.0, 8.0]])
    K_px = np.array([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]])
    points = projected(corners_m, K_px)
    window = window_of(bounds_px(points), 40)
    found = nearness(points, np.array([[0, 1, 2]], np.int32), window)
    away = nearness(points, np.array([[0, 2, 1]], np.int32), window)
    assert not away.any()
    a, b, c = corners_m
    normal = np.cross(b - a, c - a)
    rows, columns = np.nonzero(found)
    assert len(rows) > 300
    pixel = np.stack([columns + 0.5, rows + 0.5], 1) * window.cell_px
    pixel += [window.left_px, window.top_px]
    ray = np.concatenate([(pixel - 50) / 100, np.ones((len(pixel), 1))], axis=1)
    np.testing.assert_allclose(1 / found[rows, columns], (normal @ a) / (ray @ normal), rtol=1e-5)


def test_nothing_behind_the_camera_is_drawn():
    points = projected(np.array([[0, 0, -1.0], [0, 1, 0.05], [1, 0, 2.0]]), CAMERA.K_px)
    assert (points[:, 2] > 0).tolist() == [False, False, True]
    window = Window(0.0, 0.0, 1.0, 20, 20)
    assert not nearness(points, np.array([[0, 1, 2], [0, 2, 1]], np.int32), window).any()


def test_places_lie_on_their_parts_on_both_sides(samples, body):
    middles = body.v_template_m.numpy()[samples.corners].mean(axis=2)
    heights = dict(zip(PARTS, middles[..., 1].mean(axis=1), strict=True))
    order = ("shins", "thighs", "belly", "chest", "head")
    assert sorted(order, key=heights.__getitem__) == list(order)
    for part in ("upper_arms", "forearms", "thighs", "shins"):
        left = middles[PARTS.index(part), :, 0] > 0
        assert 0.3 < left.mean() < 0.7


def test_colours_are_those_of_the_clothes(looks, film):
    """Shading changes lightness; the hue of a shirt stays (a and b within 12)."""
    for person, (shirt, trousers) in enumerate(CLOTHES):
        rows = (film.person == person) & ~film.overlap
        for part, rgb in (("chest", shirt), ("thighs", trousers)):
            lab = rgb_to_lab(np.array([rgb], np.uint8))[0]
            found = looks[rows, PARTS.index(part), 1:3]
            np.testing.assert_allclose(found, np.tile(lab[1:], (rows.sum(), 1)), atol=12)


def test_who_is_hidden_shows_nobody_elses_colours(looks, film):
    """Where the two cross the farther one's chest is never red: it is green, or not seen."""
    behind = (film.person == 1) & film.overlap
    chest = looks[behind, PARTS.index("chest"), 1]
    assert np.isnan(chest).any()
    red, green = (rgb_to_lab(np.array([c[0]], np.uint8))[0, 1] for c in CLOTHES)
    seen = chest[np.isfinite(chest)]
    assert (np.abs(seen - green) < np.abs(seen - red)).all()


def test_only_what_is_seen_is_looked_at(film, body, samples):
    """The back of somebody who faces the camera is not; who stands alone shows every part."""
    _, meshes = next(
        meshes_by_frame(frames_of(film.pictures[:1]), film.detections, film.bodies, CAMERA, body)
    )
    seen = points_on_meshes(meshes, samples).seen
    rest = body.v_template_m.numpy()[samples.corners].mean(axis=2)
    back = rest[PARTS.index("chest"), :, 2] < rest[PARTS.index("chest"), :, 2].min() + 0.05
    assert back.any() and not seen[:, PARTS.index("chest"), back].any()
    assert (seen.sum(axis=2) >= 8).all()


def test_a_body_that_is_no_body_is_read_along_landmarks_and_told(film, body):
    pose = film.bodies.pose_rotvec.copy()
    pose[3] = np.nan
    bodies = Bodies(pose, film.bodies.betas, film.bodies.t_camera_m)
    looks = LookSource("mesh").make(Context())
    found = looks(frames_of(film.pictures), film.detections, bodies, CAMERA)
    along = LookSource("landmarks").make(Context())
    expected = along(frames_of(film.pictures), film.detections, bodies, CAMERA)
    np.testing.assert_array_equal(found[3], expected[3])
    assert not np.array_equal(found[4], expected[4], equal_nan=True)
    events = EventLog()
    looks.tell(bodies, events)
    assert [event.kind for event in events.events] == ["info", "fallback"]
    assert f"1 of {len(bodies)} bodies" in events.events[1].message


def test_a_batch_without_people_has_no_looks(film):
    none = Bodies(*(np.zeros((0, *s), np.float32) for s in ((24, 3), (10,), (3,))))
    empty = type(film.detections)(
        np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    )
    looks = LookSource("mesh").make(Context())
    assert looks(frames_of(film.pictures[:2]), empty, none, CAMERA).shape == (0, 28)


def test_somebody_partly_behind_the_camera_is_no_error(film, body, samples):
    near = film.bodies.t_camera_m.copy()
    near[:, 2] = np.linspace(-1, 0.4, len(near))
    bodies = Bodies(film.bodies.pose_rotvec, film.bodies.betas, near)
    frames = frames_of(film.pictures)
    found = looks_through_meshes(frames, film.detections, bodies, CAMERA, body, samples)
    assert np.isnan(found[0]).all()


@pytest.mark.parametrize(
    ("regressor", "source"), [("landmarks", "mesh"), ("lifter", "landmarks"), ("hmr2", "mesh")]
)
def test_auto_takes_meshes_where_bodies_are_there_in_the_pass(
    regressor, source, monkeypatch, tmp_path
):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    assert chosen_source("auto", regressor, "embedded").name == source


@pytest.mark.parametrize("source", ["mesh", "encoder"])
def test_meshes_are_refused_where_bodies_come_later(source):
    settings = load_settings(None, ["regression.backend=lifter", f"appearance.source={source}"])
    with pytest.raises(SettingsError, match="gives bodies when the whole video is known"):
        Chosen(settings, Context())


def test_an_unknown_source_is_refused():
    with pytest.raises(SettingsError, match=r"appearance\.source"):
        load_settings(None, ["appearance.source=clothes"])


def test_a_hair_of_a_shift_changes_no_look(film, body, samples, looks):
    bodies = Bodies(film.bodies.pose_rotvec, film.bodies.betas, film.bodies.t_camera_m + 1e-5)
    frames = frames_of(film.pictures)
    again = looks_through_meshes(frames, film.detections, bodies, CAMERA, body, samples)
    assert np.nanmax(np.abs(again.reshape(looks.shape) - looks)) < 2.0


def test_limbs_are_looked_at_where_the_detector_saw_them(film, body, samples):
    """Landmarks beside the mesh move the limb with its ends; unseen ends leave it where it is."""
    skeleton = SKELETONS["coco17"]
    frames = frames_of(film.pictures[:1])
    _, meshes = next(meshes_by_frame(frames, film.detections, film.bodies, CAMERA, body))
    points = points_on_meshes(meshes, samples)
    landmarks = np.zeros((2, len(skeleton), 3))
    for joint, name in NAMES.items():
        landmarks[:, skeleton.index(name), :2] = meshes.joints_px[:, joint] + [7.0, 0.0]
        landmarks[:, skeleton.index(name), 2] = 0.0 if name == "left_knee" else 0.9
    for name in ("left_wrist", "right_wrist"):
        landmarks[:, skeleton.index(name), 1] += 10.0
    found = limbs_on_landmarks(points, meshes.joints_px, landmarks, skeleton, samples)
    move = found.points_px - points.points_px
    for part in ("head", "chest", "belly"):
        assert not move[:, PARTS.index(part)].any()
    arms = move[:, PARTS.index("upper_arms")]
    np.testing.assert_allclose(arms, np.broadcast_to([7.0, 0.0], arms.shape), atol=1e-9)
    forearms = PARTS.index("forearms")
    expected = 10.0 * samples.along[forearms]
    np.testing.assert_allclose(move[0, forearms, :, 1], expected, atol=1e-9)
    left = samples.bone[PARTS.index("thighs"), :, 1] == LEFT_KNEE
    assert not move[:, PARTS.index("thighs"), left].any()
    assert left.any() and not left.all() and move[:, PARTS.index("thighs"), ~left].any()


def test_feet_tell_who_is_nearer_where_bodies_are_wrong(film, body, samples):
    """The farther body is put before the nearer: its look is not read off the other's clothes."""
    skeleton = SKELETONS["coco17"]
    frames = frames_of(film.pictures)
    _, meshes = list(meshes_by_frame(frames, film.detections, film.bodies, CAMERA, body))[5]
    landmarks = np.zeros((2, len(skeleton), 3))
    for joint, name in NAMES.items():
        landmarks[:, skeleton.index(name), :2] = meshes.joints_px[:, joint]
        landmarks[:, skeleton.index(name), 2] = 0.9
    landmarks[:, skeleton.index("nose")] = landmarks[:, skeleton.index("left_shoulder")]
    t_m = film.bodies.t_camera_m.copy()
    t_m[1::2] *= 0.5  # the same place in the picture, twice as near
    wrong = Bodies(film.bodies.pose_rotvec, film.bodies.betas, t_m)
    _, nearer = list(meshes_by_frame(frames, film.detections, wrong, CAMERA, body))[5]
    people = crowd_of(film.detections, nearer.rows, 360)
    people = replace(people, landmarks_px=landmarks, skeleton="coco17")
    points = points_on_meshes(nearer, samples)
    found = held_to_landmarks(points, nearer.joints_px, people, samples)
    chest = PARTS.index("chest")
    left_out = points.seen[1, chest] & ~found.seen[1, chest]
    assert left_out.any() and found.seen[1, chest].any()

    def redness(which):
        pixel = np.floor(found.points_px[1, chest, which]).astype(int)
        lab = rgb_to_lab(film.pictures[5][pixel[:, 1], pixel[:, 0]])
        return (lab[:, 1] > 0).mean()

    assert redness(found.seen[1, chest]) < redness(points.seen[1, chest]) < redness(left_out)
    alone = replace(people, landmarks_px=None)
    assert held_to_landmarks(points, nearer.joints_px, alone, samples) is points

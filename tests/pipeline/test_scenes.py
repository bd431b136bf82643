from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline import backends
from pipeline.body import load_body
from pipeline.camera import project
from pipeline.context import Context
from pipeline.metrics import foot_slide_mm_per_frame
from pipeline.scenes import standing
from pipeline.scenes.cameras import in_camera, look_at
from pipeline.scenes.clothes import PUPIL, Outfit, dress
from pipeline.scenes.drawing import film
from pipeline.scenes.library import crossing
from pipeline.scenes.motion import points_of_contact
from pipeline.scenes.motions import walk
from pipeline.scenes.paths import rounded_path
from pipeline.scenes.place import PX_PER_M, WIDE_M, draw_place, street
from pipeline.scenes.scene import read_truth, truth_of, write_truth
from pipeline.scenes.scoring import score
from pipeline.scenes.video import write_film
from pipeline.types import Person, PosedMesh, Status
from pipeline.video import open_video, read_frames

SHAPES = {
    "mean": np.zeros(10, np.float32),
    "tall": np.array([1.5, -1, 0, 0, 0, 0, 0, 0, 0, 0], np.float32),
    "small": np.array([-1.5, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.float32),
}
ON_THE_SPOT = [standing.squat, standing.sit, standing.reach, standing.turn_in_place]


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def stride(body):
    """Two strides of a second each, straight ahead."""
    way = [(0.0, 0.0), (0.0, 2.4)]
    return walk(body, SHAPES["mean"], way, frames=60, speed_m_s=1.2, step_m=0.6)


@pytest.fixture(scope="module")
def filmed(body):
    scene = crossing(body, seconds=5.0, fps=4.0, width_px=480, height_px=270)
    pictures = list(film(scene))
    boxes = np.stack([p.boxes_xyxy_px for p in pictures], axis=1)
    shares = np.stack([p.seen_share for p in pictures], axis=1)
    return scene, pictures, truth_of(scene, boxes, shares)


@pytest.mark.parametrize("shape", SHAPES)
def test_walking_feet_stay_where_they_stand(body, shape):
    corners = [(0.0, 0.0), (0.5, 1.5), (2.0, 2.0)]
    motion = walk(body, SHAPES[shape], corners, frames=90, first_step=0.3)
    points_m = points_of_contact(motion, body)
    assert foot_slide_mm_per_frame(points_m, motion.contact) < 0.05
    heel_height_m = points_m[:, [0, 2], 1][motion.contact[:, [0, 2]]]
    assert np.abs(heel_height_m).max() < 0.010
    assert motion.posed(body).vertices()[..., 1].min() > -0.015


def test_a_walk_is_never_airborne_and_now_and_then_on_both_feet(stride):
    left, right = stride.contact[:, :2].any(axis=1), stride.contact[:, 2:].any(axis=1)
    assert (left | right).all()
    assert 0.15 < (left & right).mean() < 0.35


def test_a_walk_repeats_itself_stride_after_stride_at_the_right_speed(stride):
    np.testing.assert_allclose(stride.pose_rotvec[:30], stride.pose_rotvec[30:], atol=1e-9)
    moved_m = stride.t_world_m[30:] - stride.t_world_m[:30]
    np.testing.assert_allclose(moved_m, np.tile([0, 0, 1.2], (30, 1)), atol=1e-6)


def test_a_walk_starts_where_its_way_starts(stride):
    pelvis_m = stride.t_world_m[0] + [0, -0.22, 0.03]
    assert np.linalg.norm(pelvis_m[[0, 2]]) < 0.06


def test_left_and_right_mirror_each_other_half_a_stride_apart(body, stride):
    joints_m = stride.posed(body).joints_m.numpy()
    ahead = joints_m - joints_m[:, :1]
    left, right = ahead[:15, [1, 4, 7, 10, 18, 20]], ahead[15:30, [2, 5, 8, 11, 19, 21]]
    np.testing.assert_allclose(left, right * [-1, 1, 1], atol=0.004)


def test_knees_bend_twice_a_stride_and_stay_in_range(stride):
    knee_deg = np.degrees(stride.pose_rotvec[:30, 4, 0])
    assert 3 < knee_deg.min() < 12
    assert 45 < knee_deg.max() < 70
    before, after = np.roll(knee_deg, 1), np.roll(knee_deg, -1)
    peaks = np.flatnonzero((knee_deg > before) & (knee_deg >= after))
    standing_bump = [p for p in peaks if p < 8]
    swing_bump = [p for p in peaks if 18 < p < 27]
    assert standing_bump and 12 < knee_deg[standing_bump[0]] < 32
    assert swing_bump
    assert (stride.pose_rotvec[:, 4:6, 1:] == 0).all()


def test_arms_go_with_the_other_leg(body, stride):
    joints_m = stride.posed(body).joints_m.numpy()
    ankle = joints_m[:, 7, 2] - joints_m[:, 0, 2]
    wrist = joints_m[:, 20, 2] - joints_m[:, 0, 2]
    assert np.corrcoef(ankle, wrist)[0, 1] < -0.8


def test_a_walker_looks_where_the_way_goes(body):
    motion = walk(body, SHAPES["mean"], [(0.0, 0.0), (0.0, 1.5), (1.5, 1.5)], frames=90)
    ahead = motion.posed(body).global_rotmat[:, 15, :, 2].numpy()
    assert ahead[0, 2] > 0.97
    assert ahead[-1, 0] > 0.97


def test_a_way_keeps_its_length_and_rounds_its_corner():
    path = rounded_path(np.array([[0.0, 0.0], [0.0, 3.0], [4.0, 3.0]]), way_at_start_m=0.5)
    np.testing.assert_allclose(path.at(np.array([0.5, 2.0])), [[0, 0, 0], [0, 0, 1.5]], atol=0.02)
    way_m = np.linspace(0.5, 6.5, 61)
    steps_m = np.linalg.norm(np.diff(path.at(way_m), axis=0), axis=1)
    np.testing.assert_allclose(steps_m, 0.1, atol=0.002)
    heading = path.heading_rad(way_m)
    np.testing.assert_allclose(heading[[0, -1]], [0, np.pi / 2], atol=1e-3)
    assert np.abs(np.diff(heading)).max() < 0.3


def test_clothes_stand_off_the_skin_and_leave_hands_and_face_bare(body, stride):
    outfit = Outfit(shirt=(200, 0, 0), trousers=(0, 0, 200), shoes=(9, 9, 9), hair=(50, 30, 20))
    dressed = dress(body, stride.betas, outfit)
    posed = stride.posed(body, slice(10, 12))
    away_m = np.linalg.norm(dressed.vertices(posed) - posed.vertices().numpy(), axis=-1)
    # Skinned normals are a little shorter than one where joints bend.
    assert (away_m <= dressed.thickness_m + 1e-6).all()
    assert (away_m >= 0.7 * dressed.thickness_m - 1e-6).all()
    owner = body.weights.numpy().argmax(axis=1)
    assert (dressed.rgb[np.isin(owner, (20, 21, 22, 23))] == outfit.skin).all()
    for joints, colour in (((4, 5), outfit.trousers), ((9,), outfit.shirt)):
        worn = (dressed.rgb[np.isin(owner, joints)] == colour).all(axis=1)
        assert worn.mean() > 0.9
    head = dressed.rgb[owner == 15]
    assert 0.15 < (head == outfit.hair).all(axis=1).mean() < 0.6
    assert (head == PUPIL).all(axis=1).sum() >= 2


@pytest.mark.parametrize("perform", ON_THE_SPOT, ids=lambda f: f.__name__)
def test_motions_on_the_spot_keep_their_feet_on_the_ground(body, perform):
    spot = standing.Spot(1.0, -2.0, 0.5)
    motion = perform(body, SHAPES["tall"], frames=75, spot=spot)
    points_m = points_of_contact(motion, body)
    assert foot_slide_mm_per_frame(points_m, motion.contact) < 0.01
    assert motion.contact.any(axis=1).all()
    lowest_m = motion.posed(body).vertices()[..., 1].amin(dim=1)
    assert lowest_m.abs().max() < 0.001
    assert np.degrees(motion.pose_rotvec[:, 4:6, 0].max()) < 140
    assert np.abs(motion.t_world_m[:, [0, 2]] - [1.0, -2.0]).max() < 0.6
    speed_m_s = np.abs(np.diff(motion.posed(body).joints_m.numpy(), axis=0)).max() * 30
    assert speed_m_s < 5


def test_sitting_ends_on_the_seat(body):
    motion = standing.sit(body, SHAPES["mean"], frames=90, seat_m=0.45)
    owner = body.weights.numpy().argmax(axis=1)
    vertices_m = motion.posed(body).vertices().numpy()[-1]
    assert abs(vertices_m[owner == 0, 1].min() - 0.45) < 0.04
    hips_m = motion.posed(body).joints_m.numpy()[:, 1]
    assert hips_m[0, 1] - hips_m[-1, 1] > 0.25


def test_a_turn_goes_to_the_left_at_its_speed(body):
    motion = standing.turn_in_place(body, SHAPES["mean"], frames=31, speed_rad_s=np.pi / 2)
    ahead = motion.posed(body).global_rotmat[:, 0, :, 2].numpy()
    np.testing.assert_allclose(ahead[[0, -1]], [[0, 0, 1], [1, 0, 0]], atol=1e-5)


def test_motion_in_the_camera_is_the_motion_in_the_world(body, stride):
    aside = np.linspace(0, 1, 60)[:, None] * np.array([1.0, 0.2, 0])
    camera = look_at(
        np.array([0.5, 1.6, 5.0]) + aside,
        np.array([[0.0, 1.0, 0.0]]),
        width_px=640,
        height_px=360,
        focal_px=700.0,
    )
    shaped = body.with_shape(torch.zeros(10))
    seen = in_camera(
        camera, stride.pose_rotvec, stride.t_world_m, shaped.joints_rest_m[0].double().numpy()
    )
    posed = shaped.with_pose(
        torch.from_numpy(seen.pose_rotvec).float(), torch.from_numpy(seen.t_camera_m).float()
    )
    world_m = stride.posed(body).vertices().numpy()
    for frame in (0, 30, 59):
        expected = camera.seen(frame, world_m[frame])
        np.testing.assert_allclose(posed.vertices()[frame].numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(camera.place_world_m, np.array([0.5, 1.6, 5.0]) + aside)


def test_a_camera_looks_at_its_target_upright():
    camera = look_at(
        np.array([[2.0, 1.5, 6.0]]),
        np.array([[0.0, 1.0, -1.0]]),
        width_px=640,
        height_px=360,
        focal_px=500.0,
    )
    points_m = camera.seen(0, np.array([[0, 1.0, -1.0], [0, 1.5, -1.0], [0.5, 1.0, -1.0]]))
    target, above, right = project(points_m, camera.K_px)
    np.testing.assert_allclose(target, [320, 180], atol=1e-9)
    assert abs(above[0] - 320) < 1e-6 and above[1] < 150
    assert right[0] > 340
    np.testing.assert_allclose(np.linalg.det(camera.rotmat_camera_world), 1.0)


@pytest.mark.parametrize("on_wall", [False, True])
def test_the_place_is_drawn_where_the_camera_formula_puts_it(on_wall):
    camera = look_at(
        np.array([[0.6, 1.5, 5.0]]),
        np.array([[0.0, 1.0, 0.0]]),
        width_px=640,
        height_px=360,
        focal_px=600.0,
    )
    place = street(seed=1)
    mark_world_m = np.array([0.5, 1.5, place.wall_z_m] if on_wall else [-0.5, 0.0, 1.0])
    texture = (place.wall if on_wall else place.ground).copy()
    depth_m = mark_world_m[2] - place.wall_z_m
    row = len(texture) - 1.5 * PX_PER_M if on_wall else depth_m * PX_PER_M
    column = (mark_world_m[0] + WIDE_M / 2) * PX_PER_M
    texture[round(row) - 4 : round(row) + 4, round(column) - 4 : round(column) + 4] = (255, 0, 255)
    marked = replace(place, **{"wall" if on_wall else "ground": texture})
    picture = draw_place(marked, camera, 0).astype(int)
    changed = np.abs(picture - draw_place(place, camera, 0)).sum(axis=-1) > 60
    rows, columns = np.nonzero(changed)
    centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
    expected = project(camera.seen(0, mark_world_m), camera.K_px)
    np.testing.assert_allclose(centre, expected, atol=0.7)


def test_the_true_body_lies_on_the_drawn_person(filmed):
    scene, pictures, truth = filmed
    draw = backends.make(
        "rendering", "raster", backends.make_config("rendering", "raster", {}), Context()
    )
    for frame in (1, 15):
        empty = draw_place(scene.place, scene.camera, frame).astype(int)
        changed = np.abs(pictures[frame].rgb - empty).sum(axis=-1) > 12
        for person in (0, 1):
            posed = scene.body.with_shape(torch.from_numpy(truth.betas[person])).with_pose(
                torch.from_numpy(truth.pose_rotvec[person, frame]),
                torch.from_numpy(truth.t_camera_m[person, frame]),
            )
            mesh = PosedMesh(1, posed.vertices().numpy(), np.zeros(3, np.uint8))
            layer = draw([mesh], scene.body.faces, truth.K_px, 480, 270)
            mask = np.zeros((270, 480), bool)
            height, width = layer.rgba.shape[:2]
            x, y = layer.x_px, layer.y_px
            mask[y : y + height, x : x + width] = layer.rgba[..., 3] > 128
            assert mask.sum() > 1000
            assert changed[mask].mean() > 0.97
            rows, columns = np.nonzero(mask)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(truth.boxes_xyxy_px[person, frame], box, atol=3)
            # Above the knees no shadow falls: there nothing but the person may have changed.
            left, top, right, bottom = np.clip(np.array(box) + np.array([-4, -4, 4, 0]), 0, 480)
            upper = slice(top, top + (bottom - top) // 2)
            seen, true = changed[upper, left:right], mask[upper, left:right]
            assert (seen & true).sum() / (seen | true).sum() > 0.8


def test_the_chest_has_the_shirt_s_colour(filmed):
    _, pictures, truth = filmed
    for frame in (1, 8, 18):
        x, y = project(truth.joints_camera_m[0, frame, 9], truth.K_px).astype(int)
        red, green, blue = pictures[frame].rgb[y, x].astype(int)
        assert red > 2 * green and red > 2 * blue


def test_people_cross_and_hide_each_other(filmed):
    _, _, truth = filmed
    across = truth.joints_camera_m[0, :, 0, 0] - truth.joints_camera_m[1, :, 0, 0]
    assert across[0] < -1 and across[-1] > 1
    assert truth.seen_share[0].min() > 0.95
    assert truth.seen_share[1].min() < 0.7
    assert truth.seen_share[1, 0] > 0.95
    assert truth.present.mean() > 0.9


def test_filming_twice_gives_the_same_bytes(body, tmp_path):
    paths = [tmp_path / f"{name}.mp4" for name in "abc"]
    for path in paths:
        scene = crossing(body, seconds=0.2, width_px=320, height_px=180)
        write_film(path, (picture.rgb for picture in film(scene)), scene.fps)
    assert len({path.read_bytes() for path in paths}) == 1


def test_a_written_film_reads_back_as_it_was(filmed, tmp_path):
    scene, pictures, _ = filmed
    count = write_film(tmp_path / "film.mp4", (p.rgb for p in pictures), 4.0)
    video = open_video(tmp_path / "film.mp4")
    assert count == video.frame_count == len(scene)
    assert (video.width_px, video.height_px) == (480, 270)
    np.testing.assert_allclose(video.time_s, np.arange(20) / 4.0, atol=1e-6)
    for frame, picture in zip(read_frames(video), pictures, strict=True):
        assert np.abs(frame.rgb.astype(int) - picture.rgb).mean() < 4


def test_truth_survives_the_disk(filmed, tmp_path):
    _, _, truth = filmed
    write_truth(tmp_path / "truth.npz", truth)
    again = read_truth(tmp_path / "truth.npz")
    for name, value in vars(truth).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def person_of(truth, row, frames, person_id):
    nothing = np.full((len(frames), 4), np.nan, np.float32)
    return Person(
        id=person_id,
        frame_index=frames.astype(np.int32),
        time_s=truth.time_s[frames],
        status=np.full(len(frames), Status.OBSERVED, np.uint8),
        confidence=np.ones(len(frames), np.float32),
        pose_rotvec=truth.pose_rotvec[row, frames],
        betas=truth.betas[row],
        t_camera_m=truth.t_camera_m[row, frames],
        boxes_xyxy_px=nothing,
    )


def test_the_truth_itself_scores_full_marks(filmed, body):
    _, _, truth = filmed
    every = np.arange(20)
    result = score(truth, (person_of(truth, 1, every, 1), person_of(truth, 0, every, 2)), body)
    assert result.nobody_frames == 0
    for person, present in zip(result.people, truth.present, strict=True):
        assert person.coverage == 1 and person.id_switches == 0
        assert person.frames_present == present.sum()
        assert person.mpjpe_mm < 0.01 and person.translation_error_mm < 0.01


def test_errors_gaps_swaps_and_strangers_show_in_the_score(filmed, body):
    _, _, truth = filmed
    first, second = np.arange(10), np.arange(12, 20)
    moved = person_of(truth, 0, second, 2)
    moved = replace(moved, t_camera_m=moved.t_camera_m + np.array([0, 0, 0.2], np.float32))
    away = person_of(truth, 0, first, 3)
    away = replace(away, t_camera_m=away.t_camera_m + np.array([0, -3, 0], np.float32))
    result = score(truth, (person_of(truth, 0, first, 1), moved, away), body)
    person, missed = result.people
    assert person.coverage == pytest.approx(18 / 20)
    assert person.id_switches == 1
    assert person.mpjpe_mm < 0.01
    assert person.translation_error_mm == pytest.approx(200 * 8 / 18, rel=1e-3)
    assert missed.coverage == 0 and np.isnan(missed.mpjpe_mm)
    assert result.nobody_frames == 10


def test_nobody_found_is_a_score_too(filmed, body):
    _, _, truth = filmed
    result = score(truth, (), body)
    assert [person.coverage for person in result.people] == [0, 0]
    assert result.nobody_frames == 0

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.body import load_body
from pipeline.context import Context
from pipeline.errors import InputError, SettingsError
from pipeline.scenes import several_scenes, single_scenes
from pipeline.scenes.camera_moves import CameraPlan, planned_camera
from pipeline.scenes.clothes import Outfit
from pipeline.scenes.film_cache import cached_film
from pipeline.scenes.film_file import CLIP_NAME, FilmOptions
from pipeline.scenes.grounds import hall, meadow
from pipeline.scenes.place import TALL_M, WIDE_M
from pipeline.scenes.scene import read_truth, write_truth
from pipeline.scenes.scene_list import scene_list
from pipeline.scenes.specs import Procedural, Recorded, Role, SceneSpec
from pipeline.scenes.staging import PLACES, actors_of
from pipeline.scenes.wardrobe import FARTHEST_BETA, random_betas, random_outfit
from pipeline.video import open_video, read_frames

MOCAP = Path(__file__).parents[3] / "shared" / "data" / "mocap_smpl"
TINY = SceneSpec(
    "tiny",
    "single",
    (Role(Procedural("squat"), 3),),
    0.4,
    fps=10.0,
    width_px=320,
    height_px=180,
)
EVERY = single_scenes.RECORDED + single_scenes.PROCEDURAL
EVERY += several_scenes.RECORDED + several_scenes.PROCEDURAL
needs_mocap = pytest.mark.skipif(not MOCAP.is_dir(), reason=f"no motion capture at {MOCAP}")


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def walls_z_m():
    return {name: make(0).wall_z_m for name, make in PLACES.items()}


def test_the_list_holds_what_the_benchmark_promises():
    assert len({spec.name for spec in EVERY}) == len(EVERY)
    assert len(single_scenes.RECORDED) >= 8
    assert len(several_scenes.PROCEDURAL) >= 10
    assert {p.what for s in single_scenes.PROCEDURAL for p in [s.roles[0].motion]} == {
        "walk",
        "turn",
        "sit",
        "reach",
        "squat",
    }
    assert {len(spec.roles) for spec in several_scenes.PROCEDURAL} >= {2, 3, 4, 5}
    for group in (single_scenes.RECORDED, several_scenes.PROCEDURAL):
        assert {spec.camera.move for spec in group} == {"static", "pan", "handheld"}
        assert min(s.fps for s in group) <= 25 and max(s.fps for s in group) == 60
    assert all(spec.seconds <= 8 for spec in EVERY)


def test_without_motion_files_the_project_s_own_are_taken():
    found = scene_list(None)
    assert found.motions_folder is None
    assert found.specs == single_scenes.PROCEDURAL + several_scenes.PROCEDURAL
    quick = scene_list(None, quick=True).specs
    assert [spec.group for spec in quick] == ["single", "several"]
    assert all(spec.seconds < 3 and spec.width_px == 640 for spec in quick)


@needs_mocap
def test_with_motion_files_the_fixed_list_is_taken():
    found = scene_list(MOCAP)
    assert found.motions_folder == MOCAP / "val"
    assert set(found.specs) >= set(single_scenes.RECORDED + several_scenes.RECORDED)


@needs_mocap
@pytest.mark.parametrize("spec", single_scenes.RECORDED, ids=lambda s: s.name)
def test_recorded_people_stand_on_the_floor_in_front_of_the_wall(spec, body, walls_z_m):
    still = replace(spec, fps=6.0, options=FilmOptions())
    (actor,) = actors_of(still, body, MOCAP / "val")
    vertices_m = actor.motion.posed(body).vertices().numpy()
    lowest_m = vertices_m[..., 1].min(axis=1)
    assert lowest_m.min() > -0.03
    assert np.median(lowest_m) < 0.03
    assert vertices_m[..., 2].min() > walls_z_m[spec.place] + 0.3
    assert actor.motion.contact.any()


def test_walkers_keep_off_the_wall(body, walls_z_m):
    for spec in several_scenes.PROCEDURAL:
        for actor in actors_of(replace(spec, fps=4.0, options=FilmOptions()), body, None):
            joints_m = actor.motion.posed(body).joints_m.numpy()
            assert joints_m[..., 2].min() > walls_z_m[spec.place] + 0.3, spec.name


@needs_mocap
def test_partners_meet_as_they_were_recorded(body):
    spec = next(s for s in several_scenes.RECORDED if s.name == "salsa")
    actors = actors_of(replace(spec, fps=5.0), body, MOCAP / "val")
    pelves = [a.motion.posed(body).joints_m.numpy()[:, 0, [0, 2]] for a in actors]
    apart_m = np.linalg.norm(pelves[0] - pelves[1], axis=1)
    assert apart_m.min() > 0.3 and np.median(apart_m) < 1.1


def test_other_folders_give_scenes_of_their_files(tmp_path, body):
    (actor,) = actors_of(replace(TINY, seconds=2.0, fps=30.0), body, None)
    motion = actor.motion
    poses = motion.pose_rotvec.reshape(-1, 72)
    np.savez(tmp_path / "own.npz", poses=poses, trans=motion.t_world_m, fps=30.0)
    short = {"poses": poses[:9], "trans": motion.t_world_m[:9], "fps": 30.0}
    np.savez(tmp_path / "short.npz", **short)
    found = scene_list(tmp_path)
    assert [s.name for s in found.specs if s.group == "single"] == ["own"]
    assert found.specs[0].roles[0].motion == Recorded(
        "own", 0.0, found.specs[0].roles[0].motion.facing_deg
    )
    assert found.motions_folder == tmp_path


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        scene_list(tmp_path / "none")
    with pytest.raises(InputError, match="holds no motion file"):
        scene_list(tmp_path)
    with pytest.raises(SettingsError, match=r"unknown scene 'x'. Known: procedural_walk"):
        scene_list(None, only=["x"])


def test_lots_are_the_same_for_the_same_seed_and_within_bounds():
    betas = np.array([random_betas(seed) for seed in range(50)])
    np.testing.assert_array_equal(betas[7], random_betas(7))
    assert np.abs(betas).max() <= FARTHEST_BETA + 1e-6
    assert 0.5 < betas[:, :2].std() < 1.1
    outfits = [random_outfit(seed) for seed in range(50)]
    assert outfits[3] == random_outfit(3) and all(isinstance(o, Outfit) for o in outfits)
    assert len({o.skin for o in outfits}) == 6
    assert 5 < sum(o.stripe is not None for o in outfits) < 25


def camera_of(plan, fps=30.0, people_m=None):
    people_m = np.zeros((60, 3)) if people_m is None else people_m
    return planned_camera(plan, people_m, fps=fps, width_px=640, height_px=360)


def test_a_tripod_stands_where_it_is_put():
    camera = camera_of(CameraPlan(azimuth_deg=90.0, distance_m=4.0, height_m=1.2))
    np.testing.assert_allclose(camera.place_world_m, np.tile([4.0, 1.2, 0.0], (60, 1)), atol=1e-12)
    assert camera.K_px[0, 0] == pytest.approx(1.15 * 640)


def test_a_panning_camera_keeps_a_walker_in_the_middle():
    people_m = np.linspace([-2, 0, 0], [2, 0, 0], 60)
    camera = camera_of(CameraPlan("pan"), people_m=people_m)
    for frame in (10, 30, 50):
        seen = camera.seen(frame, people_m[frame] + [0, 0.95, 0])
        assert abs(seen[0] / seen[2]) < 0.1
    np.testing.assert_allclose(np.ptp(camera.place_world_m, axis=0), 0, atol=1e-12)


def test_a_hand_shakes_a_little_and_the_same_at_any_frame_rate():
    plan = CameraPlan("handheld", seed=1)
    still, held = camera_of(replace(plan, move="static")), camera_of(plan)
    turned = held.rotmat_camera_world @ still.rotmat_camera_world.transpose(0, 2, 1)
    cosine = np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1)
    angle_deg = np.degrees(np.arccos(cosine))
    assert 0.3 < angle_deg.mean() < 4
    moved_m = np.linalg.norm(held.place_world_m - still.place_world_m, axis=1)
    assert 0.005 < moved_m.mean() < 0.15
    np.testing.assert_allclose(np.linalg.det(held.rotmat_camera_world), 1.0)
    twice = camera_of(plan, fps=60.0, people_m=np.zeros((120, 3)))
    np.testing.assert_allclose(twice.rotmat_camera_world[::2], held.rotmat_camera_world, atol=2e-3)


@pytest.mark.parametrize("make", [hall, meadow])
def test_places_are_seeded_and_of_the_right_size(make):
    first, again, other = make(1), make(1), make(2)
    np.testing.assert_array_equal(first.ground, again.ground)
    np.testing.assert_array_equal(first.wall, again.wall)
    assert (first.ground != other.ground).any()
    assert first.wall.shape[0] / first.wall.shape[1] == pytest.approx(TALL_M / WIDE_M, abs=0.01)
    assert first.ground.std() > 5 and first.wall.std() > 10


def pictures(film):
    return np.stack([f.rgb for f in read_frames(open_video(film.clip))]).astype(float)


def test_blur_noise_and_compression(body, tmp_path):
    def filmed(**options):
        spec = replace(TINY, options=FilmOptions(**options))
        return cached_film(spec, body, None, tmp_path, Context())

    plain, blurred = filmed(crf=8), filmed(crf=8, exposures=4, open_exposures=3)
    noisy, squeezed = filmed(crf=8, noise=12.0), filmed(crf=45)
    assert len(pictures(blurred)) == len(pictures(plain)) == 4
    # The truth is that of the middle of the exposure, a quarter of a frame later.
    assert blurred.truth.time_s[0] == pytest.approx(0.025)
    np.testing.assert_allclose(np.diff(blurred.truth.time_s), 0.1)
    assert blurred.truth.contact.shape == (1, 4, 4)
    noise = (pictures(noisy) - pictures(plain)).std()
    assert 5 < noise < 13
    assert squeezed.clip.stat().st_size < 0.4 * plain.clip.stat().st_size


def test_a_film_is_made_once_and_anew_when_anything_changes(body, tmp_path):
    first = cached_film(TINY, body, None, tmp_path, Context())
    time_ns = first.clip.stat().st_mtime_ns
    again = cached_film(TINY, body, None, tmp_path, Context())
    assert again.clip == first.clip and again.clip.stat().st_mtime_ns == time_ns
    np.testing.assert_array_equal(again.truth.pose_rotvec, first.truth.pose_rotvec)
    other = cached_film(replace(TINY, fps=12.0), body, None, tmp_path, Context())
    assert other.clip.parent != first.clip.parent
    assert other.clip.name == CLIP_NAME


def test_truth_knows_the_camera_s_motion(body, tmp_path):
    spec = replace(TINY, camera=CameraPlan("handheld", seed=2))
    truth = cached_film(spec, body, None, tmp_path, Context()).truth
    write_truth(tmp_path / "t.npz", truth)
    truth = read_truth(tmp_path / "t.npz")
    motion = actors_of(spec, body, None)[0].motion
    world_m = truth.in_world(np.arange(len(truth.time_s)), truth.joints_camera_m[0])
    np.testing.assert_allclose(world_m, motion.posed(body).joints_m.numpy(), atol=2e-5)


def test_films_held_out_are_others_and_nobody_walks_into_anybody(body):
    """Ways drawn by lot, the same every time, and never those that trackers are made on."""
    held_out = scene_list(None).held_out
    assert len(held_out) == 10
    assert not {s.name for s in held_out} & {s.name for s in EVERY}
    assert scene_list(None, quick=True).held_out == ()
    (one,) = scene_list(None, only=["held_out_return_2"]).held_out
    assert one == held_out[8]
    for spec in held_out[:3]:
        ways = np.stack([actor.motion.t_world_m for actor in actors_of(spec, body, None)])
        apart = np.linalg.norm(ways[:, None, :, [0, 2]] - ways[None, :, :, [0, 2]], axis=-1)
        apart[np.arange(len(ways)), np.arange(len(ways))] = np.inf
        assert apart.min() > 0.35


def test_another_lot_draws_other_films_and_the_first_stays():
    first, second = scene_list(None).held_out, scene_list(None, lot=2).held_out
    assert scene_list(None, lot=1).held_out == first
    assert [spec.name for spec in first[:2]] == ["held_out_crossing_1", "held_out_crossing_2"]
    assert len(second) == len(first)
    assert not {spec.name for spec in first} & {spec.name for spec in second}
    ways = [{role.motion.corners_xz_m for role in spec.roles} for spec in (*first, *second)]
    assert all(not a & b for n, a in enumerate(ways) for b in ways[:n])
    with pytest.raises(SettingsError, match="held_out_crossing_101"):
        scene_list(None, only=["held_out_crossing_1"], lot=2)

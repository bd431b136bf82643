import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.body import load_body
from pipeline.errors import InputError, MissingError
from pipeline.metrics import foot_slide_mm_per_frame
from pipeline.scenes.motion import points_of_contact
from pipeline.scenes.motion_files import leg_ratio, read_motion
from pipeline.scenes.motions import walk
from pipeline.scenes.recordings import recorded_start

MEAN = np.zeros(10, np.float32)
TALL = np.array([1.5, -1, 0, 0, 0, 0, 0, 0, 0, 0], np.float32)


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def walked(body):
    """A walk of the mean body to the left of where it faces the camera, at 30 fps."""
    return walk(body, MEAN, [(0.0, 0.0), (3.0, 1.0)], frames=60, first_step=0.2)


def saved(path, motion, **changed):
    arrays = {
        "poses": motion.pose_rotvec.reshape(len(motion), 72),
        "trans": motion.t_world_m,
        "fps": motion.fps,
    }
    np.savez(path, **{k: v for k, v in {**arrays, **changed}.items() if v is not None})
    return path


def heading(motion, frame=0):
    ahead = Rotation.from_rotvec(motion.pose_rotvec[frame, 0]).apply([0, 0, 1])
    return np.arctan2(ahead[0], ahead[2])


def test_a_motion_reads_back_as_it_was_but_for_its_place(body, walked, tmp_path):
    again = read_motion(saved(tmp_path / "a.npz", walked), body, MEAN, heading_rad=heading(walked))
    assert len(again) == len(walked)
    before, after = (m.posed(body).joints_m.numpy() for m in (walked, again))
    move_m = after[0, 0] - before[0, 0]
    np.testing.assert_allclose(after, before + move_m, atol=2e-5)
    np.testing.assert_allclose(after[0, 0, [0, 2]], 0, atol=1e-5)
    assert abs(move_m[1]) < 0.012


def test_heading_and_place_of_the_first_frame(body, walked, tmp_path):
    path = saved(tmp_path / "a.npz", walked)
    motion = read_motion(path, body, MEAN, heading_rad=2.0, at_xz_m=(1.0, -2.0))
    assert heading(motion) == pytest.approx(2.0, abs=1e-9)
    joints_m = motion.posed(body).joints_m.numpy()
    np.testing.assert_allclose(joints_m[0, 0, [0, 2]], [1, -2], atol=1e-5)
    # The way turns with the body: before it went (3, 1) / |..| from this heading.
    way, was = (m.t_world_m[-1] - m.t_world_m[0] for m in (motion, walked))
    turn = np.arctan2(way[0], way[2]) - np.arctan2(was[0], was[2])
    assert np.angle(np.exp(1j * (turn - (2.0 - heading(walked))))) == pytest.approx(0, abs=1e-6)


def test_another_frame_rate_reads_the_same_motion_between_frames(body, tmp_path):
    dense = walk(body, MEAN, [(0.0, 0.0), (0.0, 3.0)], frames=240, fps=120.0)
    sparse = saved(
        tmp_path / "a.npz",
        dense,
        poses=dense.pose_rotvec[::2].reshape(-1, 72),
        trans=dense.t_world_m[::2],
        fps=60.0,
    )
    facing = heading(dense, 60)
    motion = read_motion(
        sparse, body, MEAN, fps=120.0, start_s=0.5, seconds=1.0, heading_rad=facing
    )
    assert len(motion) == 120
    truth = dense.posed(body, slice(60, 180)).joints_m.numpy()
    found = motion.posed(body).joints_m.numpy()
    error_m = np.linalg.norm(found - found[:1, :1] - truth + truth[:1, :1], axis=-1)
    assert error_m.max() < 0.001  # 0.5 mm measured, between frames at the touch of a heel
    np.testing.assert_allclose(motion.time_s[-1], 119 / 120)


def test_feet_stand_on_the_ground_on_any_body(body, walked, tmp_path):
    path = saved(tmp_path / "a.npz", walked)
    assert 1.02 < leg_ratio(body, TALL) < 1.2
    for betas in (MEAN, TALL):
        motion = read_motion(path, body, betas)
        points_m = points_of_contact(motion, body)
        assert 0.2 < motion.contact.mean() < 0.6
        assert (motion.contact[10:-10].any(axis=1)).mean() > 0.9
        assert foot_slide_mm_per_frame(points_m, motion.contact) < 3
        lowest_m = motion.posed(body).vertices()[..., 1].amin(1).numpy()
        assert np.abs(lowest_m).max() < 0.025
    assert motion.t_world_m[-1, 0] ** 2 + motion.t_world_m[-1, 2] ** 2 > 0


def test_the_way_grows_with_the_legs(body, walked, tmp_path):
    path = saved(tmp_path / "a.npz", walked)
    mean, tall = (read_motion(path, body, b).posed(body).joints_m.numpy() for b in (MEAN, TALL))
    ways = [np.linalg.norm((m[-1, 0] - m[0, 0])[[0, 2]]) for m in (mean, tall)]
    assert ways[1] / ways[0] == pytest.approx(leg_ratio(body, TALL), abs=1e-4)


def test_contacts_of_the_file_forbid_others(body, walked, tmp_path):
    none = np.zeros((len(walked), 2), np.uint8)
    left = none.copy()
    left[:, 0] = 1
    motion = read_motion(saved(tmp_path / "a.npz", walked, contacts=left), body, MEAN)
    assert motion.contact[:, :2].any() and not motion.contact[:, 2:].any()
    motion = read_motion(saved(tmp_path / "b.npz", walked, contacts=none), body, MEAN)
    assert not motion.contact.any()


def test_amass_has_z_up_and_hands(body, walked, tmp_path):
    up = Rotation.from_euler("x", 90, degrees=True)
    poses = np.zeros((len(walked), 156))
    poses[:, :66] = walked.pose_rotvec[:, :22].reshape(-1, 66)
    poses[:, :3] = (up * Rotation.from_rotvec(poses[:, :3])).as_rotvec()
    root_m = body.J_template_m[0].numpy()
    trans = up.apply(walked.t_world_m + root_m) - root_m
    amass = {"poses": poses, "trans": trans, "fps": None, "mocap_framerate": 30.0}
    motion = read_motion(saved(tmp_path / "a.npz", walked, **amass), body, MEAN)
    same = read_motion(saved(tmp_path / "b.npz", walked), body, MEAN)
    a, b = (m.posed(body).joints_m.numpy()[:, :22] for m in (motion, same))
    np.testing.assert_allclose(a, b, atol=0.003)


def test_partners_share_the_room(body, walked, tmp_path):
    path = saved(tmp_path / "a.npz", walked, offset_xz=np.array([1.0, 2.0]))
    start = recorded_start(path, body)
    pelvis_m = walked.posed(body).joints_m.numpy()[0, 0]
    np.testing.assert_allclose(start.room_xz_m, pelvis_m[[0, 2]] + [1, 2], atol=1e-5)
    assert start.heading_rad == pytest.approx(heading(walked))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"poses": None}, "needs 'poses'"),
        ({"fps": None}, "needs 'poses'"),
        ({"poses": np.zeros((60, 3))}, "are not"),
        ({"trans": np.zeros((59, 3))}, "are not"),
        ({"trans": np.full((60, 3), np.nan)}, "not finite"),
        ({"camera_K_px": np.eye(3)}, "camera's axes"),
    ],
)
def test_bad_files_are_told(body, walked, tmp_path, changed, says):
    with pytest.raises(InputError, match=says):
        read_motion(saved(tmp_path / "a.npz", walked, **changed), body, MEAN)


def test_too_short_or_absent(body, walked, tmp_path):
    path = saved(tmp_path / "a.npz", walked)
    with pytest.raises(InputError, match=r"lasts 1\.97 s"):
        read_motion(path, body, MEAN, start_s=1.0, seconds=2.0)
    with pytest.raises(MissingError):
        read_motion(tmp_path / "none.npz", body, MEAN)
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(InputError, match="not a whole"):
        read_motion(tmp_path / "text.npz", body, MEAN)

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.bench.joint_truth import JointTruth, read_joint_truth
from pipeline.errors import InputError

K_PX = np.array([[900.0, 0, 320], [0, 900, 180], [0, 0, 1]])
JOINTS = np.random.default_rng(1).normal(size=(5, 2, 3))


def saved(path, **changed):
    arrays = {
        "joint_names": np.array(["left_hip", "right_hip"]),
        "joints_m": JOINTS,
        "K_px": K_PX,
        **changed,
    }
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_joints_of_the_world_come_into_the_camera(tmp_path):
    rotmat = Rotation.from_euler("y", 90, degrees=True).as_matrix()
    path = saved(
        tmp_path / "t.npz", rotmat_camera_world=rotmat, t_camera_world_m=np.array([0, 0, 4.0])
    )
    truth = read_joint_truth(path)
    x, y, z = JOINTS[2, 1]
    np.testing.assert_allclose(truth.joints_camera_m[2, 1], [z, y, 4 - x], atol=1e-12)
    moving = np.tile(np.eye(3), (5, 1, 1)), np.arange(15.0).reshape(5, 3)
    path = saved(tmp_path / "m.npz", rotmat_camera_world=moving[0], t_camera_world_m=moving[1])
    truth = read_joint_truth(path)
    np.testing.assert_allclose(truth.joints_camera_m, JOINTS + moving[1][:, None])


def test_moments_fall_on_the_nearest_frames(tmp_path):
    frames_s = np.arange(8) / 30
    every = read_joint_truth(saved(tmp_path / "a.npz")).at(frames_s)
    np.testing.assert_array_equal(every.joints_camera_m[:5], JOINTS)
    assert np.isnan(every.joints_camera_m[5:]).all()
    slow = read_joint_truth(saved(tmp_path / "b.npz", fps=15.0)).at(frames_s)
    np.testing.assert_array_equal(slow.joints_camera_m[[0, 2, 4, 6]], JOINTS[:4])
    late = read_joint_truth(saved(tmp_path / "c.npz", time_s=0.1 + np.arange(5) / 30))
    at = late.at(frames_s)
    np.testing.assert_array_equal(at.joints_camera_m[3:], JOINTS)
    assert np.isnan(at.joints_camera_m[:3]).all()


def test_the_filter_takes_noise_and_leaves_motion():
    time_s = np.arange(120) / 60
    slow, quick = np.sin(2 * np.pi * 1.0 * time_s), np.sin(2 * np.pi * 20.0 * time_s)
    joints_m = np.tile((slow + quick)[:, None, None], (1, 2, 3))
    joints_m[90:95] = np.nan
    truth = JointTruth(("left_hip", "right_hip"), joints_m, K_PX, time_s, "landmarks", 6.0)
    smooth = truth.filtered_m()
    assert np.isnan(smooth[90:95]).all()
    # |H|^2 of a second-order Butterworth of 6 Hz, run twice, at 20 Hz (bilinear): 0.4 %.
    np.testing.assert_allclose(smooth[15:75, 0, 0], slow[15:75], atol=0.02)
    unfiltered = JointTruth(truth.joints, joints_m, K_PX, time_s)
    np.testing.assert_array_equal(unfiltered.filtered_m(), joints_m)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"joints_m": None}, "'joints_m' is missing"),
        ({"K_px": None}, "'K_px' is missing"),
        ({"extra": 1}, "'extra' is not known"),
        ({"joint_names": np.array(["left_hip", "tail"])}, "joint 'tail' is not one of landmarks"),
        ({"points": "coco"}, "points = 'coco'"),
        ({"joints_m": JOINTS[0]}, "has the shape"),
        ({"joints_m": np.array([["a"]])}, "expected numbers"),
        ({"K_px": np.zeros((3, 3))}, "is no camera"),
        ({"t_camera_world_m": np.zeros(3)}, "alone is no camera"),
        ({"rotmat_camera_world": np.eye(3), "t_camera_world_m": np.zeros(2)}, "the shapes"),
        ({"fps": 30.0, "time_s": np.arange(5.0)}, "not both"),
        ({"fps": 0.0}, "above 0"),
        ({"time_s": np.zeros(5)}, "increasing times"),
    ],
)
def test_wrong_files_are_told(tmp_path, changed, says):
    with pytest.raises(InputError, match=says):
        read_joint_truth(saved(tmp_path / "t.npz", **changed))


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_joint_truth(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(InputError, match="not a whole"):
        read_joint_truth(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", JOINTS)
    with pytest.raises(InputError, match="not a whole"):
        read_joint_truth(tmp_path / "one.npy")

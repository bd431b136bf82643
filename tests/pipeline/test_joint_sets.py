"""Joint sets: order and map as SPIN and HMR2.0 have them, against SPIN's own joints; errors."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._spin_smplify import official_rotmat, tiny_body
from pipeline import skeletons
from pipeline.body import BodyModel, PosedBody, load_body
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.joint_regressors import (
    EXTRA9,
    KINDS,
    VERTEX_COUNT,
    JointRegressor,
    find_regressor,
    read_regressor,
)
from pipeline.joint_sets import (
    COMMON14_OF_H36M17,
    COMMON14_OF_HMR2_44,
    COMMON17_OF_DATA24,
    COMMON17_OF_H36M17,
    HMR2_44_OF_54,
    SMPL_VERTEX_IDS,
    SPIN49_OF_54,
    joints44_m,
    joints45_m,
    joints49_m,
)
from pipeline.skeletons import (
    COMMON14,
    COMMON17,
    DATA24,
    EXTRA19,
    H36M17,
    HMR2_44,
    OPENPOSE25,
    SMPL24,
    SMPL45,
    SPIN49,
)

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "spin" / "spin_smplify.npz"
NINE = tuple(i for i, source in enumerate(HMR2_44_OF_54) if source >= len(SMPL45))
# The same place under another name: SMPL's skeleton has no "mid hip".
SAME_PLACE = {"mid_hip": "pelvis"}

T_M = torch.tensor([[0.1, 2.0, 30.0], [-1.0, 0.0, 4.0]])


def regressor(name: str, seed: int = 0, vertex_count: int = VERTEX_COUNT) -> np.ndarray:
    """A made-up regressor: three vertices a row, whose weights do not sum to one."""
    generator = np.random.default_rng(seed)
    rows = np.zeros((len(KINDS[name]), vertex_count))
    for row in rows:
        row[generator.choice(vertex_count, 3, replace=False)] = generator.uniform(0.2, 0.6, 3)
    return rows


@pytest.fixture(scope="module")
def embedded() -> BodyModel:
    return load_body("embedded")


@pytest.fixture(scope="module")
def posed(embedded: BodyModel) -> PosedBody:
    """Two bodies on a model that passes for a SMPL file of the user's, far from the origin."""
    generator = np.random.default_rng(5)
    betas = torch.from_numpy(generator.normal(size=(2, 10))).float()
    pose = torch.from_numpy(generator.normal(size=(2, 24, 3)) * 0.4).float()
    body = replace(embedded, name="smpl-01234567")
    return body.with_shape(betas).with_pose(pose, T_M)


def test_44_points_are_in_the_stated_order() -> None:
    stated = (
        "Nose Neck RSho RElb RWri LSho LElb LWri MidHip RHip RKnee RAnk LHip LKnee LAnk REye LEye "
        "REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
    ).split()
    for short, point in zip(stated, OPENPOSE25.points, strict=True):
        words = point.replace("left_", "l").replace("right_", "r").replace("_", "")
        assert words.startswith(short.lower())
    assert EXTRA19.points == (
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *("right_wrist", "right_elbow", "right_shoulder"),
        *("left_shoulder", "left_elbow", "left_wrist"),
        *("neck_lsp", "head_top_lsp", "pelvis_mpii", "thorax_mpii"),
        *("spine_h36m", "jaw_h36m", "head_h36m"),
    )
    assert len(HMR2_44) == 44
    assert HMR2_44.points[25:] == EXTRA19.points
    assert HMR2_44.index("pelvis_mpii") == 39
    assert SPIN49.points[:44] == HMR2_44.points
    assert SPIN49.points[44:] == ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def test_every_set_is_whole() -> None:
    for skeleton in skeletons._ALL.values():
        assert len(set(skeleton.points)) == len(skeleton)
        assert skeletons.skeleton_named(skeleton.name) is skeleton
        assert len({frozenset(bone) for bone in skeleton.bones}) == len(skeleton.bones)
        assert skeleton.edges.max() < len(skeleton)
        assert (skeleton.mirror[skeleton.mirror] == np.arange(len(skeleton))).all()


def test_mirrors_are_those_of_spin() -> None:
    data = [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, *range(12, 20), 21, 20, 23, 22]
    openpose = [0, 1, 5, 6, 7, 2, 3, 4, 8, 12, 13, 14, 9, 10, 11]
    openpose += [16, 15, 18, 17, 22, 23, 24, 19, 20, 21]
    smpl = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]
    assert DATA24.mirror.tolist() == data
    assert OPENPOSE25.mirror.tolist() == openpose
    assert SPIN49.mirror.tolist() == [*openpose, *(25 + point for point in data)]
    assert SMPL24.mirror.tolist() == smpl


def test_the_map_leads_to_points_of_the_same_name() -> None:
    names54 = (*SMPL45.points, *EXTRA9.points)
    for point, source in zip(SPIN49.points, SPIN49_OF_54, strict=True):
        name = point.removeprefix("openpose_")
        assert SAME_PLACE.get(name, name) == names54[source]
    assert [HMR2_44.points[i] for i in NINE] == list(
        ("right_hip", "left_hip", *EXTRA19.points[12:])
    )


def test_points_of_human36m_are_taken_in_the_stated_order() -> None:
    assert COMMON14_OF_HMR2_44 == (*range(25, 38), 43)
    assert COMMON17_OF_DATA24 == (*range(13), 18, 14, 16, 17)
    assert [DATA24.points[i] for i in COMMON17_OF_DATA24] == list(COMMON17.points)
    assert COMMON17.points[:14] == COMMON14.points
    for point, source in zip(COMMON17.points, COMMON17_OF_H36M17, strict=True):
        assert point.rsplit("_", 1)[0] == H36M17.points[source] or point == H36M17.points[source]
    assert COMMON14_OF_H36M17 == COMMON17_OF_H36M17[:14]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_spins_own_joints(dtype: torch.dtype) -> None:
    """The 49 joints of the official program, on a made-up body of 96 vertices."""
    golden = GoldenFile.open(GOLDEN)
    ending, tolerance_m = ("", 2e-6) if dtype == torch.float32 else ("_f64", 1e-12)
    body = replace(tiny_body(golden, dtype), name="smpl-madeup")
    extra = JointRegressor(EXTRA9, torch.from_numpy(golden["body_J_regressor_extra"]))
    picked = tuple(int(i) for i in golden["body_extra_vertex_ids"])
    betas, pose = (torch.from_numpy(golden[name]).to(dtype) for name in ("betas", "pose"))
    rotmat = official_rotmat(pose.unflatten(1, (24, 3)))
    posed = body.with_shape(betas).with_pose(pose_rotmat=rotmat)
    found49, found44 = (f(posed, extra, picked).numpy() for f in (joints49_m, joints44_m))
    assert np.abs(found49 - golden[f"model_joints{ending}"]).max() < tolerance_m
    assert (found44 == found49[:, :44]).all()


def test_vertices_are_those_of_smplx() -> None:
    ids = pytest.importorskip("smplx.vertex_ids", reason="smplx is not installed").vertex_ids
    short = {"eye": "{}eye", "ear": "{}ear", "big_toe": "{}BigToe", "small_toe": "{}SmallToe"}
    for point, vertex in zip(SMPL45.points[24:], SMPL_VERTEX_IDS, strict=True):
        side, _, part = point.partition("_")
        letter = side[0].upper() if part in ("big_toe", "small_toe", "heel") else side[0]
        key = short.get(part, "{}Heel" if part == "heel" else "{}" + part.removesuffix("_tip"))
        assert ids["smplh"]["nose" if point == "nose" else key.format(letter)] == vertex


def test_without_a_file_exactly_its_points_are_unknown(posed: PosedBody) -> None:
    joints_m = joints44_m(posed)
    assert joints_m.shape == (2, 44, 3)
    unknown = joints_m.isnan().any(-1)
    assert unknown.any(0).nonzero()[:, 0].tolist() == list(NINE) == [27, 28, *range(37, 44)]
    assert torch.equal(unknown.any(0), joints_m.isnan().all(-1).all(0))
    picked = posed.vertices()[:, [332, 3216]]
    assert torch.allclose(joints_m[:, [0, 19]], picked, atol=1e-5)
    assert torch.equal(joints_m[:, HMR2_44.index("left_wrist")], posed.joints_m[:, 20])
    assert joints49_m(posed)[:, 44:].isfinite().all()


def test_points_of_the_surface_also_hold_on_the_embedded_body(embedded: BodyModel) -> None:
    rest = embedded.with_shape(torch.zeros(10)).with_pose()
    found = dict(zip(OPENPOSE25.points, joints44_m(rest)[:25].tolist(), strict=True))
    for part in ("eye", "ear", "big_toe", "heel", "shoulder", "knee"):
        assert found[f"left_{part}"][0] > 0.01 > -0.01 > found[f"right_{part}"][0]
    assert found["left_big_toe"][2] > found["left_ankle"][2] > found["left_heel"][2]
    assert found["nose"][2] > found["left_ear"][2] and found["nose"][1] > found["neck"][1]


@pytest.mark.parametrize(
    ("name", "regressed"), [("j-regressor-extra", NINE), ("smpl-to-j19", tuple(range(25, 44)))]
)
def test_regressed_points_move_with_the_body(
    posed: PosedBody, name: str, regressed: tuple[int, ...]
) -> None:
    """Rows that do not sum to one are applied at the origin; the translation comes after."""
    rows = regressor(name)
    joints_m = joints44_m(posed, JointRegressor(KINDS[name], torch.from_numpy(rows)))
    vertices_m = replace(posed, t_m=None).vertices().double().numpy()
    expected = rows @ vertices_m + T_M.numpy()[:, None]
    assert np.abs(joints_m[:, list(regressed)].numpy() - expected).max() < 5e-6
    others = [i for i in range(44) if i not in regressed]
    assert torch.equal(joints_m[:, others], joints44_m(posed)[:, others])


def test_gradients_reach_shape_and_pose(embedded: BodyModel) -> None:
    extra = JointRegressor(EXTRA9, torch.from_numpy(regressor("j-regressor-extra")))
    betas = torch.zeros(10, requires_grad=True)
    pose = torch.full((3, 24, 3), 0.1, requires_grad=True)
    body = replace(embedded, name="smpl-01234567")
    joints44_m(body.with_shape(betas).with_pose(pose), extra)[:, 27].sum().backward()
    assert betas.grad is not None and betas.grad.abs().max() > 1e-4
    assert pose.grad is not None and pose.grad.abs().max() > 1e-3


@pytest.mark.parametrize("name", KINDS)
def test_files_are_found_and_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path / "cache"))
    assert find_regressor(name) is None
    with pytest.raises(
        MissingError, match=r"Download it from http.*tar\.gz .*and put it at .*cache"
    ):
        read_regressor(name)
    rows = regressor(name).astype(np.float32)
    (tmp_path / "cache").mkdir()
    kept, given = tmp_path / "cache" / _file_name(name), tmp_path / "given.bin"
    if kept.suffix == ".npy":
        np.save(kept, rows)
    else:
        kept.write_bytes(pickle.dumps(rows, protocol=2))
    given.write_bytes(kept.read_bytes())
    for found in (find_regressor(name), read_regressor(name, given)):
        assert found is not None and found.skeleton == KINDS[name]
        assert (found.rows.numpy() == rows).all()


def _file_name(name: str) -> str:
    from pipeline.weights import row

    return row(name).file_name


def _saved(array: np.ndarray, path: Path) -> Path:
    np.save(path, array)
    return path


class _Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


def test_wrong_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name, path = "j-regressor-extra", tmp_path / "file.npy"
    rows = regressor(name)
    for array, reason in (
        (rows[:8], r"has shape \(9, 6890\), this has \(8, 6890\)"),
        (rows.T, r"this has \(6890, 9\)"),
        (regressor("smpl-to-j19"), r"this has \(19, 6890\)"),
        (np.where(rows > 0, np.nan, 0), "not finite"),
        (rows * (np.arange(9) != 3)[:, None], "row of zeros for head_top_lsp"),
        (rows.astype(str), "this is one of <U"),
    ):
        with pytest.raises(InputError, match=reason) as caught:
            read_regressor(name, _saved(array, path))
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    _saved(rows, path).write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"not a readable \.npy"):
        read_regressor(name, path)
    np.save(path, np.array([_Harmful()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"not a readable \.npy"):
        read_regressor(name, path)
    path.write_bytes(pickle.dumps(_Harmful()))
    with pytest.raises(InputError, match="refused and nothing was run"):
        read_regressor(name, path)
    assert not (tmp_path / "harm").exists()
    path.write_bytes(pickle.dumps({"J": rows}))
    with pytest.raises(InputError, match="this is dict"):
        read_regressor(name, path)
    with pytest.raises(MissingError, match="absent is no file"):
        read_regressor(name, tmp_path / "absent")
    with pytest.raises(SettingsError, match="Known: j-regressor-extra, smpl-to-j19"):
        read_regressor("j-regressor", path)


def test_regressors_and_bodies_that_do_not_fit_are_refused(
    embedded: BodyModel, posed: PosedBody
) -> None:
    extra = JointRegressor(EXTRA9, torch.from_numpy(regressor("j-regressor-extra")))
    own = embedded.with_shape(torch.zeros(10)).with_pose()
    with pytest.raises(SettingsError, match=r"means nothing on the body 'mh24-v1'.*body\.model"):
        joints44_m(own, extra)
    small = JointRegressor(EXTRA9, torch.from_numpy(regressor("j-regressor-extra", 0, 96)))
    with pytest.raises(InputError, match="weighs 96 vertices, the body 'smpl-01234567' has 6890"):
        joints44_m(posed, small)
    h36m = JointRegressor(H36M17, torch.from_numpy(regressor("j-regressor-h36m")))
    assert h36m.points_m(posed).shape == (2, 17, 3)
    with pytest.raises(InputError, match="need the regressor of extra19, this one gives h36m17"):
        joints44_m(posed, h36m)
    with pytest.raises(InputError, match="need the regressor of extra9"):
        joints49_m(posed, h36m)
    with pytest.raises(InputError, match="6890 vertices, too few"):
        joints45_m(posed, (*SMPL_VERTEX_IDS[:20], 6890))

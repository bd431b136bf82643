"""Results of other programs become results of this one: the same bodies in the same places."""

import json
import pickle
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from benchmarks.format_readers.truth import (
    in_axes,
    made_up_people,
    rotmats,
    truths,
    write_made_up_result,
)
from pipeline.camera import intrinsics
from pipeline.context import Context
from pipeline.errors import EXIT_INPUT, EXIT_SETTINGS
from pipeline.exporting import Part, export, read_take
from pipeline.foreign.joblib_file import read_joblib
from pipeline.person_file import person_path, read_person
from pipeline.result import ResultFolder
from pipeline.types import Camera, Status
from tests.pipeline.test_cli import write_clip

PEERS = Path(__file__).parents[4] / "shared" / "data" / "peer_outputs"
needs_peers = pytest.mark.skipif(not PEERS.is_dir(), reason="no ../shared/data/peer_outputs here")
FOCAL_PX = 1000.0


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    folder = write_made_up_result(tmp_path_factory.mktemp("made") / "made_up")
    centred = Camera(intrinsics(FOCAL_PX, 1280, 720), "given")
    return replace(read_take(folder, Part(), Context()), camera=centred)


def read_all(out):
    report = json.loads((out / "run.json").read_text())
    return [read_person(person_path(out, entry["id"])) for entry in report["people"]]


def angles_deg(a, b):
    chord = np.linalg.norm(rotmats(a) - rotmats(b), axis=(-2, -1)) / (2 * np.sqrt(2))
    return np.degrees(2 * np.arcsin(np.clip(chord, 0, 1)))


def wham_content(person):
    count = len(person)
    people = defaultdict(dict)
    people[7] = {
        "pose": person.pose_rotvec.reshape(count, 72),
        "trans": person.t_camera_m,
        "pose_world": person.pose_rotvec.reshape(count, 72),
        "betas": np.tile(person.betas, (count, 1)),
        "verts": np.zeros((count, 4, 3), np.float32),
        "frame_ids": np.arange(3, 3 + count),
    }
    return people


def test_phalp_there_and_back(humans4d, take, tmp_path):
    path = export(take, ["phalp"], tmp_path, Context())["phalp"][0]
    code, text = humans4d("import", path, "-o", tmp_path / "y", f"camera.focal_px={FOCAL_PX}")
    assert code == 0, text
    for (read, arrays), person in zip(read_all(tmp_path / "y"), made_up_people(), strict=True):
        seen = person.drawn
        np.testing.assert_array_equal(read.frame_index, person.frame_index)
        np.testing.assert_array_equal(read.status, person.status)
        assert angles_deg(read.pose_rotvec[seen], person.pose_rotvec[seen]).max() < 0.01
        np.testing.assert_allclose(read.boxes_xyxy_px[seen], person.boxes_xyxy_px[seen], atol=1e-3)
        # PHALP does not name the body: SMPL's pelvis is kept, and the shape is not.
        pelvis_m = arrays["joints_camera_m"][seen, 0]
        expected_m = person.t_camera_m[seen] + (-0.0018, -0.2233, 0.0282)
        assert np.linalg.norm(pelvis_m - expected_m, axis=1).max() < 1e-3
    assert "its mean shape is used" in text


def test_amass_there_and_back_with_the_shape(humans4d, take, tmp_path):
    paths = export(take, ["amass"], tmp_path, Context())["amass"]
    code, text = humans4d("import", paths[0], "-o", tmp_path / "y")
    assert code == 0, text
    ((read, arrays),) = read_all(tmp_path / "y")
    truth = truths()[1]
    np.testing.assert_allclose(read.betas, truth.person.betas, atol=1e-6)
    assert np.abs(arrays["joints_camera_m"] - truth.joints_m).max() < 1e-4
    np.testing.assert_allclose(np.diff(read.time_s), 1 / 30, atol=1e-9)


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("names", ["smpl", "mixamo"])
def test_bvh_there_and_back(humans4d, take, tmp_path, up, names):
    how = {"up": up, "options": {"bvh": {"names": names}}}
    path = export(take, ["bvh"], tmp_path, Context(), **how)["bvh"][0]
    code, text = humans4d("import", path, "-o", tmp_path / "y")
    assert code == 0, text
    ((read, arrays),) = read_all(tmp_path / "y")
    truth = truths()[1]
    assert angles_deg(read.pose_rotvec, truth.person.pose_rotvec).max() < 0.01
    assert np.abs(arrays["joints_camera_m"][:, 0] - truth.joints_m[:, 0]).max() < 1e-4


def test_bvh_with_arms_that_hang_at_rest_keeps_where_limbs_point(humans4d, take, tmp_path):
    path = export(take, ["bvh"], tmp_path, Context())["bvh"][0]
    lines, out = path.read_text().splitlines(), []
    names = ("L_Elbow", "L_Wrist")  # these bones point down at rest, so their parents do not turn
    for i, line in enumerate(lines):
        is_offset = i >= 2 and lines[i - 2].split()[-1] in names and "OFFSET" in line
        out.append("OFFSET 0 -25 0" if is_offset else line)
    frames = next(i for i, line in enumerate(out) if line.startswith("Frame Time")) + 1
    still = " ".join(["0 90 300", *["0"] * 72])
    path.write_text("\n".join([*out[:frames], *[still] * 14]))
    code, text = humans4d("import", path, "-o", tmp_path / "y")
    assert code == 0, text
    ((_, arrays),) = read_all(tmp_path / "y")
    joints_m = in_axes(arrays["joints_camera_m"], "y")
    for joint, end in ((16, 18), (18, 20)):
        bone = joints_m[:, end] - joints_m[:, joint]
        bone /= np.linalg.norm(bone, axis=1, keepdims=True)
        np.testing.assert_allclose(bone, np.tile([0.0, -1, 0], (14, 1)), atol=1e-4)


def test_wham_keeps_gaps_of_frames_as_missing(humans4d, tmp_path):
    person = made_up_people()[0]
    content = wham_content(person)
    keep = np.r_[0:5, 8:14]
    for key in ("pose", "trans", "betas", "verts", "frame_ids"):
        content[7][key] = content[7][key][keep]
    joblib.dump(content, tmp_path / "wham_output.pkl")
    video = write_clip(tmp_path / "clip.mp4", frames=20, rate=10)
    code, text = humans4d(
        *("import", tmp_path / "wham_output.pkl", "--video", video, "-o", tmp_path / "y")
    )
    assert code == 0, text
    ((read, _),) = read_all(tmp_path / "y")
    np.testing.assert_array_equal(read.frame_index, np.arange(3, 17))
    np.testing.assert_allclose(read.time_s, np.arange(3, 17) / 10, atol=1e-6)
    assert list(np.flatnonzero(read.status == Status.MISSING)) == [5, 6, 7]
    assert angles_deg(read.pose_rotvec[keep], person.pose_rotvec[keep]).max() < 0.01
    assert humans4d("validate", tmp_path / "y")[0] == 0
    assert humans4d("inspect", tmp_path / "y")[0] == 0
    assert humans4d("export", tmp_path / "y", "--to", "csv")[0] == 0


@pytest.mark.parametrize("container", ["pt", "npz"])
def test_gvhmr_keeps_the_pelvis_of_smplx(humans4d, tmp_path, container):
    rng = np.random.default_rng(0)
    values = {
        "body_pose": rng.normal(0, 0.3, (6, 63)).astype(np.float32),
        "betas": rng.normal(size=(6, 10)).astype(np.float32),
        "global_orient": rng.normal(0, 1, (6, 3)).astype(np.float32),
        "transl": rng.normal((0, 0, 4), 0.1, (6, 3)).astype(np.float32),
    }
    path = tmp_path / f"result.{container}"
    if container == "pt":
        tensors = {key: torch.from_numpy(value) for key, value in values.items()}
        K = torch.tensor([[700.0, 0, 48], [0, 700, 32], [0, 0, 1]]).expand(6, 3, 3)
        torch.save({"smpl_params_incam": tensors, "K_fullimg": K}, path)
    else:
        renamed = {f"{k}_incam": values[k] for k in ("global_orient", "transl")}
        np.savez(path, **values, **renamed)
    code, text = humans4d("import", path, "-o", tmp_path / "y")
    assert code == 0, text
    ((read, arrays),) = read_all(tmp_path / "y")
    pelvis_m = values["transl"] + (0.0031, -0.3514, 0.0120)
    assert np.abs(arrays["joints_camera_m"][:, 0] - pelvis_m).max() < 1e-4
    pose = np.concatenate([values["global_orient"], values["body_pose"]], axis=1)
    assert angles_deg(read.pose_rotvec[:, :22], pose.reshape(6, 22, 3)).max() < 0.01
    assert not read.pose_rotvec[:, 22:].any()
    if container == "pt":
        np.testing.assert_allclose(arrays["camera_K_px"][0], [700, 0, 48])


def test_smoothing_runs_on_an_import_when_asked(humans4d, take, tmp_path):
    path = export(take, ["phalp"], tmp_path, Context())["phalp"][0]
    code, text = humans4d("import", path, "-o", tmp_path / "y", "smoothing.backend=gaussian")
    assert code == 0, text
    report = ResultFolder(tmp_path / "y").read_report()
    assert report["settings"]["smoothing"]["backend"] == "gaussian"
    assert report["status"] == "complete"
    smooth = read_all(tmp_path / "y")[0][0].pose_rotvec
    assert angles_deg(smooth, made_up_people()[0].pose_rotvec).max() > 0.1


def test_motion_of_another_rate_is_sampled_at_the_videos_times(humans4d, take, tmp_path):
    path = export(take, ["amass"], tmp_path, Context())["amass"][0]
    video = write_clip(tmp_path / "clip.mp4", frames=9, rate=15)
    code, text = humans4d("import", path, "--video", video, "-o", tmp_path / "y")
    assert code == 0, text
    ((read, _),) = read_all(tmp_path / "y")
    every_second = made_up_people()[0].pose_rotvec[::2]
    np.testing.assert_array_equal(read.frame_index, np.arange(7))
    assert angles_deg(read.pose_rotvec, every_second).max() < 0.01
    assert "sampled at its times" in text


@needs_peers
def test_a_genuine_result_of_4dhumans(humans4d, tmp_path):
    out = tmp_path / "y"
    code, text = humans4d("import", PEERS / "phalp_4dhumans_demo.pkl", "-o", out)
    assert code == 0, text
    ((read, arrays),) = read_all(out)
    assert len(read) == 93 and read.observed.all()
    assert humans4d("validate", out)[0] == 0
    # The body's joints lie inside its detection's box, give or take a hand.
    seen = arrays["joints_camera_m"] / arrays["joints_camera_m"][..., 2:] @ arrays["camera_K_px"].T
    left, top, right, bottom = read.boxes_xyxy_px[:, None].T
    inside = (seen[..., 0].T > left) & (seen[..., 0].T < right)
    inside &= (seen[..., 1].T > top) & (seen[..., 1].T < bottom)
    assert inside.mean() > 0.9


@needs_peers
def test_exported_phalp_files_have_the_keys_and_shapes_of_genuine_ones(humans4d, tmp_path):
    genuine = PEERS / "phalp_4dhumans_demo.pkl"
    assert humans4d("import", genuine, "-o", tmp_path / "y")[0] == 0
    assert humans4d("export", tmp_path / "y", "--to", "phalp")[0] == 0
    ours = list(read_joblib(tmp_path / "y" / "export" / "phalp" / "demo_y.pkl").values())
    theirs = list(read_joblib(genuine).values())
    assert len(ours) == len(theirs)
    for own, their in zip(ours, theirs, strict=True):
        assert set(own) == set(their)
        for key, value in their.items():
            if isinstance(value, list) and isinstance(value[0], np.ndarray):
                assert own[key][0].shape == value[0].shape
        np.testing.assert_allclose(own["bbox"][0], their["bbox"][0], atol=1e-3)
        np.testing.assert_allclose(own["center"][0], their["center"][0], atol=1e-3)
        if their["bbox"][0][2] * 4 / 3 < their["bbox"][0][3]:  # PHALP's own does not widen boxes
            assert own["scale"][0] == pytest.approx(their["scale"][0], abs=1e-6)
        for part in ("global_orient", "body_pose"):
            np.testing.assert_allclose(own["smpl"][0][part], their["smpl"][0][part], atol=1e-5)
        # Another body's origin lies 5 mm away.
        np.testing.assert_allclose(own["camera"][0][:2], their["camera"][0][:2], atol=0.01)


@needs_peers
def test_a_genuine_result_of_gvhmr(humans4d, tmp_path):
    code, text = humans4d("import", PEERS / "gvhmr_tennis_smpl.npz", "-o", tmp_path / "y")
    assert code == 0, text
    assert len(read_all(tmp_path / "y")[0][0]) == 312


def phalp_with(take, folder, **changes):
    """A PHALP file in which something of the first frame is changed."""
    path = export(take, ["phalp"], folder, Context())["phalp"][0]
    frames = pickle.loads(path.read_bytes())
    first = next(iter(frames.values()))
    for key, value in changes.items():
        first[key] = value
    path.write_bytes(pickle.dumps(frames))
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"camera": []}, "different lengths"),
        ({"smpl": [{"global_orient": np.eye(3)[None]}]}, "'body_pose' is missing"),
        (
            {"smpl": [{"global_orient": np.ones((1, 3, 3)), "body_pose": np.ones((23, 3, 3))}]},
            "rotation matrices",
        ),
        ({"size": [[480, 640]]}, "frames of different sizes"),
    ],
)
def test_phalp_files_that_are_not_whole_are_named(humans4d, take, tmp_path, changes, words):
    path = phalp_with(take, tmp_path, **changes)
    code, text = humans4d("import", path, "-o", tmp_path / "y")
    assert code == EXIT_INPUT and words in text, text
    assert not (tmp_path / "y").exists()


def test_the_wrong_video_is_noticed(humans4d, take, tmp_path):
    path = export(take, ["phalp"], tmp_path, Context())["phalp"][0]
    video = write_clip(tmp_path / "clip.mp4", frames=30)
    code, text = humans4d("import", path, "--video", video, "-o", tmp_path / "y")
    assert code == EXIT_INPUT and "another video" in text
    joblib.dump(wham_content(made_up_people()[0]), tmp_path / "w.pkl")
    short = write_clip(tmp_path / "short.mp4", frames=5)
    code, text = humans4d("import", tmp_path / "w.pkl", "--video", short, "-o", tmp_path / "y")
    assert code == EXIT_INPUT and "has only 5" in text


def test_nan_frames_are_left_out_aloud(humans4d, tmp_path):
    content = wham_content(made_up_people()[0])
    content[7]["trans"] = content[7]["trans"].copy()
    content[7]["trans"][4] = np.nan
    joblib.dump(content, tmp_path / "w.pkl", compress=("gzip", 3))
    code, text = humans4d("import", tmp_path / "w.pkl", "-o", tmp_path / "y")
    assert code == 0 and "1 frames of 7 hold NaN" in text, text
    ((read, _),) = read_all(tmp_path / "y")
    assert read.status[4] == Status.MISSING
    content[7]["trans"][:] = np.nan
    joblib.dump(content, tmp_path / "w.pkl")
    code, text = humans4d("import", tmp_path / "w.pkl", "-o", tmp_path / "z")
    assert code == EXIT_INPUT and "no body in it can be used" in text


def test_an_import_is_judged_as_a_run_is(humans4d, take, tmp_path):
    path, out = export(take, ["phalp"], tmp_path, Context())["phalp"][0], tmp_path / "y"
    code, text = humans4d("import", path, "-o", out)
    assert code == 0 and f"humans4d inspect {out}" in text
    assert (out / "report.html").stat().st_size > 10_000
    people = json.loads((out / "report.json").read_text())["people"]
    assert [person["id"] for person in people] == [1, 2]
    for person in people:
        assert "how far the body lies off the picture" in person["verdict"]["text"]
    code, text = humans4d("inspect", out)
    assert code == 0 and "person 1: " in text and "report.html" in text
    code, _ = humans4d("import", path, "-o", tmp_path / "z", "report.enabled=false")
    assert code == 0 and not (tmp_path / "z" / "report.html").exists()


def test_an_import_is_not_edited_and_stays_as_it_is(humans4d, take, tmp_path):
    path, out = export(take, ["bvh"], tmp_path, Context())["bvh"][0], tmp_path / "y"
    assert humans4d("import", path, "-o", out)[0] == 0
    code, text = humans4d("edit", out, "name", 1, "Ada")
    assert code == EXIT_SETTINGS and "was imported from bvh" in text
    assert not (out / "identities.yaml").exists()
    assert humans4d("validate", out)[0] == 0


def test_files_that_are_no_result_are_refused_in_plain_words(humans4d, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom")
    (tmp_path / "a.txt").write_text("# words")
    for given in ("a.json", "a.mp4", "a.txt", ".", "gone.pkl"):
        code, text = humans4d("import", tmp_path / given, "-o", tmp_path / "y")
        assert code == EXIT_INPUT and "Known: PHALP" in text and "pickle (" not in text


def test_a_drawing_needs_a_video(humans4d, take, tmp_path):
    path = export(take, ["amass"], tmp_path, Context())["amass"][0]
    code, text = humans4d("import", path, "-o", tmp_path / "y", "overlay.enabled=true")
    assert code == EXIT_SETTINGS and "--video" in text

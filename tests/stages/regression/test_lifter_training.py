"""Training the lifter: what it is fed, that it learns, that it repeats itself."""

import json

import numpy as np
import pytest
import torch

from pipeline.body import load_body
from pipeline.errors import InputError, SettingsError
from pipeline.motion_clips import read_motion_clips
from pipeline.rotations import rotvec_to_rotmat
from pipeline.safetensors_file import read_safetensors
from pipeline.scenes.motions import walk
from stages.regression.lifter.corruption import CorruptionConfig, as_detected, spoiled
from stages.regression.lifter.detected import NAMES, read_detected
from stages.regression.lifter.error_table import error_table
from stages.regression.lifter.film_pairs import make_all
from stages.regression.lifter.filmed import SiteBody, film_windows
from stages.regression.lifter.losses import surprise
from stages.regression.lifter.network import WINDOW, Lifted
from stages.regression.lifter.recipe import settings
from stages.regression.lifter.train import main
from stages.regression.lifter.variety import unusual
from tests.stages.regression.lifter_people import seen_walker

QUIET = {"white": (0, 0), "only_coco17": 0, "hidden_parts": 0, "swaps": 0, "missed_frames": 0}
QUIET |= {
    "turned_guess": 0,
    "without_space": 0,
    "short": 0,
    "wrong_focal": 0,
    "stored_gain": (1, 1),
}
NO_ERRORS = CorruptionConfig(**QUIET)


@pytest.fixture(scope="module")
def sites():
    return SiteBody(load_body())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two walks as motion files, and a file of pairs with exact keypoints but for one shift."""
    out = tmp_path_factory.mktemp("lifter")
    body = load_body()
    (out / "motions").mkdir()
    for name, corners in (("a_1", [(0.0, 0.0), (2.0, 1.0)]), ("b_1", [(0.0, 0.0), (-2.0, 2.0)])):
        motion = walk(body, np.zeros(10, np.float32), corners, frames=60)
        poses = motion.pose_rotvec.reshape(-1, 72).astype(np.float32)
        np.savez(out / "motions" / f"{name}.npz", poses=poses, trans=motion.t_world_m, fps=30)
    walker = seen_walker()
    keypoints_px = walker.detections.landmarks_px.copy()
    keypoints_px[10:20, 15, 0] += 20.0
    keypoints_px[30] = np.nan
    np.savez(
        out / "pairs.npz",
        frames_of_clip=np.array([len(keypoints_px)]),
        betas=walker.betas[None],
        K_px=walker.camera.K_px[None],
        pose_rotvec=walker.pose_rotvec.astype(np.float32),
        pelvis_camera_m=walker.joints_m[:, 0].astype(np.float32),
        keypoints_px=keypoints_px,
        landmarks_m=walker.landmarks_m,
    )
    return out


def test_stored_errors_are_what_the_detector_was_off(folder, sites):
    people = read_detected([folder / "pairs.npz"], sites)
    size_px = people.error[10:20, 15].norm(dim=-1)
    assert (size_px > 0.05).all()
    exact = torch.ones(len(people.error), 33, dtype=bool)
    exact[10:20, 15] = False
    # The mean shape's sites, in float32 and seen through rounded pixels.
    assert people.error[exact].abs().max() < 2e-3
    assert (people.filmed.confidence[0, 30] == 0).all()
    assert people.error_m.abs().max() < 1e-3


def test_the_table_of_errors_tells_which_point_was_off(folder, sites):
    columns = error_table(read_detected([folder / "pairs.npz"], sites)).columns
    share = dict(zip(columns[0].cells, map(float, columns[3].cells), strict=True))
    assert share["wrist"] > 0.03, "one wrist of two was off in a sixth of the frames"
    assert all(value < 3e-3 for point, value in share.items() if point != "wrist")


def test_without_errors_the_keypoints_stay_where_the_sites_are(folder, sites):
    clips = read_motion_clips(folder / "motions", WINDOW)
    people = read_detected([folder / "pairs.npz"], sites)
    people.error.zero_()
    people.error_m.zero_()
    rng = torch.Generator().manual_seed(0)
    exact = film_windows(clips, sites, 6, rng)
    seen = spoiled(as_detected(exact, people, NO_ERRORS, rng), NO_ERRORS, rng)
    inside = (exact.rays - exact.rays.mean(2, keepdim=True)).norm(dim=-1) < 1
    torch.testing.assert_close(seen.rays[inside], exact.rays[inside], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(seen.landmarks_m, exact.landmarks_m)


@pytest.mark.parametrize(
    ("name", "value"), [("missed_frames", 1.0), ("hidden_parts", 1.0), ("only_coco17", 1.0)]
)
def test_each_spoiling_takes_keypoints_away(folder, sites, name, value):
    clips = read_motion_clips(folder / "motions", WINDOW)
    config = CorruptionConfig(**{**QUIET, name: value})
    rng = torch.Generator().manual_seed(0)
    exact = film_windows(clips, sites, 16, rng)
    seen = spoiled(exact, config, rng)
    assert (seen.confidence == 0).float().mean() > 0.02
    assert (seen.confidence[:, 0] > 0).any(-1).all(), "the first frame is always seen"


def test_swaps_exchange_left_and_right(folder, sites):
    clips = read_motion_clips(folder / "motions", WINDOW)
    config = CorruptionConfig(**{**QUIET, "swaps": 1.0})
    rng = torch.Generator().manual_seed(0)
    exact = film_windows(clips, sites, 16, rng)
    seen = spoiled(exact, config, rng)
    moved = (seen.rays - exact.rays).norm(dim=-1)[:, :, (25, 26)].amax(-1) > 1e-6
    assert 0.02 < moved.float().mean() < 0.35
    swapped = seen.rays[:, :, 25][moved]
    torch.testing.assert_close(swapped, exact.rays[:, :, 26][moved])


def test_the_guess_in_space_is_turned_as_a_whole(folder, sites):
    clips = read_motion_clips(folder / "motions", WINDOW)
    config = CorruptionConfig(**{**QUIET, "turned_guess": 1.0})
    rng = torch.Generator().manual_seed(0)
    exact = film_windows(clips, sites, 16, rng)
    seen = spoiled(exact, config, rng)
    torch.testing.assert_close(seen.rays, exact.rays)
    torch.testing.assert_close(
        torch.cdist(seen.landmarks_m, seen.landmarks_m),
        torch.cdist(exact.landmarks_m, exact.landmarks_m),
        atol=2e-3,
        rtol=1e-3,
    )
    away_m = (seen.landmarks_m - exact.landmarks_m).norm(dim=-1).amax((1, 2))
    assert (away_m > 0.01).all()


def test_unusual_poses_lean_and_keep_their_bones(folder, sites):
    motion = read_motion_clips(folder / "motions", WINDOW).windows(
        8, WINDOW, (1.0, 1.0), torch.Generator().manual_seed(0)
    )
    other = unusual(motion, torch.Generator().manual_seed(1))
    eye = torch.eye(3).expand_as(other.rotmat)
    torch.testing.assert_close(other.rotmat @ other.rotmat.mT, eye, atol=1e-5, rtol=0)
    upright = motion.rotmat[:, :, 0, 1, 1] - other.rotmat[:, :, 0, 1, 1]
    assert upright.mean() > 0.01, "the pelvis leans"
    thigh = motion.rotmat[:, :, 0] @ motion.rotmat[:, :, 1]
    turned = (other.rotmat[:, :, 0] @ other.rotmat[:, :, 1] - thigh).abs().amax((2, 3))
    assert turned.amax() > 0.1, "limbs are turned further"
    step = other.rotmat.diff(dim=1).abs().amax()
    assert step < motion.rotmat.diff(dim=1).abs().amax() + 0.15, "and move no more jerkily"


def run(folder, out, *more, start=None):
    small = ("width=48", "depth=1", "batch=24", "validate_every=40", "learning_rate=0.004", *more)
    arguments = [str(folder / "motions"), *[str(folder / "pairs.npz")] * 2, str(out)]
    for pair in small:
        arguments += ["--set", pair]
    arguments += ["--start", str(start)] if start else []
    assert main(arguments) == 0
    return json.loads(out.with_suffix(".json").read_text())["curve"]


def test_it_learns_and_keeps_what_it_did(folder, tmp_path):
    curve = run(folder, tmp_path / "net.safetensors", "steps=160")
    assert curve[-1]["step"] == 160
    assert curve[-1]["mpjpe_mm"] < 0.75 * curve[0]["mpjpe_mm"]
    assert curve[-1]["pa_mpjpe_mm"] < 90


def test_the_same_seed_gives_the_same_weights(folder, tmp_path):
    outs = [tmp_path / f"{name}.safetensors" for name in ("first", "second", "other")]
    for out, seed in zip(outs, (3, 3, 4), strict=True):
        run(folder, out, "steps=3", f"seed={seed}")
    first, second, other = (read_safetensors(out) for out in outs)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["pose.weight"], other["pose.weight"])


def test_unknown_settings_and_files_are_refused(folder, sites, tmp_path):
    with pytest.raises(SettingsError, match="stepz"):
        settings(["stepz=3"])
    with pytest.raises(InputError, match="film_pairs"):
        read_detected([folder / "motions" / "a_1.npz"], sites)
    (tmp_path / "bad").mkdir()
    np.savez(tmp_path / "bad" / "x.npz", poses=np.zeros((50, 66)), trans=np.zeros((50, 3)))
    with pytest.raises(InputError, match="poses"):
        read_motion_clips(tmp_path / "bad", WINDOW)


def test_filmed_pairs_hold_what_the_detector_made_of_a_known_body(folder, sites, tmp_path):
    out = tmp_path / "pairs.npz"
    make_all(folder / "motions", out, count=1, frames=40, seed=1)
    with np.load(out) as file:
        assert set(NAMES) <= set(file)
        assert np.isfinite(file["keypoints_px"]).mean() > 0.5
    people = read_detected([out], sites)
    seen = people.filmed.confidence[0] > 0.5
    # BlazePose marks a rendered body to within a tenth of its size.
    assert people.error[seen].norm(dim=-1).median() < 0.1


def test_training_goes_on_from_given_weights(folder, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    run(folder, first, "steps=40")
    still = ("steps=1", "learning_rate=1e-12", "mean_decay=0.0")
    run(folder, second, *still, start=first)
    before, after = read_safetensors(first), read_safetensors(second)
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=2e-3, rtol=2e-3)


def test_only_the_word_on_errors_is_learnt(folder, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    run(folder, first, "steps=40")
    curve = run(folder, second, "steps=40", "only_spread=true", "mean_decay=0.5", start=first)
    before, after = read_safetensors(first), read_safetensors(second)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("spread.") for name in changed)
    assert np.isfinite(curve[-1]["spread_correlation"])


def test_the_best_word_on_errors_is_their_mean():
    turn = rotvec_to_rotmat(torch.tensor([[0.1, 0, 0], [0, 0.3, 0], [0, 0, 0.2]]))
    truth = torch.eye(3).expand(3, 1, 24, 3, 3)
    pose = turn[:, None, None].expand(3, 1, 24, 3, 3)
    words = torch.linspace(0.05, 0.5, 46)
    costs = []
    for word in words:
        said = torch.full((3, 1, 24), float(word.log()))
        costs.append(
            surprise(Lifted(pose, torch.zeros(3, 10), torch.zeros(3, 1, 3), said), truth).mean()
        )
    best = words[torch.stack(costs).argmin()]
    assert best == pytest.approx(0.2, abs=0.011)


def test_pairs_of_several_files_are_one_behind_the_other(folder, sites):
    one = read_detected([folder / "pairs.npz"], sites)
    two = read_detected([folder / "pairs.npz"] * 2, sites)
    assert len(two.error) == 2 * len(one.error)
    assert len(two.start) == 2 * len(one.start)
    assert two.start[-1] == len(one.error)

"""PoseBERT: network and windows against the official ones; the backend on real files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems.posebert import (
    check_body,
    check_skeleton_network,
    check_skeletons,
    rule_weights,
)
from pipeline.checkpoints import convert, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError, MissingError
from pipeline.rotations import rotvec_to_rotmat
from pipeline.types import Status
from pipeline.window_starts import window_starts
from stages.smoothing import posebert
from stages.smoothing.posebert.frame_rate import read_at, sampled_at
from stages.smoothing.posebert.network import PoseBert, body_tokens, network_with, pose_rotmat
from stages.smoothing.posebert.windows import (
    WINDOW,
    blended_windows,
    official_windows,
    one_window_per_frame,
    positions_in,
)
from tests.stages.smoothing.motions import person_of
from tests.stages.smoothing.test_whittaker import angles_deg

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "posebert"
COMPLETE = Path(__file__).parents[4] / "shared" / "golden" / "posebert"
"""With real motion, which does not travel with the project."""


@pytest.fixture(scope="module")
def tensors():
    return rule_weights()


@pytest.fixture(scope="module")
def network(tensors) -> PoseBert:
    return network_with(tensors)


@pytest.fixture(scope="module")
def checkpoint(tensors, tmp_path_factory):
    """The official container, with what its authors' trainer also keeps."""
    path = tmp_path_factory.mktemp("weights") / "posebert_smpl.pt"
    torch.save({"model_state_dict": tensors, "epoch": 7, "optimizer_state_dict": {}}, path)
    return path


def backend(path, context=None, **settings):
    return posebert.Backend(posebert.Config(weights=str(path), **settings), context or Context())


def poses(count: int, seed: int = 0) -> torch.Tensor:
    """(count, 24, 3, 3) rotations that change slowly."""
    steps = np.random.default_rng(seed).normal(size=(count, 24, 3)) * 0.05
    return rotvec_to_rotmat(torch.from_numpy(np.cumsum(steps, axis=0)).float())


def test_an_all_hidden_window_equals_the_official_one(network):
    golden = np.load(GOLDEN / "posebert_allmasked.npz")
    with torch.inference_mode():
        layers = network(torch.zeros(1, 16, 144), torch.zeros(1, 16, dtype=torch.bool))
    np.testing.assert_allclose(layers, golden["allmasked/y_layers"], atol=5e-5, rtol=0)
    np.testing.assert_allclose(
        pose_rotmat(layers[-1]), golden["allmasked/rot_out"], atol=5e-4, rtol=0
    )


def test_official_windows_are_the_official_ones():
    golden = np.load(GOLDEN / "posebert_windows.npz")
    for name, count in (("short", 40), ("exact", 64), ("long", 130)):
        windows = official_windows(count)
        np.testing.assert_array_equal(windows.frames, golden[f"slide_{name}/frames"])
        np.testing.assert_array_equal(positions_in(windows), golden[f"slide_{name}/position"])


@pytest.mark.skipif(not COMPLETE.is_dir(), reason=f"no {COMPLETE}: holds real motion")
def test_real_motion_equals_the_official_results():
    results = [
        *check_body(GoldenFile.open(COMPLETE / "posebert_smpl.npz")),
        *check_skeletons(GoldenFile.open(COMPLETE / "posebert_h36m.npz")),
        *check_skeleton_network(GoldenFile.open(COMPLETE / "posebert_h36m.npz")),
    ]
    assert len(results) == 24
    assert [r.array for r in results if not r.passed] == []


def test_what_hidden_frames_hold_does_not_matter(network):
    tokens, seen = body_tokens(poses(30))[None], torch.ones(1, 30, dtype=torch.bool)
    seen[0, 8:14] = False
    other = tokens.clone()
    other[0, 8:14] = 1e3
    with torch.inference_mode():
        assert torch.equal(network(tokens, seen), network(other, seen))
        changed = network(other, torch.ones_like(seen))[-1] - network(tokens, seen)[-1]
    assert changed.abs().max() > 0.1  # and what seen frames hold does


@pytest.mark.parametrize("count", [1, 5, 64, 65, 100, 200])
@pytest.mark.parametrize("stride", [1, 16, 63])
def test_windows_cover_every_frame(count, stride):
    starts = window_starts(count, WINDOW, stride)
    shown = np.unique(starts[:, None] + np.arange(min(WINDOW, count)))
    np.testing.assert_array_equal(shown, np.arange(count))
    assert (np.diff(starts) > 0).all()


def test_blended_windows_are_rotations_and_meet_without_jumps(network):
    rotmat, seen = poses(120), torch.ones(120, dtype=torch.bool)
    seen[50:60] = False
    out = blended_windows(network, rotmat, seen, 16)
    eye = torch.eye(3).expand_as(out)
    torch.testing.assert_close(out @ out.mT, eye, atol=1e-5, rtol=0)
    assert (torch.linalg.det(out) > 0.99).all()
    one = blended_windows(network, rotmat[:64], seen[:64], 16)
    with torch.inference_mode():
        direct = pose_rotmat(network(body_tokens(rotmat[None, :64]), seen[None, :64])[-1])[0]
    torch.testing.assert_close(one, direct, atol=1e-5, rtol=0)


def test_both_kinds_of_windows_agree_for_a_network_without_positions(tensors):
    """With no positions and attention to nothing but itself, a frame's result is its own."""
    blind = dict(tensors)
    blind["pos.pe"] = torch.zeros_like(tensors["pos.pe"])
    for layer in range(4):
        name = f"decoder.layers.{layer}.0.fn.to_out.0"
        blind.update(
            {
                f"{name}.{end}": torch.zeros_like(tensors[f"{name}.{end}"])
                for end in ("weight", "bias")
            }
        )
    network = network_with(blind)
    rotmat, seen = poses(100), torch.ones(100, dtype=torch.bool)
    blended, official = (
        blended_windows(network, rotmat, seen, 16),
        one_window_per_frame(network, rotmat, seen),
    )
    torch.testing.assert_close(blended, official, atol=1e-4, rtol=0)


def test_at_the_trained_rate_nothing_is_resampled():
    time_s = np.arange(50) / 30
    rotvec, seen = np.random.default_rng(0).normal(size=(50, 24, 3)), np.ones(50, bool)
    given = sampled_at(30.0, time_s, rotvec, seen)
    assert given.rotvec is rotvec
    assert read_at(time_s, given.time_s, rotvec) is rotvec


@pytest.mark.parametrize("fps", [24.0, 25.0, 50.0, 60.0])
def test_there_and_back_is_the_same_motion(fps):
    time_s = np.arange(round(3 * fps)) / fps
    angle = np.pi - 0.5 + 0.8 * np.sin(2 * np.pi * 0.6 * time_s)  # through half a turn
    rotvec = np.zeros((len(time_s), 24, 3))
    rotvec[..., 1] = angle[:, None]
    given = sampled_at(30.0, time_s, rotvec, np.ones(len(time_s), bool))
    assert np.median(np.diff(given.time_s)) == pytest.approx(1 / 30, rel=0.02)
    back = read_at(time_s, given.time_s, given.rotvec)
    assert angles_deg(back, rotvec).max() < 0.5


def test_hidden_frames_stay_hidden_at_another_rate():
    time_s = np.arange(120) / 60
    seen = np.ones(120, bool)
    seen[40:60] = False
    given = sampled_at(30.0, time_s, np.zeros((120, 24, 3)), seen)
    within = (given.time_s > time_s[39] + 1e-3) & (given.time_s < time_s[60] - 1e-3)
    np.testing.assert_array_equal(~given.seen, within)
    assert within.sum() == 11


def test_a_gap_is_filled_by_the_network_and_marked(checkpoint, network):
    missing = np.zeros(80, bool)
    missing[30:45] = True
    person = person_of(np.arange(80) / 30, None, None, missing)
    pose = Rotation.from_matrix(poses(80).numpy().reshape(-1, 3, 3)).as_rotvec()
    person = replace(person, pose_rotvec=pose.reshape(80, 24, 3).astype(np.float32))
    garbage = person.pose_rotvec.copy()
    garbage[missing] = 0.5
    made = backend(checkpoint)
    (out,) = made((person,))
    (other,) = made((replace(person, pose_rotvec=garbage),))
    np.testing.assert_array_equal(out.pose_rotvec, other.pose_rotvec)
    assert (out.status[missing] == Status.INTERPOLATED).all()
    assert (out.status[~missing] == Status.OBSERVED).all()
    rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec))
    wanted = blended_windows(network, rotmat, torch.from_numpy(~missing), 16)
    wanted_rotvec = Rotation.from_matrix(wanted.numpy().reshape(-1, 3, 3)).as_rotvec()
    assert angles_deg(out.pose_rotvec, wanted_rotvec.reshape(80, 24, 3)).max() < 0.1
    np.testing.assert_array_equal(out.betas, person.betas)


def test_official_windows_can_be_chosen(checkpoint, network):
    person = person_of(np.arange(70) / 30)
    (out,) = backend(checkpoint, windows="official")((person,))
    rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec))
    wanted = one_window_per_frame(network, rotmat, torch.ones(70, dtype=torch.bool))
    wanted_rotvec = Rotation.from_matrix(wanted.numpy().reshape(-1, 3, 3)).as_rotvec()
    assert angles_deg(out.pose_rotvec, wanted_rotvec.reshape(70, 24, 3)).max() < 0.1


def test_the_official_file_is_converted_once(checkpoint, tensors, tmp_path):
    target = tmp_path / "posebert.safetensors"
    convert(checkpoint, posebert.checkpoint_layout(), target, licence="CC BY-NC-SA 4.0")
    kept = read_checkpoint(target, posebert.checkpoint_layout())
    assert kept.keys() == tensors.keys()
    assert all(torch.equal(kept[name], tensors[name]) for name in tensors)


def test_without_the_official_weights_the_steps_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="humans4d models add posebert FILE"):
        posebert.Backend(posebert.Config(weights="official"), Context())


def test_other_networks_are_refused(tensors, tmp_path):
    person = person_of(np.arange(30) / 30)
    path = tmp_path / "other.pt"
    torch.save({"model_state_dict": rule_weights(54)}, path)
    with pytest.raises(InputError, match=r"'emb\.weight' has the shape \(512, 54\)"):
        backend(path)((person,))
    name = "decoder.layers.2.2.fn.net.0.weight"
    torch.save({"model_state_dict": {**tensors, name: tensors[name] + 1}}, path)
    with pytest.raises(InputError, match="share one regressor"):
        backend(path)((person,))

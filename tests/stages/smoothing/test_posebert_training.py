"""Training PoseBERT: windows and errors are what they should be, a small network learns."""

import json

import numpy as np
import pytest
import torch

from pipeline.context import Context
from pipeline.errors import InputError, MissingError, SettingsError
from pipeline.rotations import geodesic_angle_rad
from stages.smoothing import posebert
from stages.smoothing.posebert.corruption import CorruptionConfig, corrupted
from stages.smoothing.posebert.examples import make_examples
from stages.smoothing.posebert.motion_windows import read_motions
from stages.smoothing.posebert.train import rate, save, train
from stages.smoothing.posebert.train_config import TrainConfig, settings
from tests.stages.smoothing.motions import person_of

NONE = (0.0, 0.0)
NOTHING = CorruptionConfig(
    white_deg=NONE, slow_deg=NONE, bursts=NONE, swaps=NONE, single_masks=NONE, blocks=1
)


@pytest.fixture(scope="module")
def motions(tmp_path_factory):
    """Four clips of swinging limbs."""
    folder = tmp_path_factory.mktemp("motions")
    t = np.arange(120) / 30
    for clip in range(4):
        rng = np.random.default_rng(clip)
        size, phase, pace = (rng.uniform(0, most, (24, 3)) for most in (0.8, 6.3, 1.5))
        pose = size * np.sin(2 * np.pi * pace * t[:, None, None] + phase)
        pose[:, 0] = 0
        np.savez(folder / f"clip_{clip}.npz", poses=pose.reshape(120, 72).astype(np.float32))
    return read_motions(folder)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_windows_are_rotations_upright_in_the_camera_and_repeat_by_seed(motions):
    windows = motions.windows(200, 64, generator())
    eye = torch.eye(3).expand_as(windows)
    torch.testing.assert_close(windows @ windows.mT, eye, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(windows), torch.ones(200, 64, 24))
    up_y = windows[:, 0, 0, 1, 1]  # the body's up along the camera's down
    assert up_y.mean() < -0.9
    ahead = windows[:, 0, 0, :, 2]
    assert ahead[:, [0, 2]].std(0).min() > 0.6  # every heading
    assert torch.equal(windows, motions.windows(200, 64, generator()))
    assert not torch.equal(windows, motions.windows(200, 64, generator(1)))


def test_errors_have_the_size_that_was_asked_for(motions):
    truth = motions.windows(64, 64, generator())
    for change, wanted_deg in ({"white_deg": (3.0, 3.0)}, 4.79), ({"slow_deg": (3.0, 3.0)}, 4.79):
        given = corrupted(truth, NOTHING.model_copy(update=change), generator(1))
        angle_deg = torch.rad2deg(geodesic_angle_rad(given.rotmat, truth))
        # The length of three normal numbers of deviation 3 is 4.79 on average.
        assert angle_deg.mean().item() == pytest.approx(wanted_deg, rel=0.05)
    given = corrupted(truth, NOTHING.model_copy(update={"slow_deg": (3.0, 3.0)}), generator(1))
    between = truth[:, 1:].mT @ given.rotmat[:, 1:]
    before = truth[:, :-1].mT @ given.rotmat[:, :-1]
    assert torch.rad2deg(geodesic_angle_rad(between, before)).mean() < 0.5  # it is slow


def test_without_any_error_the_motion_comes_through(motions):
    truth = motions.windows(8, 32, generator())
    given = corrupted(truth, NOTHING.model_copy(update={"block_frames": (2, 2)}), generator())
    torch.testing.assert_close(given.rotmat, truth, atol=1e-6, rtol=0)
    assert (~given.seen).sum(dim=1).max() <= 2


def test_masks_are_singles_or_blocks_and_never_all(motions):
    truth = motions.windows(400, 64, generator())
    config = NOTHING.model_copy(update={"single_masks": (0.1, 0.1), "block_frames": (20, 20)})
    hidden = ~corrupted(truth, config, generator()).seen
    changes = (hidden[:, 1:] != hidden[:, :-1]).sum(dim=1)
    assert 100 < (changes <= 2).sum() < 300
    assert 0.1 < hidden.float().mean() < 0.25
    assert not hidden.all(dim=1).any()


def test_swaps_exchange_limbs_and_not_the_heading(motions):
    truth = motions.windows(4, 16, generator())
    given = corrupted(truth, NOTHING.model_copy(update={"swaps": (1.0, 1.0)}), generator()).rotmat
    sign = torch.tensor([[1.0, -1, -1], [-1, 1, 1], [-1, 1, 1]])
    torch.testing.assert_close(given[:, :, 18], truth[:, :, 19] * sign, atol=1e-6, rtol=0)
    torch.testing.assert_close(given[:, :, 0], truth[:, :, 0], atol=1e-6, rtol=0)


def test_the_rate_rises_and_falls():
    config = TrainConfig(steps=100, warm_up=0.1)
    rates = [rate(config, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert np.argmax(rates) in (9, 10)
    assert rates[100] == pytest.approx(0)


def test_a_small_network_learns_and_is_what_the_smoother_runs(motions, tmp_path):
    heavy = CorruptionConfig(white_deg=(1.0, 2.0), slow_deg=(14.0, 16.0))
    config = TrainConfig(
        width=64,
        depth=2,
        heads=1,
        frames=16,
        batch=16,
        steps=120,
        validate_every=60,
        learning_rate=3e-3,
        corruption=heavy,
    )
    kept = []
    trained = train(config, motions, motions, keep=kept.append)
    first, last = trained.curve[0], trained.curve[-1]
    assert [row.step for row in trained.curve] == [0, 60, 120]
    assert len(kept) == 2
    assert first.seen_mm == pytest.approx(first.filtered_mm, rel=0.03)  # it starts from its input
    assert last.filtered_mm < last.raw_mm
    assert last.seen_mm < 0.9 * last.filtered_mm
    assert last.hidden_mm < 0.95 * last.hidden_filtered_mm
    path = tmp_path / "own.safetensors"
    save(path, trained, config, "swings")
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["settings"]["width"] == 64
    assert record["curve"][-1]["loss"] == last.loss
    # What was trained is what the smoother runs, whatever its size.
    made = posebert.Backend(posebert.Config(weights=str(path)), Context())
    kept, own = made.network.state_dict(), trained.network.state_dict()
    assert all(torch.equal(kept[name], own[name]) for name in own)
    (out,) = made((person_of(np.arange(40) / 30),))
    assert np.isfinite(out.pose_rotvec).all()


def test_the_same_seed_gives_the_same_network(motions):
    config = TrainConfig(width=64, depth=1, heads=1, frames=8, batch=4, steps=3)
    one, two = (train(config, motions, motions).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_training_goes_on_from_what_was_saved(motions, tmp_path):
    config = TrainConfig(width=64, depth=1, heads=1, frames=8, batch=4, steps=2, warm_up=0)
    saved = tmp_path / "first.safetensors"
    save(saved, train(config, motions, motions), config, "swings")
    on = config.model_copy(update={"start": str(saved), "learning_rate": 1e-12})
    first, second = (train(c, motions, motions).network.state_dict() for c in (config, on))
    assert all((first[n] - second[n]).abs().max() < 1e-6 for n in first)
    wider = config.model_copy(update={"start": str(saved), "width": 128, "heads": 2})
    with pytest.raises(InputError, match="has the shape"):
        train(wider, motions, motions)


def test_what_is_learnt_from_is_filtered_and_the_camera_turns_all_of_it(motions):
    noise = CorruptionConfig(swaps=NONE)
    made = make_examples(motions, 16, 64, noise, generator())
    again = make_examples(motions, 16, 64, noise, generator())
    assert torch.equal(made.given, again.given)
    off_deg = [
        torch.rad2deg(geodesic_angle_rad(r, made.truth))[made.seen].mean()
        for r in (made.noisy, made.given)
    ]
    assert off_deg[1] < 0.9 * off_deg[0]
    seen = made.in_cameras(generator())
    between = made.truth.mT @ made.given
    torch.testing.assert_close(seen.truth.mT @ seen.given, between, atol=1e-5, rtol=0)
    assert (seen.truth[:, :, 0] - made.truth[:, :, 0]).abs().max() > 0.5


def test_settings_are_read_and_wrong_ones_named():
    found = settings(["steps=7", "corruption.white_deg=[1, 2]", "device=cpu"])
    assert (found.steps, found.corruption.white_deg) == (7, (1.0, 2.0))
    with pytest.raises(SettingsError, match="unknown setting 'stepz'"):
        settings(["stepz=7"])


def test_unfit_files_are_named(tmp_path):
    with pytest.raises(MissingError, match="holds no motion"):
        read_motions(tmp_path)
    np.savez(tmp_path / "other.npz", joints=np.zeros((90, 24, 3)))
    with pytest.raises(InputError, match=r"other\.npz: holds no 'poses'"):
        read_motions(tmp_path)

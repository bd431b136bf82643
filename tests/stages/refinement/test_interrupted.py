"""A fit that was killed between windows goes on behind them and comes to the same bytes."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.parts import Parts
from pipeline.types import Person
from stages.refinement.smplify import Backend, Config, published, windows
from tests.stages.interruptions import Counted, Interrupted
from tests.stages.refinement.moving_body import CAMERA, walk, with_noise

WINDOWS = 18
"""Two people of three windows each, in three phases (there is a fourth where feet are held)."""


@pytest.fixture(scope="module")
def people() -> tuple[Person, ...]:
    seen = with_noise(walk(seconds=65 / 30).person, pixels=4.0, metres=0.05)
    swapped = replace(seen, id=2, t_camera_m=seen.t_camera_m + np.float32([0.5, 0, 0.2]))
    return (seen, swapped)


@pytest.fixture
def short_windows(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_FRAMES", 30)
    monkeypatch.setattr(windows, "OVERLAP_FRAMES", 10)


def fitted(people, config, folder=None):
    """The people, and what was told."""
    context = Context(parts=Parts(0.0))
    backend = Backend(config, context)
    if folder is None:
        return backend(people, CAMERA), context.events.as_dicts()
    with context.parts.kept_in(folder, "these people", context.events):
        return backend(people, CAMERA), context.events.as_dicts()


def the_same(some, others):
    assert some[1] == others[1]
    for one, other in zip(some[0], others[0], strict=True):
        for field in fields(Person):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert (a.tobytes() == b.tobytes()) if isinstance(a, np.ndarray) else a == b


@pytest.mark.parametrize("stop_after", [1, 5, 9, 11, 17])
def test_windows_that_are_done_are_not_fitted_again(
    people, short_windows, tmp_path, monkeypatch, stop_after
):
    config, fit_motion = Config(contact=0.0), windows.fit_motion
    whole = fitted(people, config)
    monkeypatch.setattr(windows, "fit_motion", Counted(fit_motion, stop_after))
    with pytest.raises(Interrupted):
        fitted(people, config, tmp_path)
    rest = Counted(fit_motion)
    monkeypatch.setattr(windows, "fit_motion", rest)
    the_same(fitted(people, config, tmp_path), whole)
    assert rest.calls == WINDOWS - stop_after


def test_feet_that_are_held_stay_held(people, short_windows, tmp_path, monkeypatch):
    config, fit_motion = Config(), windows.fit_motion
    still = (walk(seconds=1.5, still=True).person,)
    whole = fitted(still, config)
    assert any("feet held still" in event["message"] for event in whole[1])
    monkeypatch.setattr(windows, "fit_motion", Counted(fit_motion, 7))
    with pytest.raises(Interrupted):
        fitted(still, config, tmp_path)
    rest = Counted(fit_motion)
    monkeypatch.setattr(windows, "fit_motion", rest)
    the_same(fitted(still, config, tmp_path), whole)
    assert rest.calls == 1


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_the_published_objective_goes_on_behind_its_rounds(
    people, tmp_path, monkeypatch, stop_after
):
    config = Config(objective="published", published={"preset": "smplify", "steps": 2})
    whole, minimise = fitted(people[:1], config), published.minimise
    monkeypatch.setattr(published, "minimise", Counted(minimise, stop_after - 1))
    with pytest.raises(Interrupted):
        fitted(people[:1], config, tmp_path)
    rest = Counted(minimise)
    monkeypatch.setattr(published, "minimise", rest)
    the_same(fitted(people[:1], config, tmp_path), whole)
    assert rest.calls == 5 - (stop_after - 1)


def test_a_joined_motion_is_that_of_its_windows_but_for_the_overlaps(short_windows):
    place_m = np.random.default_rng(0).normal(size=(65, 3))
    cuts = windows.windows(65)
    rotmat, build = np.tile(np.eye(3), (65, 24, 1, 1)), np.zeros(28)
    motions = [
        windows.motion_of({"local_rotmat": rotmat[c], "t_m": place_m[c] + n, "build": build})
        for n, c in enumerate(cuts)
    ]
    whole = windows.motion_of({"local_rotmat": rotmat, "t_m": np.zeros((65, 3)), "build": build})
    moved_m = (windows.joined(motions, whole).t_m.numpy() - place_m)[:, 0]
    share = (np.arange(10) + 0.5) / 10
    expected = [np.zeros(20), share, np.ones(10), 1 + share, np.full(15, 2.0)]
    np.testing.assert_allclose(moved_m, np.concatenate(expected), atol=1e-12)

"""A changed setting makes again its own stage and what follows, and nothing before."""

import shutil

import pytest

from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.run import run
from pipeline.same_result import differences
from tests.pipeline.video_fixtures import make_clip

ALL = ["perception", "tracking", "refinement", "smoothing", "people", "rendering", "report"]
CHANGED = {
    "camera.focal_px=500": "perception",
    "detection.blazepose.min_presence=0.6": "perception",
    "regression.lifter.stride=9": "perception",
    "regression.backend=landmarks": "perception",
    "tracking.phalp.n_init=6": "tracking",
    "tracking.backend=sort": "tracking",
    "refinement.smplify.iterations=9": "refinement",
    "refinement.backend=none": "refinement",
    "smoothing.whittaker.rotation_cutoff_hz=3.5": "smoothing",
    "smoothing.backend=none": "smoothing",
    "rendering.auto.alpha=0.8": "rendering",
    "overlay.enabled=false": "report",
    "report.enabled=false": None,
}
"""A setting, and the first stage that it makes again."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Nobody is in it, which costs little; every stage runs all the same."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", size_px=(160, 120))


def ran(clip, out, *overrides: str) -> list[str]:
    """The stages that a run made, in order."""
    report = run(clip, out, load_settings(overrides=list(overrides)), Context())
    return [stage for stage, made in report["made"].items() if not made["reused"]]


@pytest.fixture(scope="module")
def usual(clip, tmp_path_factory):
    """A result with the usual settings."""
    out = tmp_path_factory.mktemp("usual")
    assert ran(clip, out) == ALL
    return out


def test_nothing_changed_makes_nothing(clip, usual):
    assert ran(clip, usual) == []


@pytest.mark.parametrize("setting", CHANGED)
def test_a_setting_makes_its_stage_again_and_what_follows(clip, usual, tmp_path, setting):
    shutil.copytree(usual, tmp_path / "out")
    first = CHANGED[setting]
    assert ran(clip, tmp_path / "out", setting) == (ALL[ALL.index(first) :] if first else [])


def test_a_change_and_back_again_is_as_if_it_had_not_been(clip, usual, tmp_path):
    shutil.copytree(usual, tmp_path / "out")
    ran(clip, tmp_path / "out", "smoothing.backend=none")
    assert ran(clip, tmp_path / "out") == ALL[ALL.index("smoothing") :]
    assert differences(usual, tmp_path / "out") == []

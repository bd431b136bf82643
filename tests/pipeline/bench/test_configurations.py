import pytest

from pipeline.bench.configurations import configurations
from pipeline.errors import SettingsError


def test_the_default_and_its_baseline():
    first, baseline = configurations()
    assert (first.name, baseline.name) == ("default", "unrefined")
    assert first.settings().overlay.enabled is False
    assert baseline.settings().stages["refinement"].backend == "none"
    assert baseline.settings().stages["smoothing"].backend == "none"
    assert configurations(baseline=False) == (first,)


def test_overrides_hold_for_all_and_comparisons_lie_over_them():
    chosen = configurations(
        ["default"],
        ["smoothing.backend=none", "camera.focal_px=900"],
        ["filtered=smoothing.backend=whittaker tracking.backend=sort"],
    )
    backends = {c.name: c.settings().stages["smoothing"].backend for c in chosen}
    assert backends == {"default": "none", "filtered": "whittaker", "unrefined": "none"}
    assert all(c.settings(["camera.focal_px=1"]).camera.focal_px == 900 for c in chosen)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"configs": ["nosuch"]}, "no shipped settings"),
        ({"overrides": ["smoothing.backend=nosuch"]}, "unknown backend 'nosuch'"),
        ({"compare": ["a=refinement.backend=nosuch"]}, "unknown backend 'nosuch'"),
        ({"compare": ["nothing"]}, "write NAME=key=value"),
        ({"compare": ["default="]}, "two configurations are called 'default'"),
        ({"configs": ["default", "default"]}, "two configurations"),
    ],
)
def test_wrong_words_are_told(words, says):
    with pytest.raises(SettingsError, match=says):
        configurations(**words)

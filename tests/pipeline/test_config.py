import pytest

from pipeline import backends, config
from pipeline.chosen import Chosen
from pipeline.context import Context
from pipeline.errors import MissingError, SettingsError


def test_defaults_are_the_bare_machine():
    settings = config.load_settings()
    assert settings.stages["detection"].backend == "blazepose"
    assert settings.camera.focal_px is None


def test_file_lies_over_defaults_and_overrides_over_both(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("camera: {focal_px: 900}\nsmoothing: {backend: none}\n")
    assert config.load_settings(file).camera.focal_px == 900
    settings = config.load_settings(file, ["camera.focal_px=1500.5"])
    assert settings.camera.focal_px == 1500.5
    assert settings.stages["smoothing"].backend == "none"
    assert settings.raw["camera"]["focal_px"] == 1500.5


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("camera.fokal_px=3", ["fokal_px", "focal_px", "fov_deg"]),
        ("kamera.focal_px=3", ["kamera", "camera", "detection"]),
        ("camera.focal_px=-3", ["camera.focal_px", "greater than 0"]),
        ("camera.focal_px=wide", ["camera.focal_px", "wide"]),
        ("camera.focal_px=.inf", ["camera.focal_px"]),
        ("camera.focal_px", ["key=value"]),
        ("=3", ["key=value"]),
        ("device=tpu", ["tpu", "cuda"]),
        ("tracking.backend=sorte", ["sorte", "sort"]),
        ("tracking.sorte.max_lost_s=1", ["tracking.sorte", "sort"]),
        ("tracking=3", ["tracking", "backend"]),
        ("camera.focal_px=[1", ["YAML"]),
    ],
)
def test_wrong_settings_are_named(override, words):
    with pytest.raises(SettingsError) as caught:
        config.load_settings(None, [override])
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "idle"),
    [
        (["rendering.raster.alpha=0.5"], ("rendering.raster.alpha",)),
        (["rendering.raster.alpha=0.5", "rendering.backend=raster"], ()),
        (["rendering.auto.alpha=0.5", "camera.focal_px=900"], ()),
        (["smoothing.posebert.weights=x", "smoothing.whittaker.max_gap_s=1"],
         ("smoothing.posebert.weights",)),
    ],
)  # fmt: skip
def test_settings_that_change_nothing_are_told(overrides, idle):
    settings = config.load_settings(None, overrides)
    assert settings.without_effect == idle
    context = Context()
    Chosen(settings, context)
    told = [event.message for event in context.events.events if "changes nothing" in event.message]
    assert [text.split()[0] for text in told] == list(idle)


def test_focal_and_fov_exclude_each_other():
    with pytest.raises(SettingsError, match="not both"):
        config.load_settings(None, ["camera.focal_px=900", "camera.fov_deg=60"])


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2", "\x00"])
def test_unusable_settings_files(tmp_path, text):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"bad\.yaml"):
        config.load_settings(file)


def test_missing_settings_file_names_the_shipped_ones():
    with pytest.raises(SettingsError, match="default"):
        config.load_settings("no_such_settings")


def test_every_shipped_settings_file_is_valid():
    for name in config.shipped_names():
        config.load_settings(name)


def test_unknown_option_of_a_backend_names_the_known_ones():
    with pytest.raises(SettingsError) as caught:
        backends.make_config("tracking", "sort", {"max_lots_s": 1})
    known = backends.load("tracking", "sort").Config.model_fields
    assert all(name in str(caught.value) for name in ("max_lots_s", *known))


def test_missing_package_answers_with_the_pip_line(monkeypatch):
    def no_package(name):
        raise ModuleNotFoundError("No module named 'pyrender'", name="pyrender")

    monkeypatch.setattr(backends.importlib, "import_module", _only_stages_fail(no_package))
    with pytest.raises(MissingError, match=r"pip install 'humans4d\[pyrender\]'"):
        backends.load("rendering", "pyrender")


def _only_stages_fail(fail):
    real = backends.importlib.import_module
    return lambda name: fail(name) if name.count(".") > 1 else real(name)


@pytest.mark.parametrize("stage", config.STAGES)
def test_every_backend_has_config_and_backend(stage):
    for name in backends.names(stage):
        module = backends.load(stage, name)
        assert issubclass(module.Config, backends.BackendConfig), name
        assert callable(module.Backend), name


def test_none_backends_need_nothing():
    for stage in ("refinement", "smoothing"):
        backend = backends.make(stage, "none", backends.make_config(stage, "none", {}), Context())
        assert callable(backend)

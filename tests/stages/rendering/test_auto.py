"""`rendering.backend: auto`: with a GPU, without one, with OpenGL in software, and what it says."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline import backends
from pipeline.context import Context
from pipeline.errors import MissingError
from stages.rendering import _choice, auto, raster
from tests.stages.rendering.shapes import HEIGHT_PX, K_PX, QUAD_FACES, WIDTH_PX, mesh_of, rectangle

VIEW = (QUAD_FACES, K_PX, WIDTH_PX, HEIGHT_PX)
MESHES = [mesh_of(rectangle(20, 30, 90, 100, 2.0))]


@pytest.fixture()
def devices(tmp_path):
    """A /dev of a machine with a graphics card."""
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch()
    return tmp_path


def opengl_that_says(monkeypatch, device):
    """The module `stages.rendering.pyrender` with a driver of that name; the rest is raster's."""

    class Backend(raster.Backend):
        def device(self):
            if isinstance(device, Exception):
                raise device
            return device

    module = SimpleNamespace(Config=raster.Config, Backend=Backend)
    load = backends.load
    monkeypatch.setattr(
        backends, "load", lambda stage, name: module if name == "pyrender" else load(stage, name)
    )


def test_without_a_gpu_nothing_of_opengl_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(backends, "EXTRA_OF_PACKAGE", {})
    choice = _choice.choose({"alpha": 0.5, "labels": False}, Context(), tmp_path)
    assert choice.name == "raster" and "no GPU" in choice.reason
    assert choice.renderer._config.alpha == 0.5 and not choice.renderer._config.labels


def test_a_gpu_draws(devices, monkeypatch):
    opengl_that_says(monkeypatch, "NVIDIA H100 PCIe/PCIe/SSE2")
    choice = _choice.choose({"alpha": 0.5}, Context(), devices)
    assert choice.name == "pyrender" and "NVIDIA H100" in choice.reason
    assert choice.renderer._config.alpha == 0.5


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", "by software here (llvmpipe"),
        (MissingError("no OpenGL context through EGL"), "no OpenGL context"),
        (ImportError("Unable to load EGL library"), "Unable to load EGL"),
    ],
)
def test_a_gpu_that_opengl_cannot_use(devices, monkeypatch, device, words):
    opengl_that_says(monkeypatch, device)
    choice = _choice.choose({}, Context(), devices)
    assert choice.name == "raster" and words in choice.reason


def test_this_machines_own_opengl_is_told_by_its_name(devices):
    """Without a substitute: the driver here, seen through pyrender."""
    pytest.importorskip("stages.rendering.pyrender", exc_type=ImportError)
    choice = _choice.choose({}, Context(), devices)
    assert choice.name == ("pyrender" if "OpenGL on" in choice.reason else "raster")
    if choice.name == "raster":
        assert "software" in choice.reason or "no OpenGL" in choice.reason


def test_it_draws_what_was_picked_and_records_it_once(monkeypatch):
    monkeypatch.setattr(auto, "choose", lambda *given: _choice.choose(*given, _nowhere()))
    context = Context()
    backend = auto.Backend(auto.Config(alpha=0.7), context)
    assert not context.events.events
    expected = raster.Backend(raster.Config(alpha=0.7), Context())(MESHES, *VIEW)
    layers = [backend(MESHES, *VIEW), backend.begin(MESHES, *VIEW)()]
    assert all(np.array_equal(layer.rgba, expected.rgba) for layer in layers)
    (event,) = context.events.events
    assert event.kind == "info" and event.message.startswith("auto: drawn by raster, on the CPU")


def _nowhere():
    from pathlib import Path

    return Path("/nowhere")

"""`humans4d doctor`: ready, or what is missing and the exact line that gets it."""

import shlex

import pytest
import torch

from pipeline import backends, machine, weights
from pipeline.commands import models
from pipeline.commands.doctor import doctor_command
from pipeline.errors import EXIT_MISSING, EXIT_OK, InputError, MissingError
from pipeline.files import file_digest
from pipeline.readiness import readiness


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_a_backend_without_weights_is_ready():
    assert readiness("regression", "landmarks").ready


def test_absent_weights_come_with_origin_licence_and_command():
    found = readiness("regression", "tokenhmr")
    assert not found.ready
    assert [need.command for need in found.needs] == [
        "humans4d models add tokenhmr FILE",
        "humans4d models add tokenhmr-tokenizer FILE",
    ]
    assert all("tokenhmr.is.tue.mpg.de" in need.origin for need in found.needs)
    assert all("non-commercial" in need.licence for need in found.needs)
    both = readiness("detection", "given").needs
    assert both[0].command == "humans4d models fetch blazepose-detector"


def test_a_checkpoint_in_its_programs_own_folder_is_found(home):
    folder = home / ".cache/4DHumans/logs/train/multiruns/hmr2/0/checkpoints"
    assert readiness("regression", "hmr2").needs[0].command == "humans4d models add hmr2 FILE"
    folder.mkdir(parents=True)
    path = folder / "epoch=35-step=1000000.ckpt"
    path.touch()
    words = shlex.split(readiness("regression", "hmr2").needs[0].command)
    assert words == ["humans4d", "models", "add", "hmr2", str(path)]


def test_an_added_program_is_ready_once_its_digest_is_allowed(home, capsys):
    class Program(torch.nn.Module):
        def forward(self, x):
            return x

    path = home / "nlf_l_multi.torchscript"
    torch.jit.script(Program()).save(str(path))
    models.add_command("nlf", path)
    setting = f"regression.nlf.trust={file_digest(path)}"
    assert setting in capsys.readouterr().out
    found = readiness("regression", "nlf")
    assert found.ready and found.with_settings == (setting,)
    weights.location(weights.row("nlf")).write_text("<html>")
    assert "no TorchScript file" in readiness("regression", "nlf").needs[0].what


def test_only_programs_are_added_as_programs(home):
    page = home / "page.torchscript"
    page.write_text("<html>")
    with pytest.raises(InputError, match="no TorchScript file"):
        models.add_command("nlf", page)
    with pytest.raises(MissingError, match="no such file"):
        models.add_command("nlf", home / "absent")
    assert not weights.is_present(weights.row("nlf"))


def test_an_absent_package_comes_with_its_pip_line(monkeypatch):
    real = backends.importlib.import_module

    def without_ultralytics(name):
        if name == "stages.detection.yolo":
            raise ModuleNotFoundError("No module named 'ultralytics'", name="ultralytics")
        return real(name)

    monkeypatch.setattr(backends.importlib, "import_module", without_ultralytics)
    (need,) = readiness("detection", "yolo").needs
    assert "ultralytics" in need.what
    assert need.command == "pip install 'humans4d[yolo]'"


def test_a_package_that_breaks_on_import_is_told(monkeypatch):
    def broken(name):
        raise AttributeError("'NoneType' object has no attribute 'eglGetDisplay'")

    monkeypatch.setattr(backends.importlib, "import_module", broken)
    monkeypatch.setattr(backends, "names", lambda stage: ["raster"])
    (need,) = readiness("rendering", "raster").needs
    assert "eglGetDisplay" in need.what


def test_the_exit_code_tells_whether_the_default_flow_is_ready(monkeypatch, capsys):
    some = (("detection", "blazepose"), ("regression", "tokenhmr"), ("regression", "landmarks"))
    monkeypatch.setattr(
        "pipeline.readiness.all_backends", lambda: [readiness(*entry) for entry in some]
    )
    assert doctor_command() == EXIT_MISSING
    told = capsys.readouterr().out
    assert "The default flow is not ready: detection blazepose." in told
    assert "humans4d models fetch blazepose-detector" in told
    assert "humans4d models add tokenhmr-tokenizer FILE" in told
    for subject in ("decoder", "encoder", "GPU", "EGL", "body", "SMPL body"):
        assert f"\n{subject}: " in told

    monkeypatch.setattr(weights, "is_present", lambda row: row.name.startswith("blazepose"))
    assert doctor_command() == EXIT_OK
    told = capsys.readouterr().out
    assert "The default flow is ready." in told
    assert "get it with: humans4d models add tokenhmr FILE" in told, "others do not matter for it"


def test_without_an_encoder_the_default_flow_is_not_ready(monkeypatch):
    def absent():
        raise MissingError("No ffmpeg program was found")

    monkeypatch.setattr(machine, "ffmpeg_binary", absent)
    told = {fact.subject: fact for fact in machine.facts()}
    assert not told["encoder"].ok and "No ffmpeg" in told["encoder"].text
    assert told["body"].ok and "6890 vertices" in told["body"].text


def test_smpl_is_found_where_4dhumans_keeps_it(home):
    assert "smpl.is.tue.mpg.de" in machine.facts()[-1].text
    path = home / ".cache/4DHumans/data/smpl/SMPL_NEUTRAL.pkl"
    path.parent.mkdir(parents=True)
    path.touch()
    assert f"body.model={path}" in machine.facts()[-1].text

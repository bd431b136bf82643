"""One pinned tarball comes from a registry, whole and right, or an error says what to do."""

import socket
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import npm_download, weights
from pipeline.errors import MissingError, OutputError
from pipeline.weights_table import MEDIAPIPE_POSE
from tests.pipeline.registry import CONTENT, MEMBER, NAME, PATH, link_to, row_of, tarball


@pytest.fixture
def table(registry, monkeypatch):
    """Put a row for what the registry serves into the table; gives it."""

    def make(**changed):
        row = row_of(registry.files[PATH], **changed)
        monkeypatch.setattr(weights, "TABLE", (row,))
        return row

    return make


def refused(cache, words):
    with pytest.raises(MissingError, match=words) as caught:
        weights.path(NAME)
    assert "\n" not in str(caught.value)
    assert not cache.exists() or list(cache.iterdir()) == []
    return str(caught.value)


def test_fetched_once_and_then_found(cache, registry, table):
    table()
    found = weights.path(NAME)
    assert found.read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["net.bin"]
    assert weights.path(NAME) == found
    assert registry.asked == [PATH]


@pytest.mark.parametrize("variable", ["npm_config_registry", "NPM_CONFIG_REGISTRY"])
def test_npms_own_variable_says_where_to_look(monkeypatch, variable):
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    assert npm_download.registry() == "https://registry.npmjs.org/"
    for address in ("https://mirror.example/api/npm", "https://mirror.example/api/npm/"):
        monkeypatch.setenv(variable, address)
        assert npm_download.registry() == "https://mirror.example/api/npm/"
    monkeypatch.setenv(variable, "")
    assert npm_download.registry() == "https://registry.npmjs.org/"


def test_the_path_is_that_of_every_registry():
    path = "@mediapipe/pose/-/pose-0.5.1675469404.tgz"
    assert MEDIAPIPE_POSE.registry_path == path


def test_progress_is_in_bytes(cache, table):
    row, seen = table(), []

    @contextmanager
    def progress(label, total):
        seen.append((label, total))
        yield seen.append

    weights.fetch(NAME, progress)
    assert seen[0] == ("Fetching weights", row.source.size_bytes)
    assert sum(seen[1:]) == row.source.size_bytes


@pytest.mark.parametrize("which", ["tarball_sha256", "sha256"])
def test_a_wrong_digest_leaves_nothing(cache, table, which):
    table(**{which: "0" * 64})
    refused(cache, "SHA-256 differs")


def test_what_is_not_there_says_how_to_do_it_by_hand(cache, registry, table):
    row = table()
    registry.files.clear()
    text = refused(cache, "HTTP status 404")
    assert "npm:@tiny/heavy@1.0.2" in text
    assert text.endswith(f"By hand: put {row.source.file_name} into {cache} and try again")


def test_nobody_at_the_other_end(cache, table, monkeypatch):
    table()
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        monkeypatch.setenv("npm_config_registry", address)
        refused(cache, r"is there a network\?\): Connection refused")


@pytest.mark.parametrize("where", ["OPEN_WITHIN_S", "READ_WITHIN_S"])
def test_silence_is_not_waited_out(cache, table, monkeypatch, where):
    table()
    monkeypatch.setattr(npm_download, where, 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("npm_config_registry", address)
        refused(cache, "no answer within 0.1 s|no more came within 0.1 s")


def test_an_answer_that_ends_midway(cache, registry, table):
    row = table()
    registry.promised_bytes = row.source.size_bytes
    registry.files[PATH] = registry.files[PATH][:40]
    refused(cache, f"ended after 40 of {row.source.size_bytes} bytes")


def test_an_answer_that_does_not_end(cache, registry, table):
    table()
    registry.files[PATH] += bytes(npm_download.BLOCK_BYTES * 40)
    refused(cache, "longer than the file that was expected")


@pytest.mark.parametrize("address", ["file:///etc", "ftp://127.0.0.1", "registry", "http://[::"])
def test_only_addresses_of_the_web_are_asked(cache, table, monkeypatch, address):
    table()
    monkeypatch.setenv("npm_config_registry", address)
    refused(cache, "no address of the web|no usable answer")


def test_a_password_in_the_address_is_not_told(cache, table, monkeypatch):
    table()
    monkeypatch.setenv("npm_config_registry", "http://somebody:secret@127.0.0.1:1/npm")
    assert "secret" not in refused(cache, "npm registry")


@pytest.mark.parametrize(
    "members",
    [
        [tarfile.TarInfo("package/other.bin")],
        [tarfile.TarInfo(f"../{MEMBER}")],
        [tarfile.TarInfo(f"/{MEMBER}")],
        [link_to("/etc/passwd")],
        [tarfile.TarInfo("package/other.bin"), link_to("other.bin")],
        [tarfile.TarInfo("package/other.bin"), link_to("package/other.bin", tarfile.LNKTYPE)],
        [link_to("", tarfile.DIRTYPE)],
    ],
)
def test_only_a_plain_file_at_its_very_path_is_taken(cache, registry, table, members):
    registry.files[PATH] = tarball(*members)
    table()
    refused(cache, f"holds no file {MEMBER}")
    assert sorted(path.name for path in cache.parent.iterdir()) == ["cache"]


def test_a_tarball_put_there_by_hand_serves_without_the_registry(cache, registry, table):
    row = table()
    cache.mkdir()
    (cache / row.source.file_name).write_bytes(registry.files[PATH])
    assert weights.path(NAME).read_bytes() == CONTENT
    assert registry.asked == []


def test_a_broken_tarball_put_there_by_hand_is_named(cache, registry, table):
    row = table()
    cache.mkdir()
    (cache / row.source.file_name).write_bytes(registry.files[PATH][:50])
    with pytest.raises(MissingError, match=f"{row.source.file_name} is not the file"):
        weights.path(NAME)


def test_a_cache_that_cannot_be_made_is_told_before_anything_is_asked(
    tmp_path, registry, table, monkeypatch
):
    table()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match="set HUMANS4D_CACHE"):
        weights.path(NAME)
    assert registry.asked == []


def test_a_full_disk_is_told_and_leaves_nothing(cache, table, monkeypatch):
    table()
    real = Path.open

    def full(self, mode="r", *rest, **named):
        if "w" in mode:
            raise OSError(28, "No space left on device")
        return real(self, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="No space left on device"):
        weights.path(NAME)
    assert list(cache.iterdir()) == []

import errno
import os

import numpy as np
import pytest

from pipeline.errors import OutputError
from pipeline.files import Joined, write_json, write_npz, written_aside


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, {"x": np.arange(3)})
    before = path.read_bytes()
    with pytest.raises(RuntimeError), written_aside(path) as aside:
        aside.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.npz"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "no permission"),
        (errno.EIO, "cannot be written"),
    ],
)
def test_errors_of_the_system_are_said_in_words(tmp_path, monkeypatch, code, words):
    def fails(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OutputError, match=words) as caught:
        write_json(tmp_path / "run.json", {"a": 1})
    assert "run.json" in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out"):
        write_json(tmp_path / "out" / "run.json", {})


def test_nan_does_not_reach_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("compressed", [True, False])
def test_arrays_are_written_as_numpy_writes_them(tmp_path, compressed):
    whole = np.random.default_rng(0).normal(size=(1000, 33, 3)).astype(np.float32)
    some = {"0.of.none": np.zeros((0, 3)), "names": np.array(["a", "bb"]), "number": 5}
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "numpy.npz", whole=whole, **{k: np.asarray(v) for k, v in some.items()})
    joined = Joined([whole[:10], whole[10:]])
    write_npz(tmp_path / "ours.npz", {"whole": joined, **some}, compressed=compressed)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "numpy.npz").read_bytes()

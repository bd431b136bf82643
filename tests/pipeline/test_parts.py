"""Parts of an interrupted stage are read back as they were made, or made again."""

import logging

import numpy as np
import pytest

from pipeline.events import EventLog
from pipeline.npz_file import read_npz_file
from pipeline.parts import EVERY_S, VARIABLE, Parts
from pipeline.parts_file import Part, write_parts_file

NAMES = ["a", "b", "c"]


class Stage:
    """Makes a part per name; each tells of itself, and can be interrupted."""

    def __init__(self, folder, *, made_of="these things", every_s=0.0, stop_at=None):
        self.parts, self.events, self.made = Parts(every_s), EventLog(), []
        self.stop_at = stop_at
        with self.parts.kept_in(folder, made_of, self.events):
            self.arrays = [
                self.parts.get(name, lambda name=name: self.make(name)) for name in NAMES
            ]

    def make(self, name):
        if name == self.stop_at:
            raise KeyboardInterrupt
        self.made.append(name)
        self.events.record("refinement", "info", f"made {name}")
        return {"x": np.arange(4.0) + ord(name), "n": np.array(len(name))}


def interrupted(folder, stop_at="c", **how):
    with pytest.raises(KeyboardInterrupt):
        Stage(folder, stop_at=stop_at, **how)


def the_same(one, other):
    for a, b in zip(one.arrays, other.arrays, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])
            assert a[key].dtype == b[key].dtype
    assert one.events.as_dicts() == other.events.as_dicts()


@pytest.fixture
def whole(tmp_path):
    return Stage(tmp_path / "whole")


def test_what_was_made_is_read_back_and_told_again(tmp_path, whole):
    interrupted(tmp_path / "cut")
    continued = Stage(tmp_path / "cut")
    assert continued.made == ["c"]
    the_same(continued, whole)
    assert Stage(tmp_path / "cut").made == []


def test_short_work_writes_nothing(tmp_path):
    Stage(tmp_path / "cut", every_s=EVERY_S)
    assert not (tmp_path / "cut").exists()


def test_parts_are_written_together_when_enough_has_gathered(tmp_path, monkeypatch):
    now_s = iter(range(100))
    monkeypatch.setattr("pipeline.parts.time.perf_counter", lambda: next(now_s))
    Stage(tmp_path / "cut", every_s=2.0)
    assert [path.name for path in tmp_path.glob("cut/*")] == ["parts_000000.npz"]
    assert Stage(tmp_path / "cut").made == ["c"]


def test_the_environment_tells_the_seconds(monkeypatch):
    monkeypatch.setenv(VARIABLE, "0.25")
    assert Parts().every_s == 0.25
    monkeypatch.delenv(VARIABLE)
    assert Parts().every_s == EVERY_S


def test_outside_a_run_parts_are_made_and_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = Parts(0.0)
    for number in (1, 2):
        made = parts.get("a", lambda number=number: {"x": np.array(number)})
        assert made["x"] == number
    assert not list(tmp_path.iterdir())


def test_parts_made_of_something_else_are_not_used(tmp_path, whole, caplog):
    interrupted(tmp_path / "cut", made_of="other things")
    with caplog.at_level(logging.WARNING):
        again = Stage(tmp_path / "cut")
    assert again.made == NAMES
    assert "something else" in caplog.text
    the_same(again, whole)


def test_a_damaged_part_is_made_again_wherever_the_damage_is(tmp_path, whole, caplog):
    interrupted(tmp_path / "cut")
    data = (tmp_path / "cut" / "parts_000001.npz").read_bytes()
    for place in range(0, len(data), 37):
        folder = tmp_path / f"cut{place}"
        interrupted(folder)
        broken = bytearray(data)
        broken[place] ^= 0x55
        (folder / "parts_000001.npz").write_bytes(broken)
        again = Stage(folder)
        the_same(again, whole)
        assert again.made in (["b", "c"], ["c"])  # not every byte of an archive counts
    assert "made again" in caplog.text


@pytest.mark.parametrize("size", [0, 100, -30])
def test_a_part_that_was_cut_short_is_made_again(tmp_path, whole, size):
    interrupted(tmp_path / "cut")
    path = tmp_path / "cut" / "parts_000000.npz"
    path.write_bytes(path.read_bytes()[:size])
    again = Stage(tmp_path / "cut")
    assert again.made == ["a", "c"]
    the_same(again, whole)


def test_a_whole_archive_with_other_numbers_is_not_believed(tmp_path, whole):
    interrupted(tmp_path / "cut")
    path = tmp_path / "cut" / "parts_000000.npz"
    with np.load(path) as file:
        arrays = dict(file)
    arrays["0.of.x"] = arrays["0.of.x"] + 1
    np.savez(path, **arrays)
    again = Stage(tmp_path / "cut")
    assert again.made == ["a", "c"]
    the_same(again, whole)


def test_new_parts_never_take_an_old_files_name(tmp_path):
    interrupted(tmp_path / "cut")
    (tmp_path / "cut" / "parts_000000.npz").unlink()
    Stage(tmp_path / "cut")
    assert Stage(tmp_path / "cut").made == []


class Nested:
    """Two people of three windows each."""

    def __init__(self, folder, stop_after=100):
        self.parts, self.events, self.windows, self.left = Parts(0.0), EventLog(), [], stop_after
        with self.parts.kept_in(folder, "these", self.events):
            self.people = [
                self.parts.get(name, lambda name=name: self.person(name))["x"].tolist()
                for name in ("one", "two")
            ]

    def person(self, name):
        self.events.record("refinement", "info", f"{name} begins")
        parts = [self.parts.get(str(n), lambda n=n: self.window(name, n))["x"] for n in range(3)]
        self.events.record("refinement", "info", f"{name} is done")
        return {"x": np.array(parts)}

    def window(self, name, number):
        if len(self.windows) == self.left:
            raise KeyboardInterrupt
        self.windows.append((name, number))
        self.events.record("refinement", "info", f"{name} {number}")
        return {"x": np.array(number)}


@pytest.mark.parametrize("stop_after", range(6))
def test_parts_of_parts_go_on_where_they_stopped(tmp_path, stop_after):
    whole = Nested(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        Nested(tmp_path / "cut", stop_after)
    again = Nested(tmp_path / "cut")
    assert again.windows == whole.windows[stop_after:]
    assert again.people == whole.people == [[0, 1, 2]] * 2
    assert again.events.as_dicts() == whole.events.as_dicts()
    assert len(again.events.events) == 10


def test_what_a_part_was_made_of_is_let_go_when_it_is_written(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Nested(tmp_path, 4)
    assert names_in(tmp_path) == ["one", "two/0"]


def test_a_kill_while_parts_are_let_go_leaves_none_for_good(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Nested(tmp_path, 3)
    write_parts_file(tmp_path / "parts_000009.npz", "these", {"one/1": Part({}, ())})
    assert names_in(tmp_path) == ["one", "one/1"]
    with pytest.raises(KeyboardInterrupt):
        Nested(tmp_path, 0)
    assert names_in(tmp_path) == ["one"]


def names_in(folder):
    """Of all parts."""
    files = (read_npz_file(path) for path in sorted(folder.iterdir()))
    return [name for file in files for name in file["names"].tolist()]


def test_two_parts_of_one_name_are_a_mistake_of_the_backend(tmp_path):
    parts = Parts(0.0)
    with parts.kept_in(tmp_path, "these", EventLog()):
        parts.get("a", lambda: {"x": np.zeros(1)})
        with pytest.raises(AssertionError, match="two parts are called a"):
            parts.get("a", lambda: {"x": np.ones(1)})


@pytest.mark.parametrize("kept", [False, True])
def test_made_and_read_back_arrays_are_laid_out_alike(tmp_path, kept):
    parts, turned = Parts(0.0), np.arange(12.0).reshape(3, 4).T
    for _ in range(2):
        with parts.kept_in(tmp_path, "these", EventLog()):
            out = parts.get("a", lambda: {"x": turned})["x"]
    out = out if kept else parts.get("a", lambda: {"x": turned})["x"]
    np.testing.assert_array_equal(out, turned)
    assert out.flags.c_contiguous and not np.shares_memory(out, turned)

"""Claims: nothing is done twice, nothing is left lying, whatever the clocks say."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pipeline.batch.holder import host_of, is_surely_dead, this_holder
from pipeline.batch.manifest import FILE_NAME, Manifest
from pipeline.batch.messages import Failed, Progress
from pipeline.errors import OutputError
from tests.pipeline.batch.parts import SETTINGS, SetClock, a_done, a_manifest, claims

AT = Progress("Finding people", 3, 9)
DAY_S = 86400.0


def test_one_after_the_other_and_what_is_put_off_comes_later(tmp_path):
    with a_manifest(tmp_path, "b", "a", "c") as manifest:
        mine = claims(manifest)
        assert mine.next("w0", SETTINGS, {"a"}).name == "b"
        row = mine.next("w1", SETTINGS)
        assert (row.name, row.status, row.worker, row.attempts) == ("a", "running", "w1", 0)
        assert mine.next("w2", SETTINGS).name == "c"
        assert mine.next("w2", SETTINGS) is None


def test_many_at_once_get_every_video_once(tmp_path):
    names = [f"{number:03d}" for number in range(60)]
    a_manifest(tmp_path, *names).close()

    def all_of(worker):
        with Manifest(tmp_path / FILE_NAME) as manifest:
            mine, got = claims(manifest, holder=f"h|b|n|{worker}|1"), []
            while row := mine.next(str(worker), SETTINGS):
                got.append(row.name)
                assert mine.done(row.name, row.claim, a_done())
            return got

    with ThreadPoolExecutor(6) as threads:
        got = [name for part in threads.map(all_of, range(6)) for name in part]
    assert sorted(got) == names


def test_a_silent_holder_loses_its_video_after_its_lease_and_not_before(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        theirs, time = claims(manifest, "there|b|n|1|1", lease_s=60.0), SetClock()
        row = theirs.next("w0", SETTINGS)
        mine = claims(manifest, clock=time.clock(), lease_s=1.0)
        assert mine.take_over() == []
        time.steady += 59.0
        assert mine.take_over() == []
        assert theirs.renew({"a": (row.claim, AT)}) == []
        time.steady += 59.0
        assert mine.take_over() == []
        time.steady += 60.0
        assert mine.take_over() == ["a"]
        again = mine.next("w1", SETTINGS)
        assert (again.name, again.attempts) == ("a", 0)
        assert theirs.renew({"a": (row.claim, AT)}) == ["a"]
        assert not theirs.done("a", row.claim, a_done())
        assert not theirs.failed("a", row.claim, Failed("x", 1), "failed", "")
        assert not theirs.release("a", row.claim)
        assert manifest.row("a").claim == again.claim


@pytest.mark.parametrize("jump_s", [-400 * DAY_S, -3600.0, 3600.0, 400 * DAY_S])
def test_a_clock_that_is_moved_changes_nothing(tmp_path, jump_s):
    with a_manifest(tmp_path, "a") as manifest:
        their_time, my_time = SetClock(), SetClock()
        theirs = claims(manifest, "there|b|n|1|1", clock=their_time.clock())
        mine = claims(manifest, clock=my_time.clock())
        row = theirs.next("w0", SETTINGS)
        assert mine.take_over() == []
        my_time.wall += jump_s
        their_time.wall -= jump_s
        for _ in range(5):
            my_time.steady += 40.0
            assert theirs.renew({"a": (row.claim, AT)}) == []
            assert mine.take_over() == []
        my_time.steady += 60.0
        assert mine.take_over() == ["a"]


def test_a_process_of_this_machine_that_is_gone_loses_its_video_at_once(tmp_path):
    code = "from pipeline.batch.holder import this_holder; print(this_holder())"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    dead = gone.stdout.strip()
    assert is_surely_dead(dead)
    assert not is_surely_dead(this_holder())
    assert not is_surely_dead(dead.replace(dead.split("|")[0], "another"))
    number_given_again = f"{this_holder().rpartition('|')[0]}|1"
    assert is_surely_dead(number_given_again)
    assert host_of(this_holder()).endswith(f":{os.getpid()}")
    with a_manifest(tmp_path, "a") as manifest:
        claims(manifest, dead).next("w0", SETTINGS)
        assert claims(manifest).take_over() == ["a"]


def test_what_became_of_a_video_is_written_down(tmp_path):
    with a_manifest(tmp_path, "a", "b") as manifest:
        mine = claims(manifest)
        a, b = mine.next("w0", SETTINGS), mine.next("w1", SETTINGS)
        mine.renew({"a": (a.claim, AT)})
        assert manifest.row("a").frames == 3
        assert mine.done("a", a.claim, a_done(frames=7, fingerprint="key"))
        assert mine.failed("b", b.claim, Failed("broken", 3, 2.0, 5), "failed", "reading")
        a, b = manifest.row("a"), manifest.row("b")
        assert (a.status, a.frames, a.people, a.attempts, a.claim) == ("done", 7, 2, 1, "")
        assert (a.peak_memory_bytes, a.input_digest) == (10**9, "digest")
        assert (a.result_fingerprint, a.settings_fingerprint) == ("key", SETTINGS)
        assert (b.status, b.error, b.exit_code, b.stage) == ("failed", "broken", 3, "reading")
        assert (b.seconds, b.peak_memory_bytes, b.attempts, b.holder) == (2.0, 5, 1, "")
        assert {k: v[0] for k, v in manifest.counts().items()} == {"done": 1, "failed": 1}


def test_a_released_video_has_no_attempt_counted(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        mine = claims(manifest)
        row = mine.next("w0", SETTINGS)
        assert mine.release("a", row.claim)
        before = replace(manifest.row("a"), changed_utc="", lease_s=0.0, settings_fingerprint="")
        assert (before.status, before.attempts, before.claim) == ("waiting", 0, "")


def test_names_of_any_bytes_come_back_and_are_found(tmp_path):
    names = ["-rf", "two\nlines", os.fsdecode(b"\xff\xfe.mp4"), "日本.mp4"]
    with a_manifest(tmp_path, *names) as manifest:
        assert sorted(row.name for row in manifest.rows()) == sorted(names)
        mine = claims(manifest)
        for _ in names:
            row = mine.next("w0", SETTINGS)
            assert mine.done(row.name, row.claim, a_done())
        assert manifest.counts() == {"done": (4, 40)}


@pytest.mark.parametrize("content", [b"", b"no database at all" * 99, None])
def test_what_is_no_manifest_of_ours_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / FILE_NAME
    if content is None:
        with sqlite3.connect(path) as theirs:
            theirs.execute("CREATE TABLE videos (name)")
        theirs.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(OutputError, match=FILE_NAME):
        Manifest(path)
    assert path.read_bytes() == before


def test_a_manifest_of_another_version_is_refused(tmp_path):
    with a_manifest(tmp_path) as manifest:
        manifest.execute("PRAGMA user_version = 9")
    with pytest.raises(OutputError, match="version 9"):
        Manifest(tmp_path / FILE_NAME, create=True)


def test_without_a_batch_there_is_no_status(tmp_path):
    with pytest.raises(OutputError, match="humans4d batch"):
        Manifest(tmp_path / FILE_NAME)

"""Real runs, killed, starved of disk and disturbed, come to the result of an undisturbed one.

The long part is `python -m benchmarks.faults`. Sources that are edited meanwhile make it fail:
they are part of what a result is made by.
"""

import shutil

import numpy as np
import pytest

from benchmarks.faults import disks
from benchmarks.faults.kills import Chain, Kill, killed, new_parts
from benchmarks.faults.others import two_writers
from benchmarks.faults.runs import Bench, made_in
from pipeline.errors import InputError
from pipeline.fingerprint import content_digest
from pipeline.parts import VARIABLE
from pipeline.run import _check_unchanged
from pipeline.same_result import differences
from tests.pipeline.video_fixtures import make_clip


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A clip of two chunks and one segment with nobody in it, which costs little."""
    folder = tmp_path_factory.mktemp("faults")
    clip = make_clip(folder / "clip.mp4", times_s=130, size_px=(160, 120), sound="aac")
    return Bench(clip, folder)


def test_killed_runs_come_to_the_same_result(bench):
    kills = (
        Kill("a chunk is there", lambda out: any(out.glob(".unfinished/*/000000.npz"))),
        Kill("drawing", lambda out: "people" in made_in(out)),
    )
    row = killed(bench, Chain("smoke", kills))
    assert (row.ended, row.wrong) == ("killed 2 times", "")


def test_a_run_killed_inside_tracking_comes_to_the_same_result(bench):
    kills = (Kill("a block of frames is tracked", new_parts("perception", 1)),)
    row = killed(bench, Chain("inside tracking", kills, {VARIABLE: "0"}))
    assert (row.ended, row.wrong) == ("killed 1 times", "")


def test_a_second_writer_is_refused(bench):
    row = two_writers(bench)
    assert row.wrong == "" and row.ended.startswith("5: ") and "another run" in row.ended


def test_a_full_disk_says_so_and_the_next_run_is_right(bench):
    if not disks.can_mount(bench.scratch):
        pytest.skip("mounting a small disk needs root")
    row = disks.full(bench, 64 << 10)
    assert row.wrong == "" and row.ended.startswith("5: ") and "disk is full" in row.ended


def test_an_input_that_changes_is_noticed(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one")
    digest = content_digest(path)
    _check_unchanged(path, digest)
    path.write_bytes(b"other")
    with pytest.raises(InputError, match="was changed"):
        _check_unchanged(path, digest)
    path.unlink()
    with pytest.raises(InputError, match="went away"):
        _check_unchanged(path, digest)


def test_a_difference_in_any_file_is_named(bench, tmp_path):
    shutil.copytree(bench.reference, tmp_path / "other")
    assert differences(bench.reference, tmp_path / "other") == []
    np.savez(tmp_path / "other" / "tracks.npz", id=np.zeros(1))
    report = tmp_path / "other" / "run.json"
    text = report.read_text()
    report.write_text(text.replace('"created_utc": "20', '"created_utc": "19'))
    assert differences(bench.reference, tmp_path / "other") == ["tracks.npz"]
    report.write_text(text.replace('"frame_count": 130', '"frame_count": 131'))
    (tmp_path / "other" / ".overlay.mp4.1.part.mp4").touch()
    expected = [".overlay.mp4.1.part.mp4", "run.json", "tracks.npz"]
    assert differences(bench.reference, tmp_path / "other") == expected

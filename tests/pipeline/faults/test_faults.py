"""Real runs, killed, starved of disk and disturbed, come to the result of an undisturbed one.

The long part is `python -m benchmarks.faults`. Sources that are edited meanwhile make it fail:
they are part of what a result is made by.
"""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.faults import disks
from benchmarks.faults.kills import Chain, Kill, killed
from benchmarks.faults.others import two_writers
from benchmarks.faults.runs import ROOT, Bench, made_in
from pipeline.errors import InputError
from pipeline.files import content_digest
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


KILLED_AT_A_BLOCK = """
import os, signal, sys
from pipeline import parts
from pipeline.cli import main

write = parts.write_parts_file

def write_and_die(path, made_of, waiting):
    write(path, made_of, waiting)
    if any(name.startswith("frames ") for name in waiting):
        os.kill(os.getpid(), signal.SIGKILL)

parts.write_parts_file = write_and_die
sys.exit(main())
"""
"""A run that dies as soon as a block of tracked frames is written: no watcher could be so quick."""


def test_a_run_killed_inside_tracking_comes_to_the_same_result(bench):
    out = bench.scratch / "inside_tracking"
    run = [sys.executable, "-c", KILLED_AT_A_BLOCK, "run", str(bench.clip), "-q", "-o", str(out)]
    died = subprocess.run(run, cwd=ROOT, env={**os.environ, VARIABLE: "0"}, check=False)
    assert died.returncode == -signal.SIGKILL
    assert set(made_in(out)) == {"perception"}
    assert len(list(out.glob(".unfinished/*/parts_*.npz"))) == 1
    assert bench.wrong_after(out) == ""


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

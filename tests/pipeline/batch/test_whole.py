"""Batches as a user starts them: real worker processes on real clips."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.same_results import differences
from pipeline import weights
from pipeline.batch.begin import Wish, make_engine
from pipeline.batch.manifest import FILE_NAME, Manifest
from pipeline.batch.messages import Done, Failed, Progress, Task
from pipeline.batch.worker_process import Limits
from pipeline.body import load_body
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.errors import EXIT_BATCH, EXIT_INTERRUPTED, MissingError
from pipeline.result import ResultFolder
from pipeline.run import run
from pipeline.run_key import run_key
from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.film_file import CLIP_NAME, make_film
from pipeline.scenes.specs import Procedural, Role, SceneSpec
from pipeline.scenes.staging import staged
from tests.pipeline.video_fixtures import make_clip

ROOT = Path(__file__).parent.parent.parent.parent
MAN = SceneSpec(
    "man",
    "single",
    (Role(Procedural("reach"), 3),),
    0.6,
    camera=CameraPlan(distance_m=4.0),
    fps=15.0,
    width_px=320,
    height_px=240,
)
SMALL = {"size_px": (128, 96)}
PATIENCE_S = 120.0
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def man(tmp_path_factory):
    """A film of somebody."""
    try:
        weights.path("blazepose-detector")
        weights.path("blazepose-landmarks")
    except MissingError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("man")
    make_film(staged(MAN, load_body(), None), folder, Context())
    return folder / CLIP_NAME


def command(*words):
    return [sys.executable, "-m", "pipeline", "batch", *map(str, words)]


def batch(*words):
    return subprocess.run(
        command(*words), capture_output=True, text=True, check=False, env=ENVIRONMENT
    )


def rows(out):
    with Manifest(out / FILE_NAME) as manifest:
        return {row.name: row for row in manifest.rows()}


def wait_for(what):
    until_s = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until_s, "nothing came of it"
        time.sleep(0.05)


def hear_ctrl_c():
    """A shell's background jobs, tests among them, are begun deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_folder_with_good_and_bad_files_gives_what_single_runs_give(tmp_path, man):
    videos, out = tmp_path / "videos", tmp_path / "out"
    (videos / "b").mkdir(parents=True)
    (videos / "-a.mp4").write_bytes(man.read_bytes())
    (videos / "b" / "two\nlines.mp4").write_bytes(man.read_bytes())
    make_clip(videos / "b" / "noise.mp4", times_s=3, **SMALL)
    make_clip(videos / "b" / "noise.avi", times_s=3, codec="mpeg4", **SMALL)
    (videos / "empty.mp4").touch()
    (videos / "text.mkv").write_text("no video")
    done = batch(videos, "-o", out, "--workers", 2, "--json")
    assert done.returncode == EXIT_BATCH, done.stderr
    told = json.loads(done.stdout)
    assert (told["done"], told["failed"]) == (4, 2)
    assert "6 videos: 4 done, 2 failed" in done.stderr.splitlines()[-1]
    found = rows(out)
    assert {found[name].exit_code for name in ("empty.mp4", "text.mkv")} == {3}
    assert all(row.peak_memory_bytes > 10**7 for row in found.values())
    settings = load_settings()
    for name in ("-a.mp4", "b/two\nlines.mp4", "b/noise.avi"):
        video, alone = videos / name, ResultFolder(tmp_path / "alone" / name)
        key = run_key(video, settings, alone)
        run(video, alone.path, settings, Context(), fingerprint=key)
        assert differences(out / name, alone.path) == []
    page = (out / "index.html").read_text()
    assert 'href="./b/two%0Alines.mp4/report.html"' in page
    again = batch(videos, "-o", out, "--workers", 2)
    assert again.returncode == EXIT_BATCH
    assert rows(out) == found
    status = batch("status", out)
    assert status.returncode == 0
    assert "text.mkv" in status.stdout
    assert "6 videos: 4 done, 2 failed" in status.stdout


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_or_interrupted_it_goes_on_where_it_was(tmp_path, man, how):
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    for name in "abcdef":  # so many that a slow machine does not stop only once all are done
        make_clip(videos / f"{name}.mp4", times_s=40, **SMALL)
    words = (videos, "-o", out, "--workers", 1, "--set", "overlay.enabled=false")
    first = subprocess.Popen(
        command(*words),
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        preexec_fn=hear_ctrl_c,  # noqa: PLW1509 - it takes no lock
    )
    try:
        wait_for((out / "a.mp4" / "run.json").is_file)
        workers = [int(n) for n in children(first.pid)]
        assert workers
        first.send_signal(how)
        _, told = first.communicate(timeout=PATIENCE_S)
    finally:
        first.kill()
    if how == signal.SIGINT:
        assert first.returncode == EXIT_INTERRUPTED, told
        assert {row.claim for row in rows(out).values()} == {""}
    else:
        assert [row.status for row in rows(out).values()].count("running") == 1
        wait_for(lambda: not any(map(is_alive, workers)))
        done = batch(*words)
        assert done.returncode == 0, done.stderr
        assert {(row.status, row.attempts) for row in rows(out).values()} == {("done", 1)}


def children(process):
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def ended(engine, until=Done | Failed):
    """What the engine's workers say, up to the first of such messages."""
    until_s, said = time.monotonic() + PATIENCE_S, []
    while not any(isinstance(message, until) for message in said):
        assert time.monotonic() < until_s, said
        said += [message for _, message in engine.heard(1.0)]
    return said


def test_a_worker_that_dies_or_takes_too_much_fails_its_video_and_is_replaced(tmp_path, man):
    make_clip(tmp_path / "long.mp4", times_s=200, size_px=(320, 240))
    wish = Wish(tmp_path, tmp_path / "out", load_settings(), workers=1)
    task = Task("long.mp4", str(tmp_path / "long.mp4"), str(tmp_path / "out" / "long.mp4"))
    engine = make_engine(wish, 1)
    try:
        (worker,) = engine.free()
        engine.give(worker, task)
        assert engine.free() == []
        ended(engine, Progress)
        os.kill(engine.pids()[worker], signal.SIGSEGV)
        failed = ended(engine)[-1]
        assert (failed.exit_code, failed.is_workers) == (-signal.SIGSEGV, False)
        assert "SIGSEGV" in failed.error
        assert engine.free() == [worker]
        engine._limits = Limits(memory_bytes=10**8)
        engine.give(worker, task)
        assert "limit of 0.1 GB" in ended(engine)[-1].error
    finally:
        engine.close()

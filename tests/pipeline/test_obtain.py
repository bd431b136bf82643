"""Optional weights are here before a run says what made it, or an event says that they are not."""

import json
import socket

import pytest

from pipeline import backends, obtain, weights
from pipeline.batch.messages import Done, Task
from pipeline.batch.perform import Performer
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.errors import EXIT_STRICT
from pipeline.fingerprint import files_used
from pipeline.obtain import obtain_weights
from pipeline.readiness import readiness
from pipeline.result import ResultFolder
from pipeline.run import run
from pipeline.run_key import run_key
from tests.pipeline.registry import NAME, PATH, row_of, tarball
from tests.pipeline.video_fixtures import make_clip

GIVEN = ("detection.backend=given", "detection.given.landmarks=false", "camera.focal_px=300")
"""A detector that needs no weights of its own."""


@pytest.fixture(autouse=True)
def new_process(cache, monkeypatch):
    """An empty cache, and nothing tried yet."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setattr(obtain, "_failed", {})


@pytest.fixture
def row(monkeypatch):
    """One optional file for `given`, which wants it unless its boxes are made larger."""
    found = row_of(tarball(), needed_by="detection: given")
    module = backends.load("detection", "given")
    monkeypatch.setattr(weights, "TABLE", (found,))
    monkeypatch.setattr(
        module,
        "optional_weights",
        lambda config: () if config.scale > 1 else (NAME,),
        raising=False,
    )
    return found


@pytest.fixture
def offline(monkeypatch):
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        monkeypatch.setenv("npm_config_registry", address)
        yield


@pytest.fixture
def words(tmp_path):
    """Settings of a run in which nobody is found."""
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("frame,left,top,right,bottom\n999,1,2,30,60\n")
    return (*GIVEN, f"detection.given.path={boxes}")


@pytest.fixture
def settings(words):
    return load_settings(overrides=words)


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "clip.mp4", times_s=4, size_px=(128, 96))


def missing(events):
    return [event for event in events if NAME in event["message"]]


def made_afresh(report):
    return [stage for stage, made in report["made"].items() if not made["reused"]]


def test_what_comes_changes_what_a_result_is_made_of(row, registry, settings):
    before = files_used(settings.raw)
    assert weights.identity(row) == [NAME, None]
    assert obtain_weights(settings) == ()
    assert weights.is_present(row)
    assert weights.identity(row) == [NAME, row.sha256]
    assert files_used(settings.raw) != before


def test_what_is_here_is_neither_asked_for_nor_is_a_backend_imported(
    row, registry, settings, monkeypatch
):
    obtain_weights(settings)
    monkeypatch.setattr(backends, "load", lambda *names: pytest.fail("imported"))
    assert obtain_weights(settings) == ()
    assert registry.asked == [PATH]


def test_what_cannot_be_had_is_tried_once_and_told_every_time(row, registry, settings):
    registry.files.clear()
    (event,) = obtain_weights(settings)
    assert (event.stage, event.kind) == ("detection", "fallback")
    assert "HTTP status 404" in event.message
    assert event.message.endswith(
        f"Without it all is less exact; get it with: humans4d models fetch {NAME}"
    )
    assert "By hand" not in event.message
    assert obtain_weights(settings) == (event,)
    assert registry.asked == [PATH]


def test_what_comes_by_another_way_is_not_missed(row, registry, settings):
    kept = registry.files.pop(PATH)
    assert len(obtain_weights(settings)) == 1
    registry.files[PATH] = kept
    weights.fetch(NAME)
    assert obtain_weights(settings) == ()


def test_what_is_not_wanted_as_configured_is_not_asked_for(row, registry, words):
    assert obtain_weights(load_settings(overrides=[*words, "detection.given.scale=2"])) == ()
    assert obtain_weights(load_settings()) == ()  # another backend's
    assert registry.asked == []


def test_wrong_settings_are_left_to_the_run(row, registry, words):
    assert obtain_weights(load_settings(overrides=[*words, "detection.given.scale=-1"])) == ()
    assert registry.asked == []


def test_a_cache_that_cannot_be_written_is_told(row, registry, settings, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path / "file" / "cache"))
    (event,) = obtain_weights(settings)
    assert "cannot be kept" in event.message


def test_offline_a_run_goes_on_and_says_so_once(row, offline, settings, clip, tmp_path):
    for again in (False, True):
        report = run(clip, tmp_path / "out", settings, Context())
        (event,) = missing(report["events"])
        assert "Connection refused" in event["message"]
        assert bool(made_afresh(report)) != again
        used = [licence["what"] for licence in report["licences"]["used"]]
        assert f"weights {NAME}" not in used


def test_with_the_file_the_first_pass_is_made_anew(
    row, registry, settings, clip, tmp_path, monkeypatch
):
    kept = registry.files.pop(PATH)
    run(clip, tmp_path / "out", settings, Context())
    registry.files[PATH] = kept
    monkeypatch.setattr(obtain, "_failed", {})
    report = run(clip, tmp_path / "out", settings, Context())
    assert "perception" in made_afresh(report)
    assert missing(report["events"]) == []
    used = {licence["what"]: licence for licence in report["licences"]["used"]}
    assert used[f"weights {NAME}"]["commercial"]


def test_the_bill_leaves_out_what_is_here_and_not_wanted(row, registry, words, clip, tmp_path):
    weights.fetch(NAME)
    settings = load_settings(overrides=[*words, "detection.given.scale=2"])
    report = run(clip, tmp_path / "out", settings, Context())
    assert not any(NAME in licence["what"] for licence in report["licences"]["used"])


def test_a_finished_result_is_made_again_once_the_file_can_be_had(
    humans4d, row, registry, words, clip, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    kept = registry.files.pop(PATH)
    code, text = humans4d("run", clip, "-o", out, *words)
    assert code == 0 and "HTTP status 404" in text
    code, text = humans4d("run", clip, "-o", out, "--strict", *words)
    assert code == EXIT_STRICT and "nothing to do" in text
    assert registry.asked == [PATH]
    registry.files[PATH] = kept
    monkeypatch.setattr(obtain, "_failed", {})
    code, text = humans4d("run", clip, "-o", out, "--strict", *words)
    assert code == 0 and "nothing to do" not in text, text
    assert missing(json.loads((out / "run.json").read_text())["events"]) == []
    code, text = humans4d("run", clip, "-o", out, "--strict", *words)
    assert code == 0 and "nothing to do" in text, text


def test_nothing_is_fetched_for_a_video_that_is_not_there(humans4d, row, registry, words, tmp_path):
    assert humans4d("run", tmp_path / "no.mp4", "-o", tmp_path / "out", *words)[0] != 0
    assert registry.asked == []


def test_in_a_batch_every_result_says_what_single_runs_say(row, registry, settings, clip, tmp_path):
    kept = registry.files.pop(PATH)
    perform = Performer(settings, lambda progress: None)
    for name in ("a", "b"):
        folder = ResultFolder(tmp_path / name)
        done = perform(Task(name=name, video=str(clip), folder=str(folder.path)))
        assert isinstance(done, Done)
        assert len(missing(folder.read_report()["events"])) == 1
    assert registry.asked == [PATH]
    registry.files[PATH] = kept
    weights.fetch(NAME)
    done = perform(Task(name="a", video=str(clip), folder=str(tmp_path / "a")))
    assert isinstance(done, Done) and not done.reused
    folder = ResultFolder(tmp_path / "a")
    assert missing(folder.read_report()["events"]) == []
    assert folder.current_report(run_key(clip, settings, folder)) is not None


def test_the_list_tells_what_a_result_without_it_is(humans4d):
    code, text = humans4d("models", "list")
    assert code == 0
    assert "without it landmarks are less exact" in text
    assert "from npm:@mediapipe/pose@0.5.1675469404" in text


def test_the_path_is_told_once_it_is_fetched(humans4d, row, registry):
    code, text = humans4d("models", "path", NAME, "-q")
    assert code == 0 and text == str(weights.location(row)), text
    assert weights.is_present(row)


def test_doctor_tells_what_would_make_it_better(row, registry):
    found = readiness("detection", "given")
    assert found.ready
    (better,) = found.better_with
    assert better.command == f"humans4d models fetch {NAME}"
    assert "without it all is less exact" in better.what
    weights.fetch(NAME)
    assert readiness("detection", "given").better_with == ()

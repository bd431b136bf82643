"""What a user types, and what comes back: results, one-line errors and exit codes."""

import json
import os
import subprocess
import sys

import av
import numpy as np
import pytest

from pipeline import weights
from pipeline.errors import EXIT_INPUT, EXIT_INTERRUPTED, EXIT_OUTPUT, EXIT_SETTINGS, EXIT_STRICT


def write_clip(path, frames=4, size=(96, 64), rate=10):
    """Frames of coloured noise without anybody in them."""
    rng = np.random.default_rng(0)
    width, height = size
    codec = "libx264" if width > 1 else "ffv1"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p" if width > 1 else "bgr0"
        for _ in range(frames):
            picture = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def empty_scene(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "noise.mp4")


def make_directory(path):
    path.mkdir()


def make_empty(path):
    path.write_bytes(b"")


def make_text(path):
    path.write_text("this is not a video\n" * 50)


@pytest.mark.parametrize("make", [None, make_directory, make_empty, make_text])
def test_what_is_no_video_is_one_line_and_leaves_nothing(humans4d, tmp_path, make):
    path, out = tmp_path / "clip.mp4", tmp_path / "out"
    if make:
        make(path)
    code, text = humans4d("run", path, "-o", out)
    assert code == EXIT_INPUT
    assert "clip.mp4" in text
    assert not out.exists()


def test_nobody_in_the_video_is_a_valid_result(humans4d, tmp_path, empty_scene):
    out = tmp_path / "out"
    code, text = humans4d("run", empty_scene, "-o", out)
    assert code == 0, text
    assert "0 people in 4 frames" in text
    report = json.loads((out / "run.json").read_text())
    assert report["people"] == []
    assert any("No person" in event["message"] for event in report["events"])
    with av.open(str(out / "overlay.mp4")) as overlay:
        assert sum(1 for _ in overlay.decode(video=0)) == 4
    assert humans4d("validate", out)[0] == 0
    code, text = humans4d("inspect", out)
    assert code == 0
    assert "No person was found" in text
    assert "Focal length assumed" in text


def test_strict_fails_on_the_assumed_focal_length_and_keeps_the_result(
    humans4d, tmp_path, empty_scene
):
    out = tmp_path / "out"
    code, text = humans4d("run", empty_scene, "-o", out, "--strict")
    assert code == EXIT_STRICT
    assert "Focal length" in text
    assert (out / "overlay.mp4").exists()
    code, text = humans4d("run", empty_scene, "-o", out, "--strict", "camera.focal_px=100")
    assert "Focal length" not in text
    lacking = not weights.is_present(weights.row("blazepose-landmarks-heavy"))
    assert code == (EXIT_STRICT if lacking else 0), text


@pytest.mark.parametrize(("frames", "size"), [(1, (96, 64)), (2, (97, 65)), (2, (1, 1))])
def test_the_smallest_videos_pass(humans4d, tmp_path, frames, size):
    name = "tiny.mp4" if size[0] % 2 == 0 else "tiny.mkv"
    if size == (97, 65):
        pytest.importorskip("av")
        clip = write_odd(tmp_path / name, frames, size)
    else:
        clip = write_clip(tmp_path / name, frames, size)
    out = tmp_path / "out"
    code, text = humans4d("run", clip, "-o", out)
    assert code == 0, text
    with av.open(str(out / "overlay.mp4")) as overlay:
        assert sum(1 for _ in overlay.decode(video=0)) == frames


def write_odd(path, frames, size):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "bgr0"
        for level in range(frames):
            picture = np.full((size[1], size[0], 3), 60 + level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_a_truncated_video_gives_what_decodes_and_says_what_was_lost(humans4d, tmp_path):
    whole = write_clip(tmp_path / "whole.mkv", frames=40, size=(160, 120))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    code, text = humans4d("run", cut, "-o", tmp_path / "out")
    assert code == 0, text
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert any(event["kind"] == "truncation" for event in report["events"])
    assert 0 < report["video"]["frame_count"] < 40


def test_a_part_is_run_and_an_empty_part_is_refused(humans4d, tmp_path, empty_scene):
    out = tmp_path / "out"
    assert humans4d("run", empty_scene, "-o", out, "--start", 0.1, "--end", 0.3)[0] == 0
    report = json.loads((out / "run.json").read_text())
    assert (report["video"]["first_frame"], report["video"]["frame_count"]) == (1, 2)
    assert humans4d("run", empty_scene, "-o", out, "--start", 9)[0] == EXIT_INPUT


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["camera.fokal_px=3"], "focal_px"),
        (["-c", "nowhere.yaml"], "nowhere.yaml"),
        (["--nonsense"], "--nonsense"),
        (["detection.backend=yolo9"], "blazepose"),
        (["smoothing.whittaker.strength=3"], "strength"),
    ],
)
def test_wrong_settings_stop_before_anything_is_written(
    humans4d, tmp_path, empty_scene, arguments, word
):
    code, text = humans4d("run", empty_scene, "-o", tmp_path / "out", *arguments)
    assert code == EXIT_SETTINGS
    assert word in text
    assert not (tmp_path / "out").exists()


def test_a_file_where_the_folder_should_be(humans4d, tmp_path, empty_scene):
    (tmp_path / "out").write_text("mine")
    code, text = humans4d("run", empty_scene, "-o", tmp_path / "out")
    assert code == EXIT_OUTPUT
    assert "-o" in text
    assert (tmp_path / "out").read_text() == "mine"


def test_quiet_says_nothing(humans4d, tmp_path, empty_scene):
    code, text = humans4d("run", empty_scene, "-o", tmp_path / "out", "--quiet")
    assert (code, text) == (0, "")


def test_an_interrupted_run_says_how_to_go_on(humans4d, tmp_path, empty_scene, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.commands.run._run", interrupted)
    code, text = humans4d("run", empty_scene, "-o", tmp_path / "out")
    assert code == EXIT_INTERRUPTED
    assert "run the same command again" in text


def test_validate_names_a_changed_file(humans4d, tmp_path, empty_scene):
    out = tmp_path / "out"
    humans4d("run", empty_scene, "-o", out)
    (out / "overlay.mp4").write_bytes(b"")
    code, text = humans4d("validate", out)
    assert code == EXIT_OUTPUT
    assert "overlay" in text


@pytest.mark.parametrize("command", ["inspect", "validate"])
def test_commands_on_a_folder_without_a_result(humans4d, tmp_path, command):
    code, text = humans4d(command, tmp_path)
    assert code == EXIT_OUTPUT
    assert "humans4d run" in text


def test_a_second_run_does_nothing_and_imports_nothing_heavy(tmp_path, empty_scene):
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", "run", str(empty_scene)]
    command += ["-o", str(tmp_path / "out")]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "4 frames" in first.stdout
    stamp = os.stat(tmp_path / "out" / "overlay.mp4").st_mtime_ns
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "nothing to do" in second.stdout
    assert " torch\n" not in second.stderr
    assert os.stat(tmp_path / "out" / "overlay.mp4").st_mtime_ns == stamp

"""The viewer in a real browser: loads, plays, scrubs, toggles, asks nobody, and skins exactly."""

import io
import time

import av
import cv2
import numpy as np
import pytest
import torch

from benchmarks.format_readers.truth import made_up_people, write_made_up_result
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.errors import EXIT_INPUT, EXIT_OUTPUT
from pipeline.judging.result import judge_result
from pipeline.viewer import write_viewer
from pipeline.viewer.blob import Blob
from pipeline.viewer.data import quaternions, strongest_weights
from tests.pipeline.viewer.browser import Browser, find_chromium

needs_chromium = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium here: install the package 'chromium'"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_made_up_result(tmp_path_factory.mktemp("viewer") / "made_up")


@pytest.fixture(scope="module")
def page(folder):
    return write_viewer(folder, folder.path / "viewer.html", Context())


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    program = find_chromium()
    assert program
    started = Browser(program, tmp_path_factory.mktemp("profile"))
    started.open(page)
    yield started
    started.close()


def test_arrays_come_back_from_the_blob():
    blob = Blob()
    arrays = [np.arange(5, dtype=np.uint8), np.arange(3, dtype=np.float32), np.int16([-7, 9])]
    entries = [blob.add(array) for array in arrays]
    data = b"".join(blob.parts)
    kinds = {"Uint8": "u1", "Float32": "<f4", "Int16": "<i2"}
    for array, entry in zip(arrays, entries, strict=True):
        assert entry["start"] % 4 == 0
        back = np.frombuffer(data, kinds[entry["type"]], entry["length"], entry["start"])
        assert (back == array).all()


def test_what_is_rounded_stays_within_a_millimetre():
    body, person = load_body(), made_up_people()[0]
    skin = strongest_weights(body)
    assert (skin.weights.astype(int).sum(axis=1) == 65535).all()
    dense = np.zeros(tuple(body.weights.shape))
    np.put_along_axis(dense, skin.joints.astype(int), skin.weights / 65535.0, axis=1)
    assert np.abs(dense - body.weights.numpy()).max() < 1e-4
    turns = quaternions(person.pose_rotvec) / 32767.0
    angles = 2 * np.degrees(np.arccos(np.clip(np.abs(turns[..., 0]), 0, 1)))
    true = np.degrees(np.linalg.norm(person.pose_rotvec, axis=-1))
    assert np.abs(angles - np.minimum(true, 360 - true)).max() < 0.2  # arccos near 1 is steep


def test_the_page_is_one_small_file(page):
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 2_000_000
    assert "http" not in text.replace("http-equiv", "")


@needs_chromium
def test_it_loads_without_faults_and_asks_nobody(browser, page):
    assert browser.run("document.body.dataset.state") == "ready"
    assert browser.faults() == []
    assert set(browser.requested()) == {page.resolve().as_uri()}


@needs_chromium
def test_it_skins_as_the_body_model_does(browser, folder):
    person, body = made_up_people()[0], load_body()
    floor = judge_result(folder, folder.read_report(), Context()).floor
    row, chosen = 6, list(range(0, len(body.v_template_m), 97))
    found = browser.run(
        f"""(() => {{
        const one = humans4d.scene.people[0], scene = humans4d.scene, points = [];
        one.poseAt({row});
        for (const v of {chosen}) {{
          const p = [0, 0, 0];
          for (let k = 0; k < 8; k++) {{
            const w = scene.weights[8 * v + k] / 65535, b = 12 * scene.joints[8 * v + k];
            for (let r = 0; r < 3; r++) {{
              let sum = one.bones[b + 4 * r + 3];
              for (let c = 0; c < 3; c++) sum += one.bones[b + 4 * r + c] * one.vertices[3 * v + c];
              p[r] += w * sum;
            }}
          }}
          points.push(p);
        }}
        return points; }})()"""
    )
    posed = body.with_shape(torch.from_numpy(person.betas)).with_pose(
        torch.from_numpy(person.pose_rotvec[row]), torch.from_numpy(person.t_camera_m[row])
    )
    true_m = (posed.vertices().double().numpy()[chosen] - floor.point_m) @ floor.axes.T
    assert np.linalg.norm(np.array(found) - true_m, axis=1).max() < 3e-4


def seen(browser) -> np.ndarray:
    """The page as RGB."""
    data = np.frombuffer(io.BytesIO(browser.screenshot()).getvalue(), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def of_hue(picture: np.ndarray, rgb: tuple[int, int, int]) -> int:
    """Pixels of the stage that are lit in a colour."""
    stage = picture[60:540]
    lit = stage / np.maximum(stage.max(axis=2, keepdims=True), 1)
    wanted = np.array(rgb) / max(rgb)
    return int((np.abs(lit - wanted).max(axis=2) < 0.1).sum())


BLUE, ORANGE = (76, 145, 229), (240, 132, 67)


@needs_chromium
def test_people_are_seen_and_toggled(browser):
    person = made_up_people()[1]
    browser.run(f"humans4d.play(false); humans4d.seek({person.time_s[2]}); humans4d.look('side')")
    both = seen(browser)
    assert of_hue(both, BLUE) > 300
    assert of_hue(both, ORANGE) > 300
    browser.click("#person-1")
    one = seen(browser)
    assert of_hue(one, BLUE) < 20
    assert of_hue(one, ORANGE) > 300
    browser.click("#person-1")
    assert of_hue(seen(browser), BLUE) > 300


@needs_chromium
def test_it_scrubs_to_a_time_and_shows_nobody_in_gaps(browser):
    person = made_up_people()[1]
    rows = browser.run(
        "[" + ",".join(f"humans4d.scene.people[1].rowAt({t})" for t in person.time_s) + "]"
    )
    expected = [row if drawn else -1 for row, drawn in enumerate(person.drawn)]
    assert rows == expected
    browser.run(
        f"const s = document.getElementById('slider'); s.value = {person.time_s[3]};"
        "s.dispatchEvent(new Event('input'))"
    )
    assert browser.run("humans4d.time") == pytest.approx(person.time_s[3], abs=1e-3)
    told = f"{person.time_s[3]:.2f} s, frame {person.frame_index[3]}"
    assert browser.run("document.getElementById('clock').textContent") == told


@needs_chromium
@pytest.mark.parametrize("view", ["orbit", "top", "side"])
def test_every_view_holds_everybodys_whole_way(browser, view):
    """Feet and crowns of every frame, through the page's own matrix, lie in the picture."""
    browser.click(f"#{view}")
    matrix = np.array(browser.run("Array.from(humans4d.matrices()[0])")).reshape(4, 4).T
    pelvis = browser.run(
        "humans4d.scene.people.flatMap((p) => Array.from(p.time.keys())"
        ".filter((row) => p.status[row]).map((row) => p.pelvisAt(row)))"
    )
    for up_m in (-0.9, 0.0, 0.9):
        points = np.array(pelvis) + np.array([0.0, up_m, 0.0])
        clip = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
        assert (clip[:, 3] > 0).all()
        assert np.abs(clip[:, :2] / clip[:, 3:]).max() < 0.95
    assert 0.25 < np.abs(clip[:, :2] / clip[:, 3:]).max(), "and fill some of it"


@needs_chromium
def test_it_plays_to_the_end_and_stops(browser):
    browser.run("humans4d.seek(0)")
    start = browser.run("humans4d.time")
    browser.click("#play")
    assert browser.run("humans4d.playing") is True
    deadline = time.monotonic() + 20
    while browser.run("humans4d.playing") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert browser.run("humans4d.playing") is False
    assert start < browser.run("humans4d.time") == pytest.approx(made_up_people()[0].time_s[-1])


@needs_chromium
@pytest.mark.parametrize("view", ["orbit", "camera", "top", "side"])
def test_every_view_shows_somebody(browser, view):
    browser.run(f"humans4d.seek({made_up_people()[0].time_s[5]})")
    browser.click(f"#{view}")
    assert of_hue(seen(browser), BLUE) > 60


@needs_chromium
@pytest.mark.parametrize("width", [360, 1200])
def test_all_controls_are_on_the_screen(page, tmp_path, width):
    browser = Browser(find_chromium() or "", tmp_path / "profile", (1200, 750))
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": width < 600}
    try:
        browser.send("Emulation.setDeviceMetricsOverride", **size)
        browser.open(page)
        boxes = browser.run(
            "[...document.querySelectorAll('button,select,#slider,#strip,#clock,.note')]"
            ".map((e) => e.getBoundingClientRect()).map((b) => [b.left, b.right, b.top, b.bottom])"
        )
        left, right, top, bottom = np.array(boxes).T
        assert left.min() >= 0 and right.max() <= width
        assert top.min() >= 0 and bottom.max() <= 740
        assert browser.run("document.getElementById('slider').clientWidth") > 0.6 * width
        assert browser.run("document.getElementById('stage').clientHeight") > 300
    finally:
        browser.close()


@needs_chromium
def test_the_film_is_in_the_frustum(tmp_path, tmp_path_factory):
    """A film of one colour: its colour is seen in the page."""
    film = tmp_path / "green.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(60):
            green = np.full((180, 320, 3), (20, 230, 20), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(green, format="rgb24")))
        container.mux(stream.encode())
    folder = write_made_up_result(tmp_path / "made_up")
    page = write_viewer(folder, tmp_path / "film.html", Context(), video=film)
    browser = Browser(find_chromium() or "", tmp_path_factory.mktemp("profile"))
    try:
        browser.open(page)
        deadline = time.monotonic() + 20
        while browser.run("humans4d.video.readyState") < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        browser.run("humans4d.look('orbit')")
        assert of_hue(seen(browser), (20, 230, 20)) > 100
        browser.run("humans4d.look('camera')")
        picture = seen(browser)
        assert of_hue(picture, (20, 230, 20)) > 0.3 * picture.shape[0] * picture.shape[1]
        assert of_hue(picture, BLUE) > 60, "in front of the film"
    finally:
        browser.close()


def test_the_command_writes_where_it_is_told_and_says_what_is_missing(humans4d, folder, tmp_path):
    out = tmp_path / "there" / "viewer.html"
    code, text = humans4d("view", folder.path, "--export", out)
    assert code == 0, text
    assert out.exists()
    assert "fallback: the source video made_up.mp4 is not there" in text


def test_bad_input_is_one_line(humans4d, folder, tmp_path):
    assert humans4d("view", tmp_path)[0] == EXIT_OUTPUT
    code, text = humans4d("view", folder.path, "--video", "nowhere.mp4")
    assert (code, "no such file" in text) == (EXIT_INPUT, True)
    nobody = write_made_up_result(tmp_path / "nobody", people=())
    assert humans4d("view", nobody.path, "--export", tmp_path / "x.html")[0] == EXIT_INPUT

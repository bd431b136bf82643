"""The GLB in a public viewer library, in a real browser: it moves the bodies as we say."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.format_readers.truth import (
    first_frame_of,
    in_axes,
    made_up_video,
    truths,
    write_made_up_result,
)
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.exporting import Part, read_take
from stages.export import glb
from tests.pipeline.viewer.browser import Browser, find_chromium
from tests.pipeline.viewer.three_js import NotToBeHad, three_folder

EVERY_VERTEX = 53
WITHIN_MM = 0.1
STRONGEST = 4
"""three.js reads glTF's first set of weights only, the strongest four; the body has up to 7."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium here: install the package 'chromium'")
    try:
        library = three_folder()
    except NotToBeHad as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("three")
    result = write_made_up_result(folder / "result")
    take = read_take(result, Part(), Context())
    (written,) = glb.Backend(glb.Config(), Context())(take, folder)
    shutil.copy(written, folder / "take.glb")
    shutil.copytree(library, folder / "three")
    shutil.copy(Path(__file__).with_name("three_page.html"), folder / "page.html")
    serve = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    started = Browser(program, tmp_path_factory.mktemp("profile"))
    try:
        started.open(f"http://127.0.0.1:{server.server_port}/page.html")
        yield started
    finally:
        started.close()
        server.shutdown()
        server.server_close()


def test_it_loads_two_bodies_and_one_animation(browser):
    assert browser.run("document.body.dataset.state") == "ready", browser.faults()
    assert browser.faults() == []
    assert browser.run("three.bodies") == 2
    ((_, duration_s),) = browser.run("three.clips")
    time_s = made_up_video().time_s
    assert duration_s == pytest.approx(time_s[-1] - time_s[0], abs=1e-6)


def skinned_m(truth, row) -> np.ndarray:
    """The body's vertices by the strongest weights alone, in the camera."""
    body = load_body()
    shaped = body.with_shape(torch.from_numpy(truth.person.betas))
    rest_m = shaped.vertices_rest_m.double().numpy()[::EVERY_VERTEX]
    weights = body.weights.double().numpy()[::EVERY_VERTEX]
    kept = weights >= np.sort(weights, axis=1)[:, -STRONGEST, None]
    weights = np.where(kept, weights, 0.0) / np.where(kept, weights, 0.0).sum(axis=1, keepdims=True)
    arms_m = rest_m[:, None] - shaped.joints_rest_m.double().numpy()
    turned_m = np.einsum("jab,vjb->vja", truth.rotmat[row], arms_m) + truth.joints_m[row]
    return np.einsum("vj,vja->va", weights, turned_m)


@pytest.mark.parametrize("frame", [4, 11])
def test_its_skeleton_and_skin_are_where_ours_are(browser, frame):
    video = made_up_video()
    found = browser.run(f"three.at({video.time_s[frame] - video.time_s[0]}, {EVERY_VERTEX})")
    for body, (person_id, truth) in zip(found, truths().items(), strict=True):
        row = frame - (first_frame_of(person_id) - video.first_frame)
        joints, skin = np.array(body["joints"])[:24], np.array(body["vertices"])
        joints_mm = 1000 * _apart(joints, in_axes(truth.joints_m[row], "y"))
        skin_mm = 1000 * _apart(skin, in_axes(skinned_m(truth, row), "y"))
        whole_mm = 1000 * _apart(skin, in_axes(truth.vertices_m[row][::EVERY_VERTEX], "y"))
        print(
            f"frame {frame}, person {person_id}: joints {joints_mm.max():.4f} mm, skin "
            f"{skin_mm.max():.4f} mm by the weights it reads, {whole_mm.max():.1f} mm by all, "
            f"{whole_mm.mean():.2f} in the mean"
        )
        assert max(joints_mm.max(), skin_mm.max()) < WITHIN_MM


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=1)


def test_it_shows_both_people_in_their_colours(browser):
    video = made_up_video()
    browser.run(f"three.at({video.time_s[4] - video.time_s[0]}, 9999)")
    picture = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    red, blue = picture[..., 2].astype(int), picture[..., 0].astype(int)
    assert ((blue - red) > 60).sum() > 3000  # person 1
    assert ((red - blue) > 60).sum() > 3000  # person 2

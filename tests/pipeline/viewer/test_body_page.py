"""The page of one body in a real browser: shaped, posed and picked, and skinned as ours is."""

import json
import sys

import cv2
import numpy as np
import pytest
import torch

from pipeline import cli
from pipeline.body_file import EMBEDDED_PATH
from pipeline.context import Context
from pipeline.viewer import write_body_page
from pipeline.views.body_input import read_one_body
from pipeline.views.one_body import OneBody
from tests.pipeline.viewer.browser import Browser, find_chromium

BETAS = np.array([1.5, -2.0, 0.7, 0, 3.1, 0, -1.2, 0, 0.4, 2.2], np.float32)
WITHIN_MM = 0.1
AS_THE_CARD_SKINS = """(() => {
  const app = humans4d, gl = app.painter.gl, body = app.body, program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, BODY_VERTEX], [gl.FRAGMENT_SHADER, BODY_COLOUR]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text); gl.compileShader(shader); gl.attachShader(program, shader);
  }
  ["rest", "normal", "joint", "weight", "joint2", "weight2"].forEach((name) =>
    gl.bindAttribLocation(program, gl.getAttribLocation(app.painter.body, name), name));
  gl.transformFeedbackVaryings(program, ["p"], gl.SEPARATE_ATTRIBS);
  gl.linkProgram(program);
  const out = gl.createBuffer(), count = body.vertices.length / 3;
  gl.bindBuffer(gl.TRANSFORM_FEEDBACK_BUFFER, out);
  gl.bufferData(gl.TRANSFORM_FEEDBACK_BUFFER, 12 * count, gl.STREAM_READ);
  gl.useProgram(program);
  body.posed();
  gl.uniform4fv(gl.getUniformLocation(program, "bones"), body.bones);
  gl.bindVertexArray(body.vao);
  gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, out);
  gl.enable(gl.RASTERIZER_DISCARD); gl.beginTransformFeedback(gl.POINTS);
  gl.drawArrays(gl.POINTS, 0, count);
  gl.endTransformFeedback(); gl.disable(gl.RASTERIZER_DISCARD);
  const points = new Float32Array(3 * count);
  gl.getBufferSubData(gl.TRANSFORM_FEEDBACK_BUFFER, 0, points);
  gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, null);
  return [...points];
})()"""
"""Every vertex as the page's own shader places it on the graphics card."""


def pose(seed: int) -> np.ndarray:
    turns = np.random.default_rng(seed).normal(0, 0.4, (24, 3)).astype(np.float32)
    turns[18] = (0.0, 2.9, 0.0)  # nearly half a turn
    return turns


@pytest.fixture(scope="module")
def smpl_file(tmp_path_factory):
    """The embedded body with made-up pose correctives, as a SMPL file of the user's."""
    with np.load(EMBEDDED_PATH) as file:
        arrays = {key: file[key] for key in file.files}
    shape = (len(arrays["v_template"]), 3, 207)
    arrays["posedirs"] = np.random.default_rng(3).normal(0, 0.004, shape).astype(np.float32)
    path = tmp_path_factory.mktemp("smpl") / "bending.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module", params=["embedded", "bending"])
def opened(request, smpl_file, tmp_path_factory):
    """The page of one body, and the model."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium here: install the package 'chromium'")
    source = "embedded" if request.param == "embedded" else str(smpl_file)
    context = Context(body_model=source)
    folder = tmp_path_factory.mktemp("body")
    one = OneBody(np.zeros(10, np.float32), pose(1), in_camera=False)
    page = write_body_page(one, "one body", folder / "body.html", context)
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    browser.open(page)
    yield browser, context.body, page
    browser.close()


def worst_mm(browser, body, betas, pose_rotvec) -> float:
    found = np.array(browser.run(AS_THE_CARD_SKINS)).reshape(-1, 3)
    posed = body.with_shape(torch.from_numpy(betas)).with_pose(torch.from_numpy(pose_rotvec))
    true_m = posed.vertices().double().numpy() - [0, browser.run("humans4d.body.floor"), 0]
    return float(1000 * np.linalg.norm(found - true_m, axis=1).max())


def test_it_opens_without_faults_and_asks_nobody(opened):
    browser, _, page = opened
    assert browser.run("document.body.dataset.state") == "ready"
    assert browser.faults() == []
    assert set(browser.requested()) == {page.resolve().as_uri()}
    assert page.stat().st_size < (3e6 if "embedded" in browser.run("humans4d.body.name") else 20e6)


def test_the_graphics_card_skins_as_the_body_model_does(opened):
    browser, body, _ = opened
    first = worst_mm(browser, body, np.zeros(10, np.float32), pose(1))
    browser.run(
        f"humans4d.body.betas = {BETAS.tolist()}; humans4d.body.pose = {pose(2).tolist()};"
        "humans4d.changed()"
    )
    second = worst_mm(browser, body, BETAS, pose(2))
    print(f"{body.name}: {first:.4f} and {second:.4f} mm off at most")
    assert max(first, second) < WITHIN_MM


def test_sliders_shape_and_turn(opened):
    browser, body, _ = opened
    browser.run(
        "document.querySelector('#no-pose').click(); document.querySelector('#no-shape').click()"
    )
    browser.run(
        "const s = document.getElementById('beta-1'); s.value = 2.5;"
        "s.dispatchEvent(new Event('input'));"
        "const j = document.getElementById('joint'); j.value = 16;"
        "j.dispatchEvent(new Event('change'));"
        "const t = document.getElementById('turn-z'); t.value = -60;"
        "t.dispatchEvent(new Event('input'))"
    )
    betas, turned = np.zeros(10, np.float32), pose(1)
    betas[1], turned[16, 2] = 2.5, np.radians(-60)
    assert worst_mm(browser, body, betas, turned) < WITHIN_MM


def test_a_joint_is_picked_and_dragged_about_the_onlookers_axes(opened):
    browser, _, _ = opened
    browser.run("document.querySelector('#no-pose').click()")
    x, y = browser.run("humans4d.pixels[16]")
    before = np.array(browser.run("humans4d.body.posed().joints"))
    for kind, right, buttons in (
        ("mousePressed", 0, 1),
        ("mouseMoved", 60, 1),
        ("mouseReleased", 60, 0),
    ):
        where = {"x": x + right, "y": y, "button": "left", "buttons": buttons, "clickCount": 1}
        browser.send("Input.dispatchMouseEvent", type=kind, **where)
    assert browser.run("humans4d.picked") == 16
    after = np.array(browser.run("humans4d.body.posed().joints"))
    arm = [18, 20, 22]
    still = [j for j in range(24) if j not in arm]
    assert np.abs(after - before)[still].max() < 1e-6
    assert np.linalg.norm(after - before, axis=1)[arm].min() > 0.03
    # About the picture's upright axis: along it nothing moves.
    up = np.array(browser.run("[humans4d.view[1], humans4d.view[5], humans4d.view[9]]"))
    assert np.abs((after - before)[arm] @ (up / np.linalg.norm(up))).max() < 1e-3


def test_what_it_saves_is_read_again(opened, tmp_path):
    browser, _, _ = opened
    browser.run(f"humans4d.body.betas = {BETAS.tolist()}; humans4d.body.pose = {pose(4).tolist()};")
    path = tmp_path / "body.json"
    path.write_text(browser.run("humans4d.asText()"), encoding="utf-8")
    assert json.loads(path.read_text())["axes"] == "y up"
    one = read_one_body(path, 0)
    assert np.allclose(one.betas, BETAS) and np.allclose(one.pose_rotvec, pose(4), atol=1e-6)


def test_body_and_joints_are_seen(opened):
    browser, _, _ = opened
    browser.run("document.querySelector('#no-pose').click(); humans4d.lookAtBody()")
    picture = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    blue, red = picture[..., 0].astype(int), picture[..., 2].astype(int)
    assert ((blue - red) > 50).sum() > 5000
    dots = (picture[:, :900] == 255).all(axis=2).sum()
    browser.run("document.querySelector('#show-joints').click()")
    bare = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert dots > (bare[:, :900] == 255).all(axis=2).sum() + 500
    browser.run("document.querySelector('#show-joints').click()")


def test_the_command_writes_the_page(tmp_path, monkeypatch, capsys):
    out = tmp_path / "mine.html"
    call = ["humans4d", "body", "show", "--betas", "1,-1", "--export", str(out)]
    monkeypatch.setattr(sys, "argv", call)
    assert cli._exit_code() == 0
    assert str(out) in capsys.readouterr().out.replace("\n", "")
    assert '"betas": [1.0, -1.0,' in out.read_text(encoding="utf-8")
    assert not (tmp_path / "body.png").exists()

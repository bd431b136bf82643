"""The OpenGL backend, and the rasteriser against it."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.body import load_body
from pipeline.context import Context
from pipeline.errors import MissingError
from pipeline.types import PosedMesh
from stages.rendering.raster import Backend, Config
from tests.stages.rendering.shapes import whole

WIDTH_PX, HEIGHT_PX = 960, 720
K_PX = np.array([[840.0, 0.0, 486.0], [0.0, 850.0, 352.0], [0.0, 0.0, 1.0]])
COLOURS_APART = 0.5
"""Of 255, in the mean; measured: 0.1."""


@pytest.fixture(scope="module")
def opengl():
    """A function that draws through pyrender; skips where there is no OpenGL."""
    module = pytest.importorskip("stages.rendering.pyrender", exc_type=ImportError)
    backend = module.Backend(module.Config(alpha=1.0), Context())
    try:
        backend([mesh_at((0.0, 0.0, 2.0))], load_body().faces, K_PX, WIDTH_PX, HEIGHT_PX)
    except MissingError as error:
        pytest.skip(f"EGL is absent: {error}")
    return backend


def mesh_at(t_m, turn_rad=0.0, **more) -> PosedMesh:
    """The body at rest, upright in the camera, turned about its own axis."""
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    upright = np.diag([1.0, -1.0, -1.0]) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    vertices = load_body().v_template_m.numpy() @ upright.T + np.array(t_m)
    return PosedMesh(1, vertices.astype(np.float32), np.array([90, 150, 220], np.uint8), **more)


@pytest.mark.parametrize(
    "people",
    [
        [((0.0, -0.3, 2.2), 0.4)],
        [((0.6, 0.2, 1.1), 1.2)],  # partly outside
        [((-0.3, -0.3, 3.0), 0.0), ((0.2, -0.2, 2.6), 0.8)],
        [((0.25, 0.1, 0.35), 1.5)],  # an arm behind the camera
    ],
)
def test_silhouettes_agree(opengl, people):
    faces = load_body().faces
    meshes = [mesh_at(t_m, turn) for t_m, turn in people]
    raster = Backend(Config(alpha=1.0), Context())
    own, other = (
        whole(render(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX), WIDTH_PX, HEIGHT_PX)[..., 3]
        for render in (raster, opengl)
    )
    assert own.sum() / other.sum() == pytest.approx(1.0, abs=0.003)
    own, other = own >= 127, other >= 127  # OpenGL's two of four samples
    assert (own | other).sum() > 20000
    assert (own & other).sum() / (own | other).sum() >= 0.99


def test_opengl_keeps_the_opacity_of_each_person(opengl):
    meshes = [mesh_at((-0.5, -0.3, 3.0), alpha=0.4), mesh_at((0.5, -0.3, 3.0), 0.0)]
    layer = opengl(meshes, load_body().faces, K_PX, WIDTH_PX, HEIGHT_PX)
    picture = whole(layer, WIDTH_PX, HEIGHT_PX)
    chests = [picture[352 - 80, 486 + side * 140, 3] for side in (-1, 1)]
    assert chests == [102, 255]
    assert layer.x_px % 2 == 0 and layer.y_px % 2 == 0


def test_opengl_gives_an_empty_layer_for_nobody(opengl):
    faces = load_body().faces
    for meshes in ([], [mesh_at((0.0, 0.0, -3.0))], [mesh_at((9.0, 0.0, 2.0))]):
        assert opengl(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX).rgba.size == 0


def test_bodies_updated_in_place_are_drawn_as_if_they_were_new(opengl):
    """Two, one, two others elsewhere in other colours, none: each as a fresh scene draws it."""
    faces, red = load_body().faces, np.array([220, 60, 50], np.uint8)
    first, second = mesh_at((-0.6, -0.3, 3.2), 0.4), mesh_at((0.5, -0.3, 3.6), 2.0)
    third = replace(mesh_at((0.1, -0.2, 2.8), -1.0), rgb=red, alpha=0.5)
    steps = ([first, second], [third], [second, third], [], [first, second, third])
    again = [opengl(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX) for meshes in steps]
    for meshes, kept in zip(steps, again, strict=True):
        opengl._scene = None
        new = opengl(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX)
        assert (kept.x_px, kept.y_px, kept.rgba.shape) == (new.x_px, new.y_px, new.rgba.shape)
        assert not meshes or kept.rgba[..., 3].max() > 100
        assert np.abs(kept.rgba.astype(int) - new.rgba).max(initial=0) <= 1


def test_frames_in_flight_come_back_as_they_were_begun(opengl):
    """Three begun, of other sizes and opacities, before the first is asked for."""
    faces = load_body().faces
    steps = (
        [mesh_at((-0.6, -0.3, 3.2), 0.4), mesh_at((0.5, -0.3, 3.6), 2.0, alpha=0.5)],
        [],
        [mesh_at((0.1, -0.2, 2.8), -1.0)],
        [mesh_at((0.4, -0.2, 6.0), 1.0)],
    )
    alone = [opengl(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX) for meshes in steps]
    begun = [opengl.begin(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX) for meshes in steps]
    for one, finish in zip(alone, begun, strict=True):
        layer = finish()
        assert (layer.x_px, layer.y_px) == (one.x_px, one.y_px)
        assert np.array_equal(layer.rgba, one.rgba)


def test_the_colours_are_those_of_the_rasteriser(opengl):
    """Inside the outline, where little depends on how edges are softened."""
    meshes, faces = [mesh_at((0.0, -0.3, 2.4), 0.4)], load_body().faces
    own, other = (
        whole(render(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX), WIDTH_PX, HEIGHT_PX).astype(float)
        for render in (Backend(Config(alpha=1.0), Context()), opengl)
    )
    both = (own[..., 3] == 255) & (other[..., 3] == 255)
    difference = np.abs(own - other)[both][:, :3]
    print(f"difference of colours: {difference.mean():.2f} of 255 in the mean")
    assert both.sum() > 20000 and difference.mean() < COLOURS_APART
    # The rest are soft edges of one limb over another.
    assert np.percentile(difference, 99) <= 2


def test_pixels_are_straightened():
    from stages.rendering._straight import straight_layer

    drawn = np.zeros((2, 2, 4), np.uint8)
    drawn[0, 0] = (60, 30, 0, 64)  # a quarter covered, the lowest row first
    drawn[1, 1] = (200, 100, 50, 255)
    layer = straight_layer(drawn, np.array([[128, 0], [0, 255]], np.uint8))
    assert layer[1, 0].tolist() == [239, 119, 0, 32]
    assert layer[0, 1].tolist() == [200, 100, 50, 255]
    assert layer[0, 0].tolist() == layer[1, 1].tolist() == [0, 0, 0, 0]
    assert straight_layer(drawn, 51)[0, 1, 3] == 51

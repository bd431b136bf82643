"""Geometry of the rasteriser: areas, order, edges, the near plane, the layer's rectangle."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from pipeline.camera import project
from pipeline.context import Context
from stages.rendering.raster import Backend, Config
from stages.rendering.raster.clipping import Surface, clip_near
from stages.rendering.raster.kernels import draw
from stages.rendering.raster.topology import face_neighbours
from tests.stages.rendering.shapes import (
    HEIGHT_PX,
    K_PX,
    QUAD_FACES,
    WIDTH_PX,
    area_of,
    at_pixels,
    clipped,
    mesh_of,
    pixel_areas,
    rectangle,
    sphere,
    whole,
)

TRIANGLE = np.array([[0, 1, 2]], dtype=np.int32)


@pytest.fixture(scope="module")
def raster() -> Backend:
    return Backend(Config(alpha=1.0), Context())


def drawn(raster, meshes, faces, width_px=WIDTH_PX, height_px=HEIGHT_PX):
    return whole(raster(meshes, faces, K_PX, width_px, height_px), width_px, height_px)


def test_coverage_of_triangles_is_exact(raster):
    rng = np.random.default_rng(5)
    for _ in range(6):
        corners = rng.uniform([-30, -30], [WIDTH_PX + 30, HEIGHT_PX + 30], (3, 2))
        (ax, ay), (bx, by), (cx, cy) = corners
        if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0:
            corners = corners[::-1]
        picture = drawn(raster, [mesh_of(at_pixels(corners, [2.0, 3.0, 4.0]))], TRIANGLE)
        np.testing.assert_allclose(picture[..., 3], 255 * pixel_areas(corners), atol=0.6)


def test_faces_that_look_away_are_not_drawn(raster):
    corners = [(20.0, 20.0), (100.0, 20.0), (60.0, 90.0)]
    layer = raster([mesh_of(at_pixels(corners, 2.0))], TRIANGLE, K_PX, WIDTH_PX, HEIGHT_PX)
    assert not layer.rgba[..., 3].any()


@pytest.mark.parametrize("radius_m", [0.25, 0.02, 0.004])
def test_coverage_of_a_ball_sums_to_its_outline_area(raster, radius_m):
    """Also where the ball is two pixels wide and most triangles lie between pixel centres."""
    vertices, faces = sphere([0.05, -0.03, 2.0], radius_m)
    picture = drawn(raster, [mesh_of(vertices)], faces)
    outline = ConvexHull(project(vertices, K_PX)).volume
    assert picture[..., 3].sum() / 255 == pytest.approx(outline, rel=0.01)


def test_every_covered_pixel_has_a_colour(raster):
    vertices, faces = sphere([0.05, -0.03, 2.0], 0.3)
    picture = drawn(raster, [mesh_of(vertices, rgb=(200, 200, 200))], faces)
    covered = picture[..., 3] > 0
    assert picture[covered][:, :3].min() > 20


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_person_hides_the_other(raster, order):
    near = mesh_of(rectangle(20, 20, 80, 80, 2.0), rgb=(255, 0, 0))
    far = mesh_of(rectangle(50, 50, 120, 100, 3.0), rgb=(0, 255, 0), person_id=2)
    picture = drawn(raster, [(near, far)[i] for i in order], QUAD_FACES)
    red, green = picture[60, 60, 0], picture[60, 60, 1]
    assert red > 90 and green < 40, "the overlap belongs to the nearer one"
    assert picture[90, 100, 1] > 90 and picture[90, 100, 0] < 40
    assert (picture[51:79, 51:79, 3] == 255).all()


def test_people_that_cross_hide_each_other_by_depth(raster):
    """Two slanted boards, each nearer on one side: the border lies where the depths are equal."""
    left = mesh_of(
        at_pixels([(20, 20), (20, 100), (140, 100), (140, 20)], [1, 1, 4, 4]), (255, 0, 0)
    )
    right = mesh_of(
        at_pixels([(20, 20), (20, 100), (140, 100), (140, 20)], [4, 4, 1, 1]), (0, 255, 0)
    )
    picture = drawn(raster, [left, right], QUAD_FACES)
    # 1/z is linear on the picture, so depths are equal half way, at x = 80.
    assert (picture[30:90, 30:78, 0] > picture[30:90, 30:78, 1]).all()
    assert (picture[30:90, 82:130, 1] > picture[30:90, 82:130, 0]).all()


def test_near_parts_of_one_body_hide_far_parts(raster):
    vertices = np.concatenate([rectangle(50, 50, 120, 100, 3.0), rectangle(20, 20, 80, 80, 2.0)])
    faces = np.concatenate([QUAD_FACES, QUAD_FACES + 4]).astype(np.int32)
    colours = np.repeat([[0, 255, 0], [255, 0, 0]], 4, axis=0)
    for rows in (faces, faces[::-1].copy()):
        picture = drawn(raster, [mesh_of(vertices, rgb=colours)], rows)
        assert picture[60, 60, 0] > 90 and picture[60, 60, 1] < 40


def test_interpolation_is_perspective_correct():
    """A board from 1 to 9 m: colours equal those at the meeting point of ray and plane."""
    corners_px = np.array([(10.0, 15.0), (10.0, 105.0), (150.0, 80.0), (150.0, 40.0)])
    vertices = at_pixels(corners_px, [1.0, 1.0, 9.0, 9.0])
    values = np.array([[0.0], [0.0], [240.0], [240.0]])
    colours = np.concatenate([values, values, values, np.ones((4, 1))], axis=1).astype(np.float32)
    points = np.concatenate([project(vertices, K_PX), 1.0 / vertices[:, 2:]], axis=1)
    rgba = np.zeros((HEIGHT_PX, WIDTH_PX, 4), np.uint8)
    depth, area = (
        np.zeros(rgba.shape[:2], np.float32),
        np.zeros((HEIGHT_PX, WIDTH_PX + 2), np.float32),
    )
    owner = np.zeros(rgba.shape[:2], np.int32)
    draw(QUAD_FACES, face_neighbours(QUAD_FACES), points, colours, 0.02, depth, owner, area, rgba)
    normal = np.cross(vertices[1] - vertices[0], vertices[2] - vertices[0])
    y, x = np.nonzero(rgba[..., 3] == 255)
    rays = np.stack([x + 0.5, y + 0.5, np.ones_like(x)], axis=1) @ np.linalg.inv(K_PX).T
    z_m = (normal @ vertices[0]) / (rays @ normal)
    # Along the board colour is linear in z, as both are linear from the near to the far rim.
    expected = 240.0 * (z_m - 1.0) / 8.0
    assert len(x) > 5000
    np.testing.assert_allclose(rgba[y, x, 0], expected, atol=0.51)
    assert not depth.any() and not area.any(), "scratch is handed back as zeros"


def test_a_point_lands_where_the_camera_projects_it(raster):
    """The centre of mass of a small board, in pixels whose centres are at +0.5."""
    rng = np.random.default_rng(2)
    for _ in range(10):
        centre_m = rng.uniform([-0.4, -0.3, 2.0], [0.4, 0.3, 3.0])
        corners = np.array([(-1, -1, 0), (-1, 1, 0), (1, 1, 0), (1, -1, 0)]) * 0.03 + centre_m
        alpha = drawn(raster, [mesh_of(corners)], QUAD_FACES)[..., 3].astype(float)
        y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX] + 0.5
        place = np.array([(alpha * x).sum(), (alpha * y).sum()]) / alpha.sum()
        np.testing.assert_allclose(place, project(centre_m, K_PX), atol=0.02)


def test_edges_inside_the_picture_are_soft(raster):
    """A slanted edge of the near person over the far one mixes both by covered area."""
    corners = np.array([(30.0, 15.0), (60.0, 105.0), (120.0, 100.0), (110.0, 20.0)])
    near = mesh_of(at_pixels(corners, 2.0), rgb=(250, 0, 0))
    far = mesh_of(rectangle(5, 5, 155, 115, 3.0), rgb=(0, 0, 250))
    only_near, only_far = (drawn(raster, [m], QUAD_FACES).astype(float) for m in (near, far))
    picture = drawn(raster, [near, far], QUAD_FACES).astype(float)
    share = pixel_areas(corners)[..., None]
    expected = share * only_near[..., :3] + (1 - share) * only_far[..., :3]
    error = np.abs(picture - np.concatenate([expected, picture[..., 3:]], axis=2))[25:95, 10:100]
    rim = ((share > 0.02) & (share < 0.98))[25:95, 10:100, 0]
    hard = np.abs(
        expected[25:95, 10:100]
        - np.where(
            share[25:95, 10:100] > 0.5, only_near[25:95, 10:100, :3], only_far[25:95, 10:100, :3]
        )
    )
    assert error[~rim].max() <= 2
    assert error[rim].mean() < 0.35 * hard[rim].mean(), "far smoother than pixels of one person"


def test_a_board_through_the_camera_is_cut_at_the_near_plane(raster):
    """A floor from 3 m behind to 6 m before the camera, against the exactly clipped polygon."""
    floor = np.array([(-1.0, 0.5, 6.0), (-1.0, 0.5, -3.0), (1.0, 0.5, -3.0), (1.0, 0.5, 6.0)])
    visible = project(clipped(floor, 2, 0.1, 1.0), K_PX)
    expected = 255 * pixel_areas(visible)
    picture = drawn(raster, [mesh_of(floor)], QUAD_FACES)
    assert expected.sum() > 255 * 3000
    np.testing.assert_allclose(picture[..., 3], expected, atol=1.0)


def test_a_ball_partly_behind_the_camera_stays_closed_where_seen(raster):
    vertices, faces = sphere([0.3, 0.0, 0.25], 0.4, steps=40)
    surface = clip_near(
        Surface(
            vertices.astype(np.float32),
            np.zeros((len(vertices), 4), np.float32),
            faces,
            face_neighbours(faces),
        ),
        0.1,
    )
    used = surface.vertices_camera_m[surface.faces]
    assert used[..., 2].min() >= 0.1 - 1e-6
    # Areas of the kept part: every face clipped by hand.
    exact = [clipped(vertices[face].astype(float), 2, 0.1, 1.0) for face in faces]
    total = sum(_area_3d(polygon) for polygon in exact if len(polygon) >= 3)
    kept = np.linalg.norm(np.cross(used[:, 1] - used[:, 0], used[:, 2] - used[:, 0]), axis=1) / 2
    assert kept.sum() == pytest.approx(total, rel=1e-5)
    linked = surface.neighbours >= 0
    assert (np.sort(surface.neighbours[linked]) == np.sort(np.nonzero(linked)[0])).all()
    assert not raster([mesh_of(vertices)], faces, K_PX, WIDTH_PX, HEIGHT_PX).rgba[..., 3].all()


def _area_3d(polygon) -> float:
    fan = np.cross(polygon[1:-1] - polygon[0], polygon[2:] - polygon[0])
    return float(np.linalg.norm(fan.sum(axis=0)) / 2)


@pytest.mark.parametrize(
    "centre_m", [(3.0, 0, 2), (-3.0, 0, 2), (0, 2.0, 2), (0, -2.0, 2), (0, 0, -2), (0, 0, -0.25)]
)
def test_bodies_outside_the_picture_give_an_empty_layer(raster, centre_m):
    vertices, faces = sphere(centre_m, 0.2)
    layer = raster([mesh_of(vertices, label="7")], faces, K_PX, WIDTH_PX, HEIGHT_PX)
    assert layer.rgba.shape == (0, 0, 4)


def test_nobody_gives_an_empty_layer(raster):
    assert raster([], QUAD_FACES, K_PX, WIDTH_PX, HEIGHT_PX).rgba.shape == (0, 0, 4)


@pytest.mark.parametrize(("width_px", "height_px"), [(161, 121), (160, 120), (1, 1), (2, 3)])
def test_layers_fit_the_picture_and_its_chroma(raster, width_px, height_px):
    rng = np.random.default_rng(4)
    for _ in range(20):
        centre = rng.uniform([-0.6, -0.5, 1.0], [0.6, 0.5, 3.0])
        vertices, faces = sphere(centre, 0.15, steps=6)
        layer = raster([mesh_of(vertices, label="12")], faces, K_PX, width_px, height_px)
        right, bottom = layer.x_px + layer.rgba.shape[1], layer.y_px + layer.rgba.shape[0]
        assert layer.x_px % 2 == 0 and layer.y_px % 2 == 0
        assert 0 <= layer.x_px and 0 <= layer.y_px
        assert right <= width_px and bottom <= height_px
        assert right % 2 == 0 or right == width_px
        assert bottom % 2 == 0 or bottom == height_px


def test_opacity_is_that_of_the_person_and_the_settings():
    faint = Backend(Config(alpha=0.5), Context())
    picture = drawn(faint, [mesh_of(rectangle(20, 20, 80, 80, 2.0), alpha=0.5)], QUAD_FACES)
    assert picture[50, 50, 3] == 64


def test_light_follows_the_surface_smoothly(raster):
    """On a ball: bright towards the lamps, dark at the far rim, no facets."""
    vertices, faces = sphere([0.0, 0.0, 2.0], 0.35, steps=40)
    picture = drawn(raster, [mesh_of(vertices, rgb=(150, 150, 150))], faces).astype(float)
    assert picture[40, 60, 0] > 1.3 * picture[85, 110, 0]
    inner = picture[35:90, 55:110, 0]
    assert np.abs(np.diff(inner, 2, axis=0)).max() <= 4
    assert np.abs(np.diff(inner, 2, axis=1)).max() <= 4


def test_the_same_input_gives_the_same_bits_in_any_thread(raster):
    vertices, faces = sphere([0.05, -0.03, 2.0], 0.3)
    meshes = [mesh_of(vertices, label="1"), mesh_of(vertices + np.array([0.2, 0, 0.1]), label="2")]
    first = raster(meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX).rgba
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(raster, meshes, faces, K_PX, WIDTH_PX, HEIGHT_PX) for _ in range(16)]
    assert all(np.array_equal(job.result().rgba, first) for job in jobs)


def test_one_compilation_serves_every_kind_of_array(raster):
    vertices, faces = sphere([0.05, -0.03, 2.0], 0.3)
    strided = np.repeat(vertices.astype(np.float32), 2, axis=0)[::2]
    frozen = faces.copy()
    frozen.setflags(write=False)
    raster([mesh_of(strided)], frozen, K_PX, WIDTH_PX, HEIGHT_PX)
    raster([mesh_of(vertices - np.array([0, 0, 1.95]))], np.asfortranarray(faces), K_PX, 161, 121)
    assert len(draw.signatures) == 1


def test_area_of_the_reference_itself():
    square = np.array([(10.2, 5.5), (10.2, 9.0), (20.7, 9.0), (20.7, 5.5)])
    assert area_of(square) == pytest.approx(10.5 * 3.5)
    assert pixel_areas(square).sum() == pytest.approx(10.5 * 3.5)

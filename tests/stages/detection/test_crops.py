import numpy as np
import pytest

from stages.detection.blazepose.crops import Region, crop, normalized, region_around, rotation
from stages.detection.blazepose.tiles import Tile, pyramid, tile_pictures


def spot(width, height, x, y, radius=2.0):
    """A black picture with a soft white spot whose centre is at continuous (x, y)."""
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    distance = (columns[None] - x) ** 2 + (rows[:, None] - y) ** 2
    grey = 255 * np.exp(-distance / (2 * radius**2))
    return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)


def center_of(picture):
    grey = picture[..., 0].astype(float)
    total = grey.sum()
    x = (grey.sum(axis=0) * (np.arange(grey.shape[1]) + 0.5)).sum() / total
    y = (grey.sum(axis=1) * (np.arange(grey.shape[0]) + 0.5)).sum() / total
    return np.array([x, y])


@pytest.mark.parametrize("angle_rad", [0.0, 0.7, -2.5])
@pytest.mark.parametrize("size_px", [90.0, 256.0, 700.0])
def test_a_point_of_the_crop_maps_back_to_its_pixel(angle_rad, size_px):
    region = Region(300.0, 210.0, size_px, angle_rad)
    at = np.array([312.3, 199.6])
    picture = crop(spot(640, 480, *at, radius=max(2.0, size_px / 100)), region, 256)
    back = region.to_frame(center_of(picture)[None] / 256)[0]
    assert np.abs(back - at).max() < 0.1


def test_to_region_undoes_to_frame():
    region = Region(30.0, 50.0, 80.0, 1.1)
    points = np.random.default_rng(0).uniform(-0.2, 1.2, (7, 2))
    np.testing.assert_allclose(region.to_region(region.to_frame(points)), points, atol=1e-12)


def test_region_of_an_upright_person():
    region = region_around(np.array([100.0, 200.0]), np.array([100.0, 120.0]))
    assert (region.x_px, region.y_px, region.angle_rad) == (100, 200, pytest.approx(0))
    assert region.size_px == pytest.approx(2 * 80 * 1.25)


@pytest.mark.parametrize(("dx", "dy", "quarter_turns"), [(50, 0, 1), (-50, 0, -1), (0, 50, -2)])
def test_the_head_comes_up(dx, dy, quarter_turns):
    region = region_around(np.zeros(2), np.array([float(dx), float(dy)]))
    assert region.angle_rad == pytest.approx(quarter_turns * np.pi / 2)
    # In the region the circle's point lies straight above the middle: 1 / (2 * 1.25) of the side.
    np.testing.assert_allclose(region.to_region(np.array([[dx, dy]])), [[0.5, 0.1]], atol=1e-9)


def test_rotation_is_clockwise_in_the_picture():
    np.testing.assert_allclose(rotation(np.pi / 2) @ [1, 0], [0, 1], atol=1e-12)


def test_normalized_range():
    picture = np.array([[[0, 128, 255]]], np.uint8)
    np.testing.assert_allclose(normalized(picture, -1.0)[0, 0], [-1, 256 / 255 - 1, 1], atol=1e-6)
    np.testing.assert_allclose(normalized(picture, 0.0)[0, 0], [0, 128 / 255, 1], atol=1e-6)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (480, 854), (100, 100), (1, 1)])
def test_every_person_smaller_than_two_thirds_of_a_tile_is_whole_in_one(width, height):
    side = 0.34 * max(width, height)
    tiles = [t for t in pyramid(width, height, (1.0, 0.34)) if t.side_px == pytest.approx(side)]
    length = side / 3
    for x in np.linspace(0, max(0, width - length), 40):
        assert any(t.x_px - 1e-6 <= x and x + length <= t.x_px + side + 1e-6 for t in tiles)
    assert min(t.x_px for t in tiles) <= 0
    assert max(t.x_px + t.side_px for t in tiles) >= width - 1e-6
    assert max(t.y_px + t.side_px for t in tiles) >= height - 1e-6


def test_whole_frame_is_letterboxed():
    rgb = np.full((200, 400, 3), 255, np.uint8)
    (tile,) = pyramid(400, 200, (1.0,))
    assert tile == Tile(0.0, -100.0, 400.0)
    (picture,) = tile_pictures(rgb, [tile])
    assert (picture[:55] == 0).all()
    assert (picture[57:167] == 255).all()
    assert (picture[169:] == 0).all()


@pytest.mark.parametrize(
    "tile", [Tile(0.0, -210.0, 900.0), Tile(100.0, 50.0, 448.0), Tile(87.0, 61.0, 150.0)]
)
def test_a_spot_in_a_tile_is_where_it_was(tile):
    at = np.array([150.4, 131.7])
    (picture,) = tile_pictures(spot(900, 480, *at, radius=8.0), [tile])
    back = center_of(picture) * tile.side_px / 224 + (tile.x_px, tile.y_px)
    assert np.abs(back - at).max() < 0.5

"""Colours of body parts: what is seen, what is hidden, what light does."""

import av
import numpy as np
import pytest

from pipeline.appearance import SIZE, VALUES, appearance_of
from pipeline.appearance_points import PARTS, points_in_boxes, points_on_landmarks
from pipeline.colours import rgb_to_lab
from pipeline.frame import Frame
from pipeline.skeletons import BLAZEPOSE33, COCO17
from pipeline.types import Detections

STANDING = {
    "nose": (0.5, 0.08),
    "ear": (0.06, 0.08),
    "shoulder": (0.18, 0.2),
    "elbow": (0.24, 0.36),
    "wrist": (0.26, 0.5),
    "hip": (0.1, 0.5),
    "knee": (0.11, 0.72),
    "ankle": (0.11, 0.94),
}
RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 160, 40), (40, 50, 190), (120, 120, 120)


def picture(rgb: np.ndarray) -> Frame:
    """A frame as a decoder gives it."""
    return Frame(0, 0.0, av.VideoFrame.from_ndarray(rgb, format="rgb24"))


def landmarks(box: tuple[float, float, float, float], skeleton=COCO17) -> np.ndarray:
    """(k, 3) of somebody who stands in the box; all visible."""
    left, top, right, bottom = box
    out = np.zeros((len(skeleton), 3), np.float32)
    for number, name in enumerate(skeleton.points):
        side, _, part = name.rpartition("_")
        x, y = STANDING.get(part, STANDING["nose"])
        if name != "nose" and part in STANDING:
            x = 0.5 + (x if side == "left" else -x)
        out[number] = left + x * (right - left), top + y * (bottom - top), 1.0
    return out


def painted(box: tuple[int, int, int, int], shirt, trousers, size=(400, 600)) -> np.ndarray:
    """A grey picture with somebody in two colours."""
    rgb = np.full((*size, 3), 120, np.uint8)
    draw(rgb, box, shirt, trousers)
    return rgb


def draw(rgb: np.ndarray, box: tuple[int, int, int, int], shirt, trousers) -> None:
    left, top, right, bottom = box
    waist = top + round(0.52 * (bottom - top))
    rgb[top:waist, left:right], rgb[waist:bottom, left:right] = shirt, trousers


def seen(rgb: np.ndarray, *boxes, points: bool = True) -> np.ndarray:
    """(n, 7, 4) looks of people in these boxes."""
    found = Detections(
        np.zeros(len(boxes), np.int32),
        np.array(boxes, np.float32),
        np.full(len(boxes), 0.9, np.float32),
        "coco17" if points else None,
        np.stack([landmarks(box) for box in boxes]) if points else None,
    )
    return appearance_of([picture(rgb)], found).reshape(len(boxes), len(PARTS), VALUES)


BOX = (200, 50, 320, 350)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(rgb, lab):
    """CIE 1976 values as tables give them for sRGB."""
    found = rgb_to_lab(np.array([rgb], np.uint8))[0]
    np.testing.assert_allclose(found, lab, atol=0.02)


@pytest.mark.parametrize("points", [True, False])
def test_shirt_and_trousers_are_read_off_the_picture(points):
    look = seen(painted(BOX, RED, BLUE), BOX, points=points)[0]
    shirt, trousers = (rgb_to_lab(np.array([c], np.uint8))[0] for c in (RED, BLUE))
    for part, colour in (("chest", shirt), ("thighs", trousers), ("shins", trousers)):
        np.testing.assert_allclose(look[PARTS.index(part), :3], colour, atol=1e-3)
        assert look[PARTS.index(part), 3] == pytest.approx(0, abs=1e-3)
    assert np.isnan(look[PARTS.index("upper_arms")]).all() != points


def test_what_is_not_visible_or_outside_is_unseen():
    rgb = painted(BOX, RED, BLUE)
    outside = (200, 250, 320, 550)  # legs below the picture
    look = seen(rgb, outside)[0]
    assert np.isnan(look[PARTS.index("shins")]).all()
    assert np.isfinite(look[PARTS.index("chest")]).all()
    hidden = landmarks(BOX)[None]
    hidden[0, COCO17.index("left_knee"), 2] = hidden[0, COCO17.index("right_knee"), 2] = 0.1
    found = points_on_landmarks(hidden, "coco17")
    assert not found.seen[0, PARTS.index("thighs")].any()
    assert found.seen[0, PARTS.index("upper_arms")].all()


@pytest.mark.parametrize("points", [True, False])
def test_pixels_of_somebody_nearer_are_left_out(points):
    rgb = painted(BOX, RED, BLUE)
    nearer = (225, 60, 375, 390)  # its feet are lower in the picture
    draw(rgb, nearer, GREEN, GREEN)
    behind, before = seen(rgb, BOX, nearer, points=points)
    green = rgb_to_lab(np.array([GREEN], np.uint8))[0]
    np.testing.assert_allclose(before[PARTS.index("chest"), :3], green, atol=1e-3)
    chest = behind[PARTS.index("chest"), :3]
    assert np.isnan(chest).all() or np.abs(chest - green).max() > 40
    alone = seen(painted(BOX, RED, BLUE), BOX, points=points)[0]
    left = np.isfinite(behind[:, 0])
    assert left.sum() < np.isfinite(alone[:, 0]).sum() or points


def test_half_the_light_changes_lightness_more_than_colour():
    bright = seen(painted(BOX, RED, BLUE), BOX)[0]
    dark = seen((painted(BOX, RED, BLUE) * 0.7).astype(np.uint8), BOX)[0]
    other = seen(painted(BOX, GREEN, GREY), BOX)[0]
    chest = PARTS.index("chest")
    light, colour = np.abs(bright - dark)[chest, 0], np.abs(bright - dark)[chest, 1:3].max()
    assert light < 20
    assert colour < np.abs(bright - other)[chest, 1:3].max() / 3


def test_both_landmark_sets_look_at_the_same_places():
    coco = points_on_landmarks(landmarks(BOX)[None], "coco17")
    blaze = points_on_landmarks(landmarks(BOX, BLAZEPOSE33)[None], "blazepose33")
    np.testing.assert_allclose(coco.points_px[:, 1:], blaze.points_px[:, 1:], atol=1e-4)
    assert points_in_boxes(np.zeros((0, 4))).seen.shape == (0, len(PARTS), 32)


def test_nobody_has_no_look():
    empty = Detections(np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert appearance_of([picture(painted(BOX, RED, BLUE))], empty).shape == (0, SIZE)

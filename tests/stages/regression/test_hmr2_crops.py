"""Crops and cameras of HMR2.0 against the official code, and by what must hold for any box."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._hmr2_crops import synthetic_frame
from pipeline.camera import intrinsics, project, translation_from_crop
from stages.regression._blur import cut_demo_crops, is_blurred, sigma_px
from stages.regression._crops import (
    Squares,
    cut_crops,
    frame_to_crop,
    normalised,
    squares_from_boxes,
)

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "hmr2" / "hmr2_crop.npz"


@pytest.fixture(scope="module")
def golden():
    return GoldenFile.open(GOLDEN)


@pytest.fixture(scope="module")
def frame(golden):
    return torch.from_numpy(synthetic_frame(*golden["image_WHabc"].tolist()))


@pytest.fixture(scope="module")
def squares(golden):
    return squares_from_boxes(golden["boxes_xyxy"])


def test_squares_and_maps_are_the_official_ones(golden, squares):
    assert golden.compare("vitdet_box_center", squares.centre_px, 1e-4).passed
    assert golden.compare("vitdet_box_size", squares.side_px, 1e-3).passed
    maps = frame_to_crop(squares)
    assert golden.compare("trans", maps, 1e-6, relative_from=0.1).passed


def test_tracker_crops_are_the_official_ones_bit_for_bit(golden, frame, squares):
    assert np.array_equal(cut_crops(frame, squares).numpy(), golden["phalp_crop_u8"])


def test_demo_crops_are_the_official_ones(golden, frame, squares):
    assert np.array_equal(is_blurred(squares.side_px), golden["vitdet_blurred"])
    assert golden.compare("vitdet_sigma", sigma_px(squares.side_px), 1e-6).passed
    pixels = normalised(cut_demo_crops(frame, squares))[:, :, 3::8, 3::8]
    assert golden.compare("vitdet_img_sub", pixels, 1e-5).passed


def test_columns_can_be_cut_alone(frame, squares):
    middle = range(32, 224)
    whole = cut_crops(frame, squares)
    assert torch.equal(cut_crops(frame, squares, middle), whole[:, :, 32:224])
    demo = cut_demo_crops(frame, squares)
    assert torch.equal(cut_demo_crops(frame, squares, middle), demo[:, :, 32:224])


def test_random_boxes_are_cut_as_opencv_does_within_its_step():
    rng = np.random.default_rng(3)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8), (0, 0), 3)
    middles, sizes = rng.uniform(-20, 130, (20, 2)), rng.uniform(8, 150, (20, 2))
    boxes = np.hstack([middles - sizes / 2, middles + sizes / 2]).astype(np.float32)
    squares = squares_from_boxes(boxes)
    crops = cut_crops(torch.from_numpy(picture), squares).numpy().astype(int)
    for crop, matrix in zip(crops, frame_to_crop(squares), strict=True):
        expected = cv2.warpAffine(picture.astype(np.float64), matrix, (256, 256))
        assert np.abs(crop - expected).mean() < 0.4


def test_beyond_the_frame_it_is_black_before_normalisation():
    white = torch.full((50, 50, 3), 255, dtype=torch.uint8)
    crop = cut_crops(white, Squares(np.array([[25.0, 25.0]]), np.array([100.0])))
    assert (crop[0, 128, 128] == 255).all()
    assert (crop[0, 0, 0] == 0).all()
    black = (0 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert np.allclose(normalised(crop)[0, :, 0, 0].numpy(), black, atol=1e-6)


def test_no_squares_give_no_crops(frame):
    none = squares_from_boxes(np.zeros((0, 4), np.float32))
    assert cut_crops(frame, none).shape == (0, 256, 256, 3)
    assert cut_demo_crops(frame, none).shape == (0, 256, 256, 3)


def test_translations_are_the_official_ones(golden, squares):
    width_px, height_px = golden["image_WHabc"][:2].tolist()
    for name, focal_px in (("cam_full", float(golden["full_focal"])), ("cam_full_f1234", 1234.5)):
        K_px = intrinsics(focal_px, width_px, height_px)
        found = translation_from_crop(golden["pred_cam"], squares.centre_px, squares.side_px, K_px)
        assert golden.compare(name, found, 1e-5, relative_from=0.1).passed


def test_a_body_lands_where_the_crop_camera_saw_it():
    crop_camera = np.array([[0.9, 0.1, -0.2]])
    centre_px, side_px = np.array([[900.0, 300.0]]), np.array([400.0])
    K_px = np.array([[1100.0, 0, 630], [0, 1000.0, 370], [0, 0, 1]])
    t = translation_from_crop(crop_camera, centre_px, side_px, K_px)
    seen_px = project(t, K_px)[0]
    assert np.isclose(seen_px[0], 900 + 0.9 * 400 / 2 * 0.1)
    assert np.isclose(seen_px[1], 300 + 0.9 * 400 / 2 * -0.2 * 1000 / 1100)
    metre_px = project(t + np.array([[1.0, 0, 0]]), K_px)[0, 0] - seen_px[0]
    assert np.isclose(metre_px, 0.9 * 400 / 2)

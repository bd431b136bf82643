"""The whole backend on pictures: rendered people, whose places are known, and photographs."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.body import load_body
from pipeline.body_file import EMBEDDED
from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.frame import Frame
from pipeline.scenes import several_scenes
from pipeline.scenes.drawing import film
from pipeline.scenes.staging import staged
from pipeline.skeletons import BLAZEPOSE33
from stages.detection.blazepose import Backend, Config
from tests.stages.detection.walkers import FPS, frames_of

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def backend():
    return Backend(Config(), Context())


def detect(backend, frames, batch):
    backend.restart()
    return [backend(frames[i : i + batch]) for i in range(0, len(frames), batch)]


def test_rendered_people_are_found_where_they_are(backend, pictures):
    (found,) = detect(backend, frames_of([p.rgb for p in pictures]), len(pictures))
    assert found.skeleton == "blazepose33"
    hits = 0
    for index, picture in enumerate(pictures):
        here = found.frame_index == index
        iou = box_iou(picture.boxes_xyxy_px, found.boxes_xyxy_px[here])
        assert here.sum() <= 2
        hits += int((iou.max(axis=1, initial=0) > 0.5).sum())
    assert hits >= 0.9 * 2 * len(pictures)
    assert (np.diff(found.frame_index) >= 0).all()


def test_landmarks_agree_with_the_box_and_are_metric(backend, pictures):
    (found,) = detect(backend, frames_of([p.rgb for p in pictures[:4]]), 4)
    for box, points_px, points_m in zip(
        found.boxes_xyxy_px, found.landmarks_px, found.landmarks_m, strict=True
    ):
        body = points_px[points_px[:, 2] > 0.5, :2]
        assert ((body >= box[:2]) & (body <= box[2:])).all()
        nose, ankles = BLAZEPOSE33.index("nose"), BLAZEPOSE33.indices("left_ankle", "right_ankle")
        height_m = points_m[ankles, 1].mean() - points_m[nose, 1]
        assert 1.0 < height_m < 1.9  # y down: the ankles lie below the nose
        left, right = BLAZEPOSE33.indices("left_hip", "right_hip")
        np.testing.assert_allclose(points_m[[left, right]].mean(axis=0), 0, atol=1e-6)


def test_same_frames_same_result_to_the_bit(backend, pictures):
    frames = frames_of([p.rgb for p in pictures])
    first, again = detect(backend, frames, 5), detect(backend, frames, 5)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.frame_index, b.frame_index)
        np.testing.assert_array_equal(a.landmarks_px, b.landmarks_px)
        np.testing.assert_array_equal(a.landmarks_m, b.landmarks_m)


def test_a_finder_that_remembers_goes_on_with_the_same_people(backend, pictures):
    frames = frames_of([p.rgb for p in pictures])
    backend.restart()
    backend(frames[:5])
    known = backend.remembered()
    assert len(known["chains"]) == 2
    assert all(np.isfinite(rows).all() for rows in known.values())
    found = []
    for finder in (backend, Backend(Config(), Context())):
        finder.remember(known)
        np.testing.assert_array_equal(finder.remembered()["chains"], known["chains"])
        found.append([finder(frames[5:10]), finder(frames[10:])])
    for here, there in zip(*found, strict=True):
        assert np.bincount(here.frame_index).max() == 2
        np.testing.assert_array_equal(here.frame_index, there.frame_index)
        np.testing.assert_array_equal(here.landmarks_px, there.landmarks_px)
    for wrong in ({}, {**known, "chains": known["chains"][:, 1:]}, {**known, "lost": np.zeros(6)}):
        with pytest.raises((KeyError, ValueError)):
            finder.remember(wrong)
    with pytest.raises(ValueError, match="finite"):
        finder.remember({**known, "chains": np.full_like(known["chains"], np.nan)})


def test_a_newcomer_is_found_within_half_a_second_and_gone_when_gone(backend, pictures):
    empty = np.full_like(pictures[0].rgb, 90)
    shown = [p.rgb for p in pictures[:9]]
    frames = frames_of([empty] * 4 + shown + [empty] * 3)
    found = np.concatenate([d.frame_index for d in detect(backend, frames, 4)])
    assert found.min() >= 4
    assert (found.min() - 4) / FPS <= 0.5
    assert found.max() <= 12
    # Until the end of the batch in which they were found there is nobody missing any more.
    assert {*range(int(found.min()), 13)} == {*found.tolist()}


def test_somebody_found_late_is_followed_back_in_the_batch(pictures):
    # Scans come at 0 and 0.4 s; people appear in between, in the middle of one batch.
    backend = Backend(Config(scan_every_s=0.4), Context())
    empty = np.full_like(pictures[0].rgb, 90)
    (found,) = detect(backend, frames_of([empty] * 2 + [p.rgb for p in pictures[:6]]), 8)
    assert found.frame_index.min() == 2


def test_nobody_in_empty_tiny_or_single_pictures(backend):
    for size in ((1, 1), (3, 200), (64, 64)):
        rgb = np.full((*size, 3), 128, np.uint8)
        (found,) = detect(backend, frames_of([rgb] * 2), 2)
        assert len(found) == 0
        assert found.landmarks_px.shape == (0, 33, 3)
    assert len(backend([])) == 0


def test_a_single_picture_is_enough(backend, pictures):
    (found,) = detect(backend, frames_of([pictures[0].rgb]), 1)
    assert len(found) == 2


def test_people_hiding_each_other_in_real_footage(backend):
    clip = DATA / "bonn_posetrack" / "060470979.mp4"
    if not clip.exists():
        pytest.skip("the footage is not there (shared data)")
    from pipeline.video import open_video, read_frames

    frames = list(islice(read_frames(open_video(clip)), 8))
    (found,) = detect(backend, frames, 8)
    assert np.bincount(found.frame_index).tolist() == [4] * 8


def test_a_threshold_that_nobody_reaches(pictures):
    backend = Backend(Config(min_candidate_score=1.0), Context())
    assert len(detect(backend, frames_of([pictures[0].rgb]), 1)[0]) == 0


def test_one_who_overtakes_another_is_told_from_the_other(backend):
    """One walks behind the other, a quarter to be seen: both go on to be seen for who they are."""
    fps = 30.0
    spec = next(spec for spec in several_scenes.PROCEDURAL if spec.name == "overtake")
    scene = staged(replace(spec, fps=fps), load_body(EMBEDDED), None)
    passing = list(islice(film(scene), round(0.8 * fps), round(3.2 * fps)))
    frames = [
        Frame(i, i / fps, av.VideoFrame.from_ndarray(picture.rgb, format="rgb24"))
        for i, picture in enumerate(passing)
    ]
    found = detect(backend, frames, 18)
    frame_index = np.concatenate([batch.frame_index for batch in found])
    boxes = np.concatenate([batch.boxes_xyxy_px for batch in found]).astype(np.float64)
    hits = []
    for index, picture in enumerate(passing):
        true = picture.boxes_xyxy_px.astype(np.float64)
        iou = box_iou(true, boxes[frame_index == index]).max(axis=1, initial=0)
        if box_iou(true[:1], true[1:])[0, 0] > 0.2:
            hits += (iou[picture.seen_share >= 0.35] > 0.7).tolist()
    assert len(hits) > 50
    # 0.85; 0.71 where people were painted out where they were, not where they are expected.
    assert np.mean(hits) > 0.78

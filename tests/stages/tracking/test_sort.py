"""Who is who: crossings, absences, duplicates, and what must not matter."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.types import Detections
from tests.stages.tracking.scenes import (
    boxes_at,
    centres_px,
    detections_of,
    track,
    video_of,
)


def crossing(frames: int, fps: float, hidden_s: float = 0.0) -> list[np.ndarray]:
    """Two people who walk towards each other and pass in the middle; the second may vanish."""
    t = np.arange(frames) / fps
    right, left = boxes_at(200 + 150 * t, 300), boxes_at(800 - 150 * t, 310)
    left[np.abs(t - 2.0) < hidden_s / 2] = np.nan
    return [right, left]


@pytest.mark.parametrize("landmarks", [False, True])
@pytest.mark.parametrize("hidden_s", [0.0, 0.5])
@pytest.mark.parametrize("fps", [12.0, 30.0, 60.0])
def test_crossing_people_keep_their_ids(landmarks: bool, hidden_s: float, fps: float) -> None:
    frames = round(4 * fps)
    video = video_of(frames, fps)
    detections = detections_of(crossing(frames, fps, hidden_s), video, landmarks=landmarks)
    people = track(video, detections)
    assert [person.id for person in people] == [1, 2]
    assert centres_px(people[0])[0] == pytest.approx(200)
    assert centres_px(people[0])[-1] == pytest.approx(200 + 150 * video.time_s[-1], abs=0.01)
    assert centres_px(people[1])[-1] == pytest.approx(800 - 150 * video.time_s[-1], abs=0.01)


def test_half_the_frame_rate_gives_the_same_people() -> None:
    walks = crossing(240, 60.0, 0.4)
    whole = track(video_of(240, 60.0), detections_of(walks, video_of(240, 60.0)))
    half = video_of(120, 30.0)
    halved = track(half, detections_of([walk[::2] for walk in walks], half))
    assert len(whole) == len(halved) == 2
    for a, b in zip(whole, halved, strict=True):
        np.testing.assert_allclose(centres_px(a)[::2], centres_px(b), atol=1e-3)


def test_someone_who_returns_in_time_is_the_same() -> None:
    walk = boxes_at(np.full(150, 400.0))
    walk[50:95] = np.nan
    (person,) = track(video_of(150), detections_of([walk], video_of(150)), max_lost_s=2.0)
    assert len(person) == 150
    assert (~person.observed).sum() == 45
    assert len(track(video_of(150), detections_of([walk], video_of(150)), max_lost_s=1.0)) == 2


def test_someone_else_in_another_size_or_place_is_not_the_one_who_left() -> None:
    gone, other = boxes_at(np.full(90, 400.0)), boxes_at(np.full(90, 410.0), height=420.0)
    gone[30:], other[:45] = np.nan, np.nan
    assert len(track(video_of(90), detections_of([gone, other], video_of(90)))) == 2
    far = boxes_at(np.full(90, 1000.0))
    far[:45] = np.nan
    assert len(track(video_of(90), detections_of([gone, far], video_of(90)))) == 2


@pytest.mark.parametrize("landmarks", [False, True])
def test_order_within_a_frame_does_not_matter(landmarks: bool) -> None:
    rng = np.random.default_rng(1)
    video = video_of(40)
    walks = [boxes_at(100 + 45 * i + rng.normal(size=40) * 4, 300 + 9 * i) for i in range(12)]
    first = track(video, detections_of(walks, video, landmarks=landmarks))
    second = track(video, detections_of(walks, video, seed=3, landmarks=landmarks))
    assert len(first) == len(second) == 12
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.boxes_xyxy_px, b.boxes_xyxy_px)


@pytest.mark.parametrize("landmarks", [False, True])
def test_two_detections_of_one_person_are_one_person(landmarks: bool) -> None:
    video, context = video_of(30), Context()
    walk = boxes_at(300 + 2.0 * np.arange(30))
    twice = walk + np.float64([3, -4, 5, 2])
    detections = detections_of([walk, twice], video, [0.9, 0.8], landmarks=landmarks)
    if detections.landmarks_px is not None:  # the same joints, seen twice
        points = detections.landmarks_px.copy()
        points[1::2] = points[0::2] + np.float32([2, -2, 0])
        detections = replace(detections, landmarks_px=points)
    (person,) = track(video, detections, context)
    np.testing.assert_allclose(centres_px(person), 300 + 2.0 * np.arange(30), atol=1e-3)
    (event,) = context.events.events
    assert event.kind == "drop"
    assert "30 detections in 30 frames" in event.message


def test_doubtful_detections_continue_but_do_not_start() -> None:
    video = video_of(30)
    detections = detections_of([boxes_at(np.full(30, 300.0))], video)
    score = np.where((np.arange(30) > 5) & (np.arange(30) < 15), 0.2, 0.9).astype(np.float32)
    (person,) = track(video, replace(detections, score=score))
    assert person.observed.all()
    np.testing.assert_array_equal(person.confidence, score)
    assert track(video, replace(detections, score=np.full(30, 0.2, np.float32))) == ()


def test_short_sightings_are_dropped_and_told() -> None:
    video, context = video_of(60), Context()
    stay, flash = boxes_at(np.full(60, 200.0)), boxes_at(np.full(60, 900.0))
    flash[:20], flash[22:] = np.nan, np.nan
    (person,) = track(video, detections_of([stay, flash], video), context)
    assert centres_px(person)[0] == pytest.approx(200)
    (event,) = context.events.events
    assert "seen in 2 frames only (frames 20 to 21)" in event.message
    assert event.frame_index == 20


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_very_short_video_still_has_its_person(frames: int) -> None:
    video = video_of(frames)
    (person,) = track(video, detections_of([boxes_at(np.full(frames, 300.0))], video))
    assert len(person) == frames
    assert person.observed.all()


def test_nobody_is_nobody() -> None:
    empty = detections_of([], video_of(10))
    assert track(video_of(10), empty) == ()
    assert track(video_of(1), empty) == ()


def test_useless_boxes_are_dropped_and_told() -> None:
    video, context = video_of(20), Context()
    good = detections_of([boxes_at(np.full(20, 300.0))], video)
    boxes = good.boxes_xyxy_px.copy()
    boxes[4, 2], boxes[9] = np.nan, [300, 200, 300, 400]
    (person,) = track(video, replace(good, boxes_xyxy_px=boxes), context)
    assert np.flatnonzero(~person.observed).tolist() == [4, 9]
    (event,) = context.events.events
    assert "2 of 20 detections dropped" in event.message
    assert event.frame_index == 4


def test_two_hundred_people_keep_apart() -> None:
    video = video_of(8)
    x, y = np.meshgrid(np.arange(20) * 90.0, np.arange(10) * 120.0)
    walks = [
        boxes_at(a + 3.0 * np.arange(8), b, 100.0) for a, b in zip(x.flat, y.flat, strict=True)
    ]
    people = track(video, detections_of(walks, video, landmarks=True))
    assert [person.id for person in people] == list(range(1, 201))
    assert all(person.observed.all() for person in people)
    assert all(np.ptp(centres_px(person)) == pytest.approx(21, abs=0.01) for person in people)


def test_frames_are_those_of_the_source() -> None:
    video = video_of(20, first_frame=100)
    (person,) = track(video, detections_of([boxes_at(np.full(20, 300.0))], video))
    assert person.frame_index.tolist() == list(range(100, 120))
    np.testing.assert_array_equal(person.time_s, video.time_s)


def test_uneven_frame_times_do_not_lose_a_walker() -> None:
    video = video_of(60)
    time_s = np.cumsum(np.random.default_rng(2).choice([0.01, 0.033, 0.12], 60))
    video = replace(video, time_s=time_s)
    detections: Detections = detections_of([boxes_at(100 + 300 * time_s)], video)
    (person,) = track(video, detections)
    assert person.observed.all()


def test_limbs_that_come_and_go_do_not_part_a_runner() -> None:
    """A sprinter's box halves its width from one frame to the next."""
    video = video_of(60)
    walk = boxes_at(300 + 4.0 * np.arange(60))
    thin = np.arange(60) % 12 < 6
    walk[thin, 0] += 20
    walk[thin, 2] -= 20
    (person,) = track(video, detections_of([walk], video))
    assert person.observed.all()

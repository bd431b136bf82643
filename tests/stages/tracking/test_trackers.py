"""What every tracker must do, whatever comes in; and what only `phalp` can."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline import backends
from pipeline.context import Context
from pipeline.types import Bodies, Detections, Person, Video
from tests.stages.tracking.scenes import (
    CAMERA,
    bodies_of,
    boxes_at,
    centres_px,
    detections_of,
    video_of,
)

TRACKERS = {
    "sort": ("sort", {}),
    "bytetrack": ("bytetrack", {}),
    "phalp": ("phalp", {}),
    "phalp online": ("phalp", {"offline": False}),
    "phalp EQ_019": ("phalp", {"distance_type": "EQ_019", "pose_prediction": "line"}),
}
PHALP = ["phalp", "phalp online", "phalp EQ_019"]


def run(
    name: str,
    video: Video,
    detections: Detections,
    bodies: Bodies | None = None,
    context: Context | None = None,
    **more: object,
) -> tuple[Person, ...]:
    backend, options = TRACKERS[name]
    config = backends.make_config("tracking", backend, {**options, **more})
    tracker = backends.make("tracking", backend, config, context or Context())
    people: tuple[Person, ...] = tracker(
        video, detections, bodies_of(detections) if bodies is None else bodies, CAMERA
    )
    return people


def dressed(detections: Detections, clothes: dict[int, float], who: np.ndarray) -> Bodies:
    """Bodies whose look says who they are, with some noise."""
    rng = np.random.default_rng(0)
    looks = np.array([clothes[int(number)] for number in who])[:, None] * np.ones(28)
    noisy = (looks + rng.normal(size=looks.shape)).astype(np.float32)
    return replace(bodies_of(detections), appearance=noisy)


def who_is_where(detections: Detections, walks: list[np.ndarray]) -> np.ndarray:
    """Number of the walk that every detection was made of."""
    first = np.stack(walks)[:, detections.frame_index]
    gap = np.abs(np.nan_to_num(first, nan=1e9) - detections.boxes_xyxy_px[None]).sum(axis=-1)
    return np.argmin(gap, axis=0)


@pytest.mark.parametrize("name", TRACKERS)
def test_two_who_pass_each_other_keep_their_ids(name):
    t = np.arange(120) / 30.0
    walks = [boxes_at(200 + 150 * t, 300), boxes_at(800 - 150 * t, 345)]
    video = video_of(120)
    detections = detections_of(walks, video)
    bodies = dressed(detections, {0: 20.0, 1: 60.0}, who_is_where(detections, walks))
    people = run(name, video, detections, bodies)
    assert len(people) == 2
    assert centres_px(people[0])[-1] == pytest.approx(200 + 150 * t[-1], abs=1)
    assert centres_px(people[1])[-1] == pytest.approx(800 - 150 * t[-1], abs=1)


@pytest.mark.parametrize("name", TRACKERS)
def test_nobody_is_nobody_and_one_frame_has_its_people(name):
    for frames in (1, 5):
        assert run(name, video_of(frames), detections_of([], video_of(frames))) == ()
    one = video_of(1)
    detections = detections_of([boxes_at(np.array([x])) for x in (200.0, 700.0)], one)
    people = run(name, one, detections)
    assert [len(person) for person in people] == [1, 1]


@pytest.mark.parametrize("name", TRACKERS)
def test_frames_without_people_between_do_no_harm(name):
    video, walk = video_of(60), boxes_at(300 + 2.0 * np.arange(60))
    walk[20:25] = np.nan
    (person,) = run(name, video, detections_of([walk], video))
    assert np.flatnonzero(~person.observed).tolist() == list(range(20, 25))


@pytest.mark.parametrize("name", TRACKERS)
def test_bodies_and_boxes_that_are_no_numbers_are_left_out_and_told(name):
    video, context = video_of(20), Context()
    detections = detections_of([boxes_at(np.full(20, 300.0))], video)
    bodies = bodies_of(detections)
    bodies.pose_rotvec[3, 2, 1] = np.nan
    boxes = detections.boxes_xyxy_px.copy()
    boxes[7, 2] = np.inf
    more = {"n_init": 2} if "EQ" in name else {}
    bad = replace(detections, boxes_xyxy_px=boxes)
    (person,) = run(name, video, bad, bodies, context, **more)
    assert np.flatnonzero(~person.observed).tolist() == [3, 7]
    assert {e.frame_index for e in context.events.events if e.kind == "drop"} == {3, 7}


@pytest.mark.parametrize("name", TRACKERS)
def test_two_hundred_people_keep_apart(name):
    video = video_of(8)
    x, y = np.meshgrid(np.arange(20) * 90.0, np.arange(10) * 120.0)
    walks = [
        boxes_at(a + 3.0 * np.arange(8), b, 100.0) for a, b in zip(x.flat, y.flat, strict=True)
    ]
    detections = detections_of(walks, video)
    bodies = bodies_of(detections)
    bodies.t_camera_m[:, 0] = detections.boxes_xyxy_px[:, 0] / 200
    bodies.t_camera_m[:, 1] = detections.boxes_xyxy_px[:, 1] / 200
    people = run(name, video, detections, bodies, **({"hungarian_th": 1.5} if "EQ" in name else {}))
    assert [person.id for person in people] == list(range(1, 201))
    assert all(person.observed.all() for person in people)


@pytest.mark.parametrize("name", ["sort", "bytetrack", "phalp", "phalp online"])
def test_a_box_that_jumps_across_the_picture_is_somebody_else(name):
    video, walk = video_of(60), boxes_at(np.where(np.arange(60) < 30, 150.0, 1100.0))
    assert len(run(name, video, detections_of([walk], video))) == 2


@pytest.mark.parametrize("name", PHALP)
def test_which_appearance_and_prediction_is_used_is_told(name):
    video, context = video_of(20), Context()
    detections = detections_of([boxes_at(np.full(20, 300.0))], video)
    run(name, video, detections, context=context)
    (told,) = [e.message for e in context.events.events if "appearance:" in e.message]
    assert "not looked at" in told
    bodies = dressed(detections, {0: 30.0}, np.zeros(20))
    run(name, video, detections, bodies, context)
    assert "seven body parts" in context.events.events[-1].message


def test_a_twin_in_the_same_place_is_dropped_and_told():
    video, context = video_of(40), Context()
    walk = boxes_at(300 + 2.0 * np.arange(40))
    twin = walk + np.float64([14, -10, 16, 8])
    detections = detections_of([walk, twin], video, [0.9, 0.8])
    (person,) = run("phalp", video, detections, context=context, duplicate_iou=1.0)
    np.testing.assert_allclose(centres_px(person), 300 + 2.0 * np.arange(40), atol=1e-3)
    assert any("repeats a longer one" in e.message for e in context.events.events)


def test_who_leaves_and_returns_elsewhere_is_known_by_the_look():
    """Three seconds away, back in another place: only the clothes tell; the other is another."""
    video = video_of(240)
    first, second, third = (boxes_at(np.full(240, x)) for x in (150.0, 1000.0, 600.0))
    first[60:], second[:150], third[:150] = np.nan, np.nan, np.nan
    walks = [first, second, third]
    detections = detections_of(walks, video)
    who = who_is_where(detections, walks)
    bodies = dressed(detections, {0: 25.0, 1: 25.0, 2: 70.0}, who)
    context = Context()
    people = run("phalp", video, detections, bodies, context)
    assert sorted(len(person) for person in people) == [90, 240]
    told = [e for e in context.events.events if "is the one seen from frame 150" in e.message]
    assert len(told) == 1
    assert told[0].message.count("look +") == 1
    assert len(run("phalp online", video, detections, bodies)) == 3


def test_a_swap_at_a_meeting_is_undone_by_the_look():
    """They meet, turn back, and the boxes alone say that they passed each other."""
    t = np.arange(120) / 30.0
    x = 300 + 100 * np.minimum(t, 4 - t)
    walks = [boxes_at(x), boxes_at(1000 - x)]
    walks[1][:, [1, 3]] += 8
    video = video_of(120)
    detections = detections_of(walks, video)
    who = who_is_where(detections, walks)
    passed = np.where(detections.frame_index < 60, who, 1 - who)
    bodies = dressed(detections, {0: 25.0, 1: 60.0}, passed)
    people = run("phalp", video, detections, bodies)
    assert len(people) == 2
    first = people[0] if centres_px(people[0])[0] < 500 else people[1]
    assert centres_px(first)[-1] > 500


def test_places_say_nothing_across_a_cut_and_looks_link_shots():
    video = replace(video_of(120), cut_frames=np.array([60], np.int32))
    left, right = boxes_at(np.full(120, 300.0)), boxes_at(np.full(120, 900.0))
    detections = detections_of([left, right], video)
    who = who_is_where(detections, [left, right])
    changed = np.where(detections.frame_index < 60, who, 1 - who)
    same = dressed(detections, {0: 25.0, 1: 60.0}, changed)
    people = run("phalp", video, detections, same)
    assert [len(person) for person in people] == [120, 120]
    assert centres_px(people[0])[[0, -1]] == pytest.approx([300, 900])
    strangers = dressed(
        detections, {0: 10.0, 1: 35.0, 2: 60.0, 3: 85.0}, 2 * (changed != who) + who
    )
    assert len(run("phalp", video, detections, strangers)) == 4


@pytest.mark.parametrize("name", PHALP)
def test_ids_do_not_depend_on_what_was_tracked_before(name):
    video = video_of(40)
    detections = detections_of([boxes_at(np.full(40, x)) for x in (200.0, 700.0)], video)
    assert [p.id for p in run(name, video, detections)] == [1, 2]
    assert [p.id for p in run(name, video, detections)] == [1, 2]


def test_a_track_that_goes_over_to_somebody_else_is_parted_where_the_look_changes():
    """One steps behind the other's place as that one is lost: the tracks never meet."""
    first, second = boxes_at(np.full(160, 500.0)), boxes_at(np.full(160, 500.0))
    first[60:100], first[100:] = np.nan, boxes_at(np.full(60, 640.0))
    second[:41], second[41:60] = boxes_at(200 + 4.5 * np.arange(41)), np.nan
    video, walks = video_of(160), [first, second]
    detections = detections_of(walks, video)
    bodies = dressed(detections, {0: 25.0, 1: 60.0}, who_is_where(detections, walks))
    online = run("phalp online", video, detections, bodies)
    assert any(centres_px(p)[0] == 500 and len(p) == 160 for p in online)
    ends = sorted(
        (centres_px(p)[0], centres_px(p)[-1]) for p in run("phalp", video, detections, bodies)
    )
    np.testing.assert_allclose(ends, [(200, 500), (500, 640)], atol=1e-3)


def test_who_goes_on_without_meeting_anybody_is_one_person_however_the_look_changes():
    """Light, or half hidden by something: before and after are told apart, and stay together."""
    video, walk = video_of(120), boxes_at(300 + 2.0 * np.arange(120))
    detections = detections_of([walk], video)
    bodies = dressed(detections, {0: 25.0, 1: 45.0}, detections.frame_index >= 60)
    (person,) = run("phalp", video, detections, bodies)
    assert person.observed.all()


def test_a_jump_across_the_picture_has_a_defined_end_with_the_published_cost():
    """Its gate knows no distance in the picture; a box that jumps never makes a third person."""
    video, walk = video_of(60), boxes_at(np.where(np.arange(60) < 30, 150.0, 1100.0))
    people = run("phalp EQ_019", video, detections_of([walk], video))
    assert 1 <= len(people) <= 2
    assert sum(int(person.observed.sum()) for person in people) == 60

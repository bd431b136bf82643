"""What stands in a `Person` between sightings."""

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.types import Bodies, Detections, Status
from stages.tracking._people import people_of, usable
from tests.stages.tracking.scenes import bodies_of, boxes_at, detections_of, video_of


def test_between_sightings_pose_and_place_run_straight_and_boxes_are_nan() -> None:
    video = video_of(11)
    walk = boxes_at(100.0 * np.arange(11))
    walk[3:7] = np.nan
    detections = detections_of([walk], video, landmarks=True)
    (person,) = people_of([np.arange(len(detections))], video, detections, bodies_of(detections))
    assert person.status.tolist() == [1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(person.t_camera_m[:, 0], np.arange(11), atol=1e-5)
    np.testing.assert_allclose(person.pose_rotvec[:, 0, 1], 0.01 * np.arange(11), atol=1e-6)
    gap = person.status == Status.MISSING
    assert person.keypoints_px is not None
    assert np.isnan(person.boxes_xyxy_px[gap]).all()
    assert np.isnan(person.keypoints_px[gap]).all()
    assert np.isfinite(person.keypoints_px[~gap]).all()
    assert (person.confidence[gap] == 0).all()


def test_shape_is_the_median_of_the_sightings() -> None:
    video = video_of(5)
    detections = detections_of([boxes_at(np.full(5, 300.0))], video)
    betas = np.zeros((5, 10), np.float32)
    betas[:, 0] = [1, 1, 1, 50, 1]
    plain = bodies_of(detections)
    bodies = Bodies(plain.pose_rotvec, betas, plain.t_camera_m)
    (person,) = people_of([np.arange(5)], video, detections, bodies)
    assert person.betas[0] == pytest.approx(1)


def test_ids_follow_first_appearance_then_the_picture_from_the_left() -> None:
    video = video_of(4)
    right, late, left = (boxes_at(np.full(4, x)) for x in (700.0, 100.0, 300.0))
    late[0] = np.nan
    detections = detections_of([right, late, left], video)
    x = detections.boxes_xyxy_px.mean(axis=1)
    tracks = [np.flatnonzero(x == value) for value in np.unique(x)]
    people = people_of(tracks, video, detections, bodies_of(detections))
    firsts = [person.boxes_xyxy_px[0, 0] for person in people]
    assert firsts == [300 - 40, 700 - 40, 100 - 40]
    assert [len(person) for person in people] == [4, 4, 3]


def test_detections_that_cannot_be_used_are_told_of() -> None:
    video, context = video_of(3), Context()
    detections = detections_of([boxes_at(np.full(3, 300.0))], video)
    outside = Detections(np.array([0, 1, 7], np.int32), detections.boxes_xyxy_px, detections.score)
    bodies = bodies_of(detections)
    bodies.pose_rotvec[1, 3, 0] = np.nan
    assert usable(video, outside, bodies, context).tolist() == [True, False, False]
    assert [event.frame_index for event in context.events.events] == [1, 7]

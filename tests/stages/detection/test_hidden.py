"""People behind others: painted out in front, found behind; and what must not be taken for one."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from pipeline import weights
from pipeline.body import load_body
from pipeline.body_file import EMBEDDED
from pipeline.boxes import box_iou
from pipeline.scenes.drawing import film
from pipeline.scenes.library import crossing
from stages.detection.blazepose.boxes import body_box_xyxy_px
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.hidden import beside, looked_apart, looked_behind
from stages.detection.blazepose.landmarks import LandmarkNetwork, Pose, landmark_model
from stages.detection.blazepose.likeness import same_person, torso_px
from stages.detection.blazepose.painting import hidden_share, paint_out, silhouettes

FPS = 15.0
MEETS = 42
"""Frame in which the second person is behind the first, more than half of it still to be seen."""


@pytest.fixture(scope="module")
def network():
    return LandmarkNetwork(landmark_model(weights.path("blazepose-landmarks")))


@pytest.fixture(scope="module")
def meeting():
    scene = crossing(load_body(EMBEDDED), seconds=4.0, fps=FPS)
    return next(islice(film(scene), MEETS, None))


def region_of(box: np.ndarray) -> Region:
    left, top, right, bottom = box.tolist()
    return Region((left + right) / 2, (top + bottom) / 2, 1.25 * (bottom - top), 0.0)


def box_of(pose: Pose) -> np.ndarray:
    return body_box_xyxy_px(pose.points_px, pose.visibility).astype(np.float64)


def found_at(network: LandmarkNetwork, rgb: np.ndarray, box: np.ndarray) -> Pose:
    """A pose after a second look."""
    first = network(rgb, [region_of(box)])[0]
    return network(rgb, [first.next_region])[0]


def test_somebody_behind_is_seen_once_the_one_in_front_is_painted_out(network, meeting):
    boxes = meeting.boxes_xyxy_px.astype(np.float64)
    nearer = int(np.argmax(boxes[:, 3]))
    front = found_at(network, meeting.rgb, boxes[nearer])
    assert box_iou(boxes[nearer : nearer + 1], box_of(front)[None])[0, 0] > 0.6
    hidden = region_of(boxes[1 - nearer])
    assert beside(hidden, [front]) == [front]
    behind = looked_behind(network, meeting.rgb, hidden, [front])
    assert behind is not None
    assert behind.presence > 0.9
    assert not same_person(behind, front)
    assert box_iou(boxes[1 - nearer][None], box_of(behind)[None])[0, 0] > 0.6


def test_nobody_is_seen_behind_somebody_alone(network, meeting):
    """The same picture, the other one cut away."""
    boxes = meeting.boxes_xyxy_px.astype(np.float64)
    nearer = int(np.argmax(boxes[:, 3]))
    front = found_at(network, meeting.rgb, boxes[nearer])
    rgb = np.full_like(meeting.rgb, 120)
    shape = rgb.shape[:2]
    own = silhouettes(shape, [front], lambda points: points)[..., None] > 0
    alone = np.where(own, meeting.rgb, rgb)
    region = region_of(boxes[nearer])
    for shift in (-0.2, 0.0, 0.2):
        moved = replace(region, x_px=region.x_px + shift * region.size_px)
        pose = looked_behind(network, alone, moved, [front])
        assert pose is None or pose.presence < 0.9


def test_two_are_looked_for_apart(network, meeting):
    """From where both were: each pose is of its own person."""
    boxes = meeting.boxes_xyxy_px.astype(np.float64)
    nearer = int(np.argmax(boxes[:, 3]))
    front = found_at(network, meeting.rgb, boxes[nearer])
    behind = looked_behind(network, meeting.rgb, region_of(boxes[1 - nearer]), [front])
    before = [front, behind]
    regions = [pose.next_region for pose in before]
    poses = looked_apart(network, meeting.rgb, regions, before)
    for pose, box in zip(poses, (boxes[nearer], boxes[1 - nearer]), strict=True):
        assert box_iou(box[None], box_of(pose)[None])[0, 0] > 0.6
    assert not same_person(*poses)
    plain = network(meeting.rgb, regions[:1])[0]
    unknown = looked_apart(network, meeting.rgb, regions[:1], [None])[0]
    np.testing.assert_array_equal(plain.points_px, unknown.points_px)


def test_only_the_person_is_painted_and_what_is_kept_stays(network, meeting):
    boxes = meeting.boxes_xyxy_px.astype(np.float64)
    front = found_at(network, meeting.rgb, boxes[int(np.argmax(boxes[:, 3]))])
    painted = meeting.rgb.copy()
    paint_out(painted, [front], lambda points: points)
    changed = (painted != meeting.rgb).any(axis=-1)
    y, x = np.nonzero(changed)
    left, top, right, bottom = box_of(front)
    slack = 0.25 * torso_px(front.points_px)
    assert x.min() > left - slack
    assert x.max() < right + slack
    assert y.min() > top - slack
    assert y.max() < bottom + slack
    assert changed.sum() > 0.2 * (right - left) * (bottom - top)
    kept = meeting.rgb.copy()
    paint_out(kept, [front], lambda points: points, keep=[front])
    np.testing.assert_array_equal(kept, meeting.rgb)
    paint_out(kept, [], lambda points: points)
    np.testing.assert_array_equal(kept, meeting.rgb)


def test_how_much_of_somebody_lies_on_another(network, meeting):
    boxes = meeting.boxes_xyxy_px.astype(np.float64)
    pose = found_at(network, meeting.rgb, boxes[0])
    away = replace(pose, points_px=pose.points_px + np.float32([2000, 0]))
    assert hidden_share(pose, [pose]) == 1.0
    assert hidden_share(pose, [away]) == 0.0
    lost = replace(pose, points_px=np.full_like(pose.points_px, np.nan))
    assert hidden_share(pose, [lost]) == 0.0


def test_boxes_fit_rendered_people(network, meeting):
    scene = crossing(load_body(EMBEDDED), seconds=1.0, fps=FPS)
    for picture in islice(film(scene), 0, None, 5):
        for box in picture.boxes_xyxy_px.astype(np.float64):
            pose = found_at(network, picture.rgb, box)
            assert box_iou(box[None], box_of(pose)[None])[0, 0] > 0.75

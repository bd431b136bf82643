"""Single sightings that went to the wrong one of two people who meet."""

from dataclasses import replace

import numpy as np

from stages.tracking.phalp.repair import repaired
from stages.tracking.phalp.tracklets import world_of
from tests.stages.tracking.scenes import bodies_of, boxes_at, detections_of, video_of


def crossing():
    """Two people, dressed apart, pass each other at frame 60; rows of the first and the second."""
    t = np.arange(120) / 30.0
    video = video_of(120)
    walks = [boxes_at(200 + 150 * t, 300), boxes_at(800 - 150 * t, 320)]
    detections = detections_of(walks, video)
    first, second = np.arange(0, 240, 2), np.arange(1, 240, 2)
    looks = np.full((240, 28), 30.0, np.float32)
    looks[second] += 12
    looks += np.random.default_rng(0).normal(size=looks.shape)
    bodies = replace(bodies_of(detections), appearance=looks.astype(np.float32))
    return world_of(video, detections, bodies, [first, second]), first, second


def test_frames_exchanged_during_a_meeting_are_given_back():
    world, first, second = crossing()
    swapped = slice(54, 57)
    a, b = first.copy(), second.copy()
    a[swapped], b[swapped] = second[swapped], first[swapped]
    (one, two), frames = repaired(world, [a, b])
    np.testing.assert_array_equal(one, first)
    np.testing.assert_array_equal(two, second)
    assert frames == [54, 55, 56]


def test_a_lone_sighting_goes_back_to_its_owner():
    world, first, second = crossing()
    a = np.delete(first, slice(54, 57))  # the first is hidden, the second's sighting is given to it
    a = np.sort(np.append(a, second[55]))
    b = np.delete(second, 55)
    (one, two), frames = repaired(world, [a, b])
    assert frames == [55]
    np.testing.assert_array_equal(one, np.delete(first, slice(54, 57)))
    np.testing.assert_array_equal(two, second)


def test_what_is_right_stays():
    world, first, second = crossing()
    (one, two), frames = repaired(world, [first, second])
    np.testing.assert_array_equal(one, first)
    np.testing.assert_array_equal(two, second)
    assert frames == []
    assert repaired(world, [first]) == ([first], [])

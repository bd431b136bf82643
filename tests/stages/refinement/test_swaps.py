from dataclasses import replace

import numpy as np
import pytest

from pipeline.events import EventLog
from pipeline.parts import Parts
from pipeline.skeletons import BLAZEPOSE33
from stages.refinement.smplify import swaps
from stages.refinement.smplify.swaps import sides_of
from tests.stages.refinement.moving_body import walk, with_noise

LEGS = BLAZEPOSE33.indices(
    *(f"{s}_{p}" for s in ("left", "right") for p in ("knee", "ankle", "heel", "foot_index"))
)


def exchanged(person, frames, points=slice(None)):
    order = np.arange(33)
    order[points] = BLAZEPOSE33.mirror[points]
    keypoints_px, landmarks_m = person.keypoints_px.copy(), person.landmarks_m.copy()
    keypoints_px[frames] = keypoints_px[frames][:, order]
    landmarks_m[frames] = landmarks_m[frames][:, order]
    return replace(person, keypoints_px=keypoints_px, landmarks_m=landmarks_m)


def unswap(person, parts):
    """The person in order, and in which frames it was not."""
    sides = sides_of(person, parts)
    return sides.in_order(), sides.changed


def noisy():
    return with_noise(walk(seconds=3.0).person, pixels=4.0, metres=0.04)


def test_a_person_without_swaps_is_left_alone():
    person = noisy()
    ordered, changed = unswap(person, Parts())
    assert not changed.any()
    np.testing.assert_array_equal(ordered.keypoints_px, person.keypoints_px)


@pytest.mark.parametrize("frames", [[40], list(range(20, 32)), list(range(10, 40)), [5, 50, 51]])
@pytest.mark.parametrize("points", [slice(None), LEGS], ids=["whole", "legs"])
def test_swapped_frames_are_put_back(frames, points):
    person = noisy()
    ordered, changed = unswap(exchanged(person, frames, points), Parts())
    assert np.flatnonzero(changed).tolist() == frames
    moving = BLAZEPOSE33.indices("left_ankle", "right_wrist", "left_knee", "left_ear")
    np.testing.assert_array_equal(ordered.keypoints_px[:, moving], person.keypoints_px[:, moving])
    np.testing.assert_array_equal(ordered.landmarks_m[:, moving], person.landmarks_m[:, moving])


def test_swaps_beside_a_gap_are_put_back():
    person = noisy()
    damaged = exchanged(person, list(range(30, 36)))
    keypoints_px, status = damaged.keypoints_px.copy(), damaged.status.copy()
    keypoints_px[36:39], status[36:39] = np.nan, 0
    _, changed = unswap(replace(damaged, keypoints_px=keypoints_px, status=status), Parts())
    assert np.flatnonzero(changed).tolist() == list(range(30, 36))


@pytest.mark.parametrize("frames", [1, 2])
def test_too_few_frames_to_judge_are_left_alone(frames):
    person = walk(seconds=frames / 30.0).person
    ordered, changed = unswap(person, Parts())
    assert ordered is person
    assert not changed.any()


def test_one_frame_of_nonsense_does_not_turn_the_others_round():
    person = noisy()
    keypoints_px, landmarks_m = person.keypoints_px.copy(), person.landmarks_m.copy()
    rng = np.random.default_rng(8)
    keypoints_px[30, :, :2] += rng.normal(0, 120, (33, 2)).astype(np.float32)
    landmarks_m[30] += rng.normal(0, 0.3, (33, 3)).astype(np.float32)
    _, changed = unswap(
        replace(person, keypoints_px=keypoints_px, landmarks_m=landmarks_m), Parts()
    )
    assert not np.delete(changed, 30).any()


def test_an_interrupted_course_goes_on_behind_its_blocks(tmp_path, monkeypatch):
    person = exchanged(noisy(), list(range(20, 32)))
    expected = unswap(person, Parts())
    monkeypatch.setattr(swaps, "BLOCK_FRAMES", 20)
    gone_on, calls = swaps._gone_on, []

    def counted(points, step_s, cost):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(len(points))
        return gone_on(points, step_s, cost)

    monkeypatch.setattr(swaps, "_gone_on", counted)
    parts, events = Parts(0.0), EventLog()
    with pytest.raises(KeyboardInterrupt), parts.kept_in(tmp_path, "this person", events):
        unswap(person, parts)
    calls.clear()
    with parts.kept_in(tmp_path, "this person", events):
        ordered, changed = unswap(person, parts)
    assert calls == [22, 10]  # 90 frames: two to begin with, then four blocks of 20, and eight
    np.testing.assert_array_equal(changed, expected[1])
    np.testing.assert_array_equal(ordered.keypoints_px, expected[0].keypoints_px)

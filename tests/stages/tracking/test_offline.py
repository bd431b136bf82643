"""Tracks judged again over the whole video."""

from dataclasses import replace

import numpy as np

from pipeline.context import Context
from stages.tracking.phalp.links import OVERLAP_S
from stages.tracking.phalp.offline import associated
from stages.tracking.phalp.tracklets import world_of
from tests.stages.tracking.scenes import bodies_of, boxes_at, detections_of, video_of

FRAMES, GOES_OVER, LOOKS_LIKE_IT_S = 120, 60, 0.1


def test_a_track_that_goes_over_is_left_for_the_new_one_that_began_before_it_was_seen_to_have():
    """One comes out from behind another, whose track follows him; the other's begins anew.

    For some frames more he looks like the other, so that only then the track is seen to have gone.
    """
    frame = np.arange(FRAMES)
    front, behind = boxes_at(np.full(FRAMES, 500.0)), boxes_at(500 - 5.0 * (frame - GOES_OVER))
    behind[:, [1, 3]] -= 10
    behind[41:GOES_OVER] = np.nan
    video = video_of(FRAMES)
    detections = detections_of([front, behind], video)
    is_front = detections.boxes_xyxy_px[:, 1] == front[0, 1]
    assert is_front.sum() == FRAMES
    late = LOOKS_LIKE_IT_S * video.fps
    after = detections.frame_index >= GOES_OVER
    like_front = is_front | (after & (detections.frame_index < GOES_OVER + late))
    assert late / video.fps <= OVERLAP_S
    rng = np.random.default_rng(0)
    looks = np.where(like_front, 25.0, 60.0)[:, None] + rng.normal(size=(len(detections), 28))
    bodies = replace(bodies_of(detections), appearance=looks.astype(np.float32))
    tracks = [
        np.flatnonzero(np.where(after, ~is_front, is_front)),
        np.flatnonzero(~is_front & ~after),
        np.flatnonzero(is_front & after),
    ]
    found = associated(world_of(video, detections, bodies, tracks), tracks, 20.0, Context())
    assert len(found) == 2
    (kept,) = (track for track in found if is_front[track[0]])
    np.testing.assert_array_equal(kept, np.flatnonzero(is_front))
    (other,) = (track for track in found if not is_front[track[0]])
    assert set(other) <= set(np.flatnonzero(~is_front))
    assert len(other) >= (~is_front).sum() - late
    assert (np.diff(detections.frame_index[other]) > 0).all()

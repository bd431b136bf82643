"""From lists of sightings to `Person` objects; shared by every tracker."""

from collections.abc import Sequence

import numpy as np

from pipeline.blocks import blocks
from pipeline.context import Context
from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from pipeline.types import Bodies, Detections, Person, Status, Video

TOLD_ONE_BY_ONE = 20
BLOCK_FRAMES = 4000
"""That are interpolated at once: quaternions take much room."""

Sightings = np.ndarray
"""(m,) indices into the detections of one person, in order of frame, one a frame."""


def usable(video: Video, detections: Detections, bodies: Bodies, context: Context) -> np.ndarray:
    """(n,) bool: detections that can be tracked; an event tells of those that cannot."""
    assert len(detections) == len(bodies), "one body per detection"
    boxes = detections.boxes_xyxy_px
    frame = detections.frame_index
    with np.errstate(invalid="ignore"):
        has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    has_box = has_area & np.isfinite(boxes).all(axis=1) & np.isfinite(detections.score)
    has_body = np.isfinite(bodies.pose_rotvec).all(axis=(1, 2))
    has_body &= np.isfinite(bodies.t_camera_m).all(axis=1) & np.isfinite(bodies.betas).all(axis=1)
    in_video = (frame >= video.first_frame) & (frame < video.first_frame + video.frame_count)
    for good, fault in (
        (has_box, "a box that is not finite or has no area"),
        (has_body, "a body that is not finite"),
        (in_video, "a frame outside of the video"),
    ):
        if not good.all():
            first = int(frame[~good].min())
            context.events.record(
                "tracking",
                "drop",
                f"{int((~good).sum())} of {len(detections)} detections dropped: "
                f"{fault}; the first is in frame {first}.",
                frame_index=first,
            )
    return has_box & has_body & in_video


def long_enough(
    tracks: Sequence[Sightings],
    video: Video,
    detections: Detections,
    min_seen_s: float,
    context: Context,
) -> list[Sightings]:
    """Tracks that were sighted for `min_seen_s` in all; events tell of the others.

    Of a video so short that nobody could be sighted for as long, half its frames suffice.
    """
    needed = min(round(min_seen_s * video.fps), (video.frame_count + 1) // 2)
    short = [track for track in tracks if len(track) < needed]
    for track in short[:TOLD_ONE_BY_ONE]:
        first, last = detections.frame_index[track[[0, -1]]]
        context.events.record(
            "tracking",
            "drop",
            f"Somebody seen in {len(track)} frames only (frames {first} to {last}) dropped: "
            f"fewer than {needed} frames ({min_seen_s:g} s).",
            frame_index=int(first),
        )
    if len(short) > TOLD_ONE_BY_ONE:
        context.events.record(
            "tracking",
            "drop",
            f"{len(short) - TOLD_ONE_BY_ONE} more tracks of fewer than {needed} frames dropped.",
        )
    return [track for track in tracks if len(track) >= needed]


def people_of(
    tracks: Sequence[Sightings], video: Video, detections: Detections, bodies: Bodies
) -> tuple[Person, ...]:
    """The tracks as people, numbered by first appearance (in one frame: from left to right)."""
    boxes = detections.boxes_xyxy_px

    def first_seen(track: Sightings) -> tuple[float, ...]:
        return (float(detections.frame_index[track[0]]), *map(float, boxes[track[0]]))

    ordered = sorted(tracks, key=first_seen)
    return tuple(
        _person(number, track, video, detections, bodies)
        for number, track in enumerate(ordered, start=1)
    )


def _person(
    number: int, track: Sightings, video: Video, detections: Detections, bodies: Bodies
) -> Person:
    seen = detections.frame_index[track]
    frames = np.arange(seen[0], seen[-1] + 1, dtype=np.int32)
    rows = seen - seen[0]
    time_s, known_s = video.times_of(frames), video.times_of(seen)
    known_pose, known_place = bodies.pose_rotvec[track], bodies.t_camera_m[track]
    pose = _spread(known_pose, rows, len(frames))
    place = _spread(known_place, rows, len(frames))
    gap = np.flatnonzero(np.isnan(place[:, 0]))
    for some in blocks(len(gap), BLOCK_FRAMES):
        missing_s = time_s[gap[some]]
        pose[gap[some]] = interpolate_rotvec(known_s, known_pose, missing_s)
        place[gap[some]] = interpolate_linear(known_s, known_place, missing_s)
    status = np.full(len(frames), Status.MISSING, dtype=np.uint8)
    status[rows] = Status.OBSERVED
    confidence = np.zeros(len(frames), dtype=np.float32)
    confidence[rows] = np.clip(detections.score[track], 0, 1)
    return Person(
        id=number,
        frame_index=frames,
        time_s=time_s,
        status=status,
        confidence=confidence,
        pose_rotvec=pose,
        betas=np.median(bodies.betas[track], axis=0).astype(np.float32),
        t_camera_m=place,
        boxes_xyxy_px=_spread(detections.boxes_xyxy_px[track], rows, len(frames)),
        skeleton=detections.skeleton,
        keypoints_px=_spread_optional(detections.landmarks_px, track, rows, len(frames)),
        landmarks_m=_spread_optional(detections.landmarks_m, track, rows, len(frames)),
        pose_spread_rad=_spread_optional(bodies.pose_spread_rad, track, rows, len(frames)),
    )


def _spread(values: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """`values` at `rows` of an array of `count` rows that is NaN elsewhere."""
    out = np.full((count, *values.shape[1:]), np.nan, dtype=np.float32)
    out[rows] = values
    return out


def _spread_optional(
    values: np.ndarray | None, track: Sightings, rows: np.ndarray, count: int
) -> np.ndarray | None:
    return None if values is None else _spread(values[track], rows, count)

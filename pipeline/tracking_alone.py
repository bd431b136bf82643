"""Association alone: boxes in, boxes with ids out; looks and cuts from the video where it is there.

Without bodies, a person stands upright where a person of common height fills its box.
"""

from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import backends
from pipeline.appearance import appearance_of
from pipeline.camera import back_project, intrinsics
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.shots import find_cuts, signature
from pipeline.types import Bodies, Camera, Detections, Person, Video
from pipeline.video import open_video, read_frames

COMMON_HEIGHT_M = 1.7
SMALLEST_PX = 1e-3
BATCH_FRAMES = 16


@dataclass(frozen=True)
class BoxesInVideo:
    """Given boxes, and what is known of the pictures they were found in."""

    video: Video
    detections: Detections
    looks: np.ndarray | None
    """(n, d) appearance; None without pictures."""


def boxes_without_video(boxes: Detections, fps: float, name: str) -> BoxesInVideo:
    """Boxes of a video that is not there: as large as the boxes reach, as long as they go."""
    if not len(boxes):
        raise InputError(f"{name}: holds no boxes")
    reach = np.nanmax(boxes.boxes_xyxy_px, axis=0)
    frames = int(boxes.frame_index.max()) + 1
    video = Video(
        path=Path(name),
        width_px=int(np.ceil(max(reach[2], 1))),
        height_px=int(np.ceil(max(reach[3], 1))),
        first_frame=0,
        time_s=np.arange(frames) / fps,
        rotation_deg=0,
        has_audio=False,
        codec="none",
    )
    return BoxesInVideo(video, boxes, None)


def boxes_in_video(
    boxes: Detections,
    path: Path,
    context: Context,
    *,
    boxes_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    last_frame: int | None = None,
) -> BoxesInVideo:
    """Boxes with the looks of the people in them, and the video's cuts; decodes it once.

    Args:
        boxes: of this video's frames; those beyond its end are left out, with an event.
        path: the video.
        context: for events and progress.
        boxes_size_px: width and height of the pictures that the boxes were found in, where the
            video has another size.
        fps: the true frame rate, where the file tells another.
        last_frame: frames from here on are not looked at.

    Raises:
        InputError: the video is unusable.
    """
    video = open_video(path, events=context.events)
    if boxes_size_px is not None:
        ratio = video.width_px / boxes_size_px[0], video.height_px / boxes_size_px[1]
        boxes = scaled(boxes, *ratio)
    count = min(video.frame_count, last_frame or video.frame_count)
    inside = boxes.frame_index < count
    if not inside.all():
        context.events.record(
            "detection",
            "drop",
            f"{int((~inside).sum())} boxes lie beyond the video's {count} frames.",
        )
    detections = _part(boxes, inside)
    looks, cuts = _looked_at(video, detections, count, context)
    time_s = video.time_s[:count] if fps is None else np.arange(count) / fps
    return BoxesInVideo(replace(video, time_s=time_s, cut_frames=cuts), detections, looks)


def _looked_at(
    video: Video, detections: Detections, count: int, context: Context
) -> tuple[np.ndarray, np.ndarray]:
    """Appearance of all detections and the frames that begin new shots."""
    looks, signatures = [], []
    frames = islice(read_frames(video, events=context.events), count)
    with context.progress("Looking at people", count) as advance:
        while batch := list(islice(frames, BATCH_FRAMES)):
            first, last = batch[0].index, batch[-1].index
            rows = (detections.frame_index >= first) & (detections.frame_index <= last)
            looks.append(appearance_of(batch, _part(detections, rows)))
            signatures += [signature(frame.rgb) for frame in batch]
            advance(len(batch))
    return np.concatenate(looks), find_cuts(np.stack(signatures))


def scaled(boxes: Detections, x: float, y: float) -> Detections:
    """Boxes and landmarks of a picture of another size."""
    points = boxes.landmarks_px
    if points is not None:
        points = (points * np.array([x, y, 1])).astype(np.float32)
    moved = (boxes.boxes_xyxy_px * np.array([x, y, x, y])).astype(np.float32)
    return replace(boxes, boxes_xyxy_px=moved, landmarks_px=points)


def _part(detections: Detections, rows: np.ndarray) -> Detections:
    values = {field.name: getattr(detections, field.name) for field in fields(Detections)}
    return Detections(**{k: v[rows] if isinstance(v, np.ndarray) else v for k, v in values.items()})


def track_alone(
    given: BoxesInVideo, backend: str, options: dict[str, Any], context: Context
) -> tuple[Person, ...]:
    """The people in given boxes, by the tracker of that name.

    Raises:
        SettingsError, MissingError: there is no such tracker, or not with these options.
    """
    width_px, height_px = given.video.width_px, given.video.height_px
    camera = Camera(
        intrinsics(float(np.hypot(width_px, height_px)), width_px, height_px), "assumed"
    )
    bodies = replace(standing_bodies(given.detections, camera), appearance=given.looks)
    tracker = backends.make(
        "tracking", backend, backends.make_config("tracking", backend, options), context
    )
    people: tuple[Person, ...] = tracker(given.video, given.detections, bodies, camera)
    return people


def standing_bodies(detections: Detections, camera: Camera) -> Bodies:
    """Upright bodies in the rest pose, so far away that they fill their boxes."""
    boxes = np.nan_to_num(detections.boxes_xyxy_px.astype(np.float64))
    height_px = np.maximum(boxes[:, 3] - boxes[:, 1], SMALLEST_PX)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    depth_m = camera.K_px[1, 1] * COMMON_HEIGHT_M / height_px
    count = len(boxes)
    return Bodies(
        np.zeros((count, 24, 3), np.float32),
        np.zeros((count, 10), np.float32),
        back_project(middle, depth_m, camera.K_px).astype(np.float32),
    )

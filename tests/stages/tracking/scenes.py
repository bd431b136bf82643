"""Made-up people who move through a picture, as detections and bodies."""

from pathlib import Path

import numpy as np

from pipeline.context import Context
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking.sort import Backend, Config

CAMERA = Camera(np.diag([1000.0, 1000.0, 1.0]), "assumed")


def video_of(frames: int, fps: float = 30.0, first_frame: int = 0) -> Video:
    time_s = (first_frame + np.arange(frames)) / fps
    return Video(Path("x.mp4"), 1280, 720, first_frame, time_s, 0, False, "h264")


def boxes_at(x: np.ndarray, y: float = 300.0, height: float = 200.0) -> np.ndarray:
    """(f, 4) boxes of a standing person with centre x; NaN where nobody was detected."""
    half_width, half_height = 0.2 * height, 0.5 * height
    ones = np.ones_like(x)
    return np.stack(
        [x - half_width, (y - half_height) * ones, x + half_width, (y + half_height) * ones], 1
    )


def detections_of(
    walks: list[np.ndarray],
    video: Video,
    scores: list[float] | None = None,
    seed: int | None = None,
    landmarks: bool = False,
) -> Detections:
    """Detections of walks, each (f, 4) with rows of NaN where unseen, frame by frame."""
    rows = [
        (frame, walk[frame - video.first_frame], number)
        for frame in video.frame_index
        for number, walk in enumerate(walks)
        if np.isfinite(walk[frame - video.first_frame]).all()
    ]
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(rows))
        rows = sorted((rows[i] for i in order), key=lambda row: row[0])
    who = np.array([number for _, _, number in rows], dtype=int)
    boxes = np.array([box for _, box, _ in rows], dtype=np.float32).reshape(-1, 4)
    level = np.array(scores or [0.9] * len(walks), dtype=np.float32)
    return Detections(
        np.array([frame for frame, _, _ in rows], dtype=np.int32),
        boxes,
        level[who] if len(who) else np.zeros(0, np.float32),
        "coco17" if landmarks else None,
        _landmarks(boxes, who) if landmarks else None,
    )


def _landmarks(boxes: np.ndarray, who: np.ndarray) -> np.ndarray:
    """(n, 17, 3): every walk holds a pose of its own inside of its box."""
    poses = np.random.default_rng(7).uniform(0, 1, (1 + who.max(initial=0), 17, 2))
    places = boxes[:, None, :2] + poses[who] * (boxes[:, None, 2:] - boxes[:, None, :2])
    return np.concatenate([places, np.ones_like(places[..., :1])], -1).astype(np.float32)


def bodies_of(detections: Detections) -> Bodies:
    """A body per detection whose place tells its box's centre in units of 100 px."""
    count = len(detections)
    boxes = detections.boxes_xyxy_px
    pose = np.zeros((count, 24, 3), np.float32)
    pose[:, 0, 1] = detections.frame_index * 0.01
    place = np.full((count, 3), 5, np.float32)
    place[:, 0] = np.nan_to_num(boxes[:, 0] + boxes[:, 2]) / 200
    return Bodies(pose, np.zeros((count, 10), np.float32), place)


def track(
    video: Video, detections: Detections, context: Context | None = None, **settings: float
) -> tuple[Person, ...]:
    backend = Backend(Config(**settings), context or Context())
    return backend(video, detections, bodies_of(detections), CAMERA)


def centres_px(person: Person) -> np.ndarray:
    """(t,) x of the box's centre."""
    return (person.boxes_xyxy_px[:, 0] + person.boxes_xyxy_px[:, 2]) / 2

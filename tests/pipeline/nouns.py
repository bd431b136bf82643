"""Small nouns for tests: a video, detections, bodies and people with distinct numbers in them."""

from pathlib import Path

import numpy as np

from pipeline.types import Bodies, Camera, Detections, Person, Status, Video


def a_video(frames: int = 10, fps: float = 30.0, first_frame: int = 0) -> Video:
    return Video(
        path=Path("clip.mp4"),
        width_px=640,
        height_px=480,
        first_frame=first_frame,
        time_s=(first_frame + np.arange(frames)) / fps,
        rotation_deg=0,
        has_audio=False,
        codec="h264",
    )


def a_camera() -> Camera:
    return Camera(np.array([[800.0, 0, 320], [0, 800, 240], [0, 0, 1]]), "given")


def some_detections(frame_index: list[int], landmarks: bool = True) -> Detections:
    n = len(frame_index)
    rng = np.random.default_rng(n)
    return Detections(
        frame_index=np.array(frame_index, np.int32),
        boxes_xyxy_px=rng.uniform(0, 100, (n, 4)).astype(np.float32),
        score=rng.uniform(0, 1, n).astype(np.float32),
        skeleton="blazepose33" if landmarks else None,
        landmarks_px=rng.normal(size=(n, 33, 3)).astype(np.float32) if landmarks else None,
        landmarks_m=rng.normal(size=(n, 33, 3)).astype(np.float32) if landmarks else None,
    )


def some_bodies(n: int) -> Bodies:
    rng = np.random.default_rng(n)
    return Bodies(
        pose_rotvec=rng.normal(0, 0.3, (n, 24, 3)).astype(np.float32),
        betas=rng.normal(size=(n, 10)).astype(np.float32),
        t_camera_m=rng.normal(size=(n, 3)).astype(np.float32),
    )


def a_person(
    person_id: int = 1, first_frame: int = 0, frames: int = 8, unseen: tuple[int, ...] = ()
) -> Person:
    """Someone upright before the camera; rows in `unseen` are MISSING."""
    rng = np.random.default_rng(person_id)
    status = np.full(frames, Status.OBSERVED, np.uint8)
    status[list(unseen)] = Status.MISSING
    seen = status == Status.OBSERVED
    boxes = np.tile(np.array([100, 100, 200, 400], np.float32), (frames, 1))
    keypoints = rng.uniform(0, 400, (frames, 33, 3)).astype(np.float32)
    keypoints[..., 2] = 0.9
    pose = rng.normal(0, 0.1, (frames, 24, 3)).astype(np.float32)
    pose[:, 0] = (np.pi, 0, 0)
    return Person(
        id=person_id,
        frame_index=np.arange(first_frame, first_frame + frames, dtype=np.int32),
        time_s=np.arange(first_frame, first_frame + frames) / 30.0,
        status=status,
        confidence=np.where(seen, 0.8, 0.0).astype(np.float32),
        pose_rotvec=pose,
        betas=rng.normal(size=10).astype(np.float32),
        t_camera_m=np.tile(np.array([0, 0, 4], np.float32), (frames, 1)),
        boxes_xyxy_px=np.where(seen[:, None], boxes, np.nan).astype(np.float32),
        skeleton="blazepose33",
        keypoints_px=np.where(seen[:, None, None], keypoints, np.nan).astype(np.float32),
        landmarks_m=None,
    )


RUN_FACTS = {
    "settings": {},
    "licences": {"verdict": "free", "used": []},
    "video": {
        "path": "clip.mp4",
        "width_px": 640,
        "height_px": 480,
        "first_frame": 0,
        "frame_count": 10,
        "fps": 30.0,
        "duration_s": 0.3,
        "has_audio": False,
        "codec": "h264",
    },
    "camera": {"K_px": [[800.0, 0, 320], [0, 800, 240], [0, 0, 1]], "origin": "given"},
}
"""What every complete run.json says beside events and what was made."""

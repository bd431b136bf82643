"""People with a known motion."""

import numpy as np

from pipeline.types import Person, Status


def person_of(
    time_s: np.ndarray,
    root_rotvec: np.ndarray | None = None,
    place_m: np.ndarray | None = None,
    missing: np.ndarray | None = None,
) -> Person:
    """A person whose every joint turns as the root does; by default a still one, 4 m away."""
    count = len(time_s)
    rotvec = np.zeros((count, 3)) if root_rotvec is None else root_rotvec
    place = np.tile([0.3, 0.1, 4.0], (count, 1)) if place_m is None else place_m
    gap = np.zeros(count, bool) if missing is None else missing
    boxes = np.tile(np.float32([10, 20, 110, 220]), (count, 1))
    boxes[gap] = np.nan
    return Person(
        id=1,
        frame_index=np.arange(count, dtype=np.int32),
        time_s=time_s,
        status=np.where(gap, Status.MISSING, Status.OBSERVED).astype(np.uint8),
        confidence=np.where(gap, 0, 0.8).astype(np.float32),
        pose_rotvec=np.repeat(rotvec[:, None], 24, axis=1).astype(np.float32),
        betas=np.linspace(-1, 1, 10).astype(np.float32),
        t_camera_m=place.astype(np.float32),
        boxes_xyxy_px=boxes,
    )

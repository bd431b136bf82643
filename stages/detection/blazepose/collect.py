"""From poses per frame to the noun that travels on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from pipeline.frame import Frame
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Detections
from stages.detection.blazepose.boxes import body_box_xyxy_px
from stages.detection.blazepose.landmarks import Pose


@dataclass(frozen=True)
class LandmarkArrays:
    """The fields of `Detections` that hold landmarks, n of them."""

    landmarks_px: Float32[np.ndarray, "n 33 3"]
    landmarks_m: Float32[np.ndarray, "n 33 3"]


def detections_of(frames: Sequence[Frame], poses: Sequence[Sequence[Pose]]) -> Detections:
    """All poses of all frames as `Detections`."""
    flat = [(frame.index, pose) for frame, seen in zip(frames, poses, strict=True) for pose in seen]
    boxes = [body_box_xyxy_px(pose.points_px, pose.visibility) for _, pose in flat]
    arrays = landmark_arrays([pose for _, pose in flat])
    return Detections(
        frame_index=np.array([index for index, _ in flat], np.int32),
        boxes_xyxy_px=np.array(boxes, np.float32).reshape(-1, 4),
        score=np.array([pose.presence for _, pose in flat], np.float32),
        skeleton=BLAZEPOSE33.name,
        landmarks_px=arrays.landmarks_px,
        landmarks_m=arrays.landmarks_m,
    )


def landmark_arrays(poses: Sequence[Pose]) -> LandmarkArrays:
    """The landmarks of several poses, stacked."""
    count = len(BLAZEPOSE33)
    points = [np.column_stack([pose.points_px, pose.visibility]) for pose in poses]
    return LandmarkArrays(
        np.array(points, np.float32).reshape(-1, count, 3),
        np.array([pose.points_m for pose in poses], np.float32).reshape(-1, count, 3),
    )

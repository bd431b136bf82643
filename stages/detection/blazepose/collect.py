"""From poses per frame to the noun that travels on."""

from collections.abc import Sequence

import numpy as np

from pipeline.frame import Frame
from pipeline.skeletons import BLAZEPOSE33
from pipeline.types import Detections
from stages.detection.blazepose.boxes import body_box_xyxy_px
from stages.detection.blazepose.landmarks import Pose


def detections_of(frames: Sequence[Frame], poses: Sequence[Sequence[Pose]]) -> Detections:
    """All poses of all frames as `Detections`."""
    count = len(BLAZEPOSE33)
    flat = [(frame.index, pose) for frame, seen in zip(frames, poses, strict=True) for pose in seen]
    boxes = [body_box_xyxy_px(pose.points_px, pose.visibility) for _, pose in flat]
    points = [np.column_stack([pose.points_px, pose.visibility]) for _, pose in flat]
    return Detections(
        frame_index=np.array([index for index, _ in flat], np.int32),
        boxes_xyxy_px=np.array(boxes, np.float32).reshape(-1, 4),
        score=np.array([pose.presence for _, pose in flat], np.float32),
        skeleton=BLAZEPOSE33.name,
        landmarks_px=np.array(points, np.float32).reshape(-1, count, 3),
        landmarks_m=np.array([pose.points_m for _, pose in flat], np.float32).reshape(-1, count, 3),
    )

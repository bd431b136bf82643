"""Boxes that cannot be cropped, refused in words."""

from collections.abc import Sequence

import numpy as np

from pipeline.errors import InputError
from pipeline.frame import Frame
from pipeline.types import Detections


def check_boxes(frames: Sequence[Frame], detections: Detections) -> None:
    """Raise unless every box is finite, has an area and overlaps its frame.

    Raises:
        InputError: the text names the frame, the box and what is wrong with it.
    """
    if not len(detections):
        return
    sizes_px = {frame.index: (frame.width_px, frame.height_px) for frame in frames}
    for frame_index, box in zip(
        detections.frame_index.tolist(), detections.boxes_xyxy_px, strict=True
    ):
        fault = _fault(box, *sizes_px[frame_index])
        if fault:
            shown = ", ".join(f"{value:g}" for value in box)
            raise InputError(
                f"frame {frame_index}: the box ({shown}) {fault}; boxes are left, top, right, "
                "bottom in pixels. Correct or remove it"
            )


def _fault(box: np.ndarray, width_px: int, height_px: int) -> str | None:
    left, top, right, bottom = box.tolist()
    if not np.isfinite(box).all():
        return "is not made of finite numbers"
    if right <= left or bottom <= top:
        return "has no area"
    if right <= 0 or bottom <= 0 or left >= width_px or top >= height_px:
        return f"lies beside the picture of {width_px}x{height_px} px"
    return None

"""A canvas as a PNG file."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from pipeline.files import written_aside
from pipeline.views.canvas import straight

OPAQUE = 255
PNG_QUICK = [cv2.IMWRITE_PNG_COMPRESSION, 3]


def write_png(path: Path, canvas: UInt8[np.ndarray, "h w 4"]) -> None:
    """RGBA where something shows through, else RGB."""
    opaque = bool((canvas[..., 3] == OPAQUE).all())
    rgba = canvas if opaque else straight(canvas)
    order = [2, 1, 0] if opaque else [2, 1, 0, 3]
    done, data = cv2.imencode(".png", np.ascontiguousarray(rgba[..., order]), PNG_QUICK)
    assert done, "OpenCV encodes every picture as PNG"
    with written_aside(path) as aside:
        aside.write_bytes(data.tobytes())

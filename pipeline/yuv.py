"""A picture as 4:2:0 luma and chroma planes, and the one home of the RGB <-> YUV numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, UInt8

Matrix = Literal["bt601", "bt709"]

LUMA_WEIGHTS: dict[str, tuple[float, float, float]] = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
}
"""Kr, Kg, Kb of ITU-R BT.601 and BT.709."""


@dataclass(frozen=True)
class YuvImage:
    """A 4:2:0 picture whose planes may be drawn on; sizes are even, padded at right and bottom.

    The planes are C-contiguous and writable; they may be three views of one buffer.
    """

    y: UInt8[np.ndarray, "h w"]
    """Luma; h and w are `height_px` and `width_px` rounded up to even."""
    u: UInt8[np.ndarray, "h2 w2"]
    """Cb, half the size of `y`."""
    v: UInt8[np.ndarray, "h2 w2"]
    """Cr, half the size of `y`."""
    width_px: int
    """Width of the picture proper; an odd one has a column of padding in `y`."""
    height_px: int
    """Height of the picture proper; an odd one has a row of padding in `y`."""
    matrix: Matrix
    full_range: bool
    """True: 0-255 (JPEG); False: luma 16-235, chroma 16-240 (video)."""


def empty_yuv(width_px: int, height_px: int, matrix: Matrix, full_range: bool) -> YuvImage:
    """An uninitialised picture whose planes lie behind each other in one buffer (I420)."""
    width, height = width_px + width_px % 2, height_px + height_px % 2
    buffer = np.empty(width * height * 3 // 2, dtype=np.uint8)
    luma, chroma = width * height, width * height // 4
    return YuvImage(
        y=buffer[:luma].reshape(height, width),
        u=buffer[luma : luma + chroma].reshape(height // 2, width // 2),
        v=buffer[luma + chroma :].reshape(height // 2, width // 2),
        width_px=width_px,
        height_px=height_px,
        matrix=matrix,
        full_range=full_range,
    )


def rgb_to_yuv_matrix(
    matrix: Matrix, full_range: bool
) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, " 3"]]:
    """M and offset with ``yuv = M @ rgb + offset``, all of them 0-255 (ITU-R BT.601-7, BT.709-6).

    The inverse is ``rgb = inv(M) @ (yuv - offset)``.
    """
    kr, kg, kb = LUMA_WEIGHTS[matrix]
    luma = np.array([kr, kg, kb])
    cb = (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 * (1.0 - kb))
    cr = (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 * (1.0 - kr))
    if full_range:
        return np.stack([luma, cb, cr]), np.array([0.0, 128.0, 128.0])
    scale = np.array([[219.0], [224.0], [224.0]]) / 255.0
    return np.stack([luma, cb, cr]) * scale, np.array([16.0, 128.0, 128.0])


def rgb_to_yuv(
    rgb: UInt8[np.ndarray, "... 3"], matrix: Matrix, full_range: bool
) -> UInt8[np.ndarray, "... 3"]:
    """Colours (not whole pictures: those go through swscale) to Y, Cb, Cr, rounded."""
    coefficients, offset = rgb_to_yuv_matrix(matrix, full_range)
    yuv = rgb.astype(np.float64) @ coefficients.T + offset
    return np.clip(np.rint(yuv), 0, 255).astype(np.uint8)

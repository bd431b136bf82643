"""How a frame is laid into the network's picture, and how places in it are brought back.

The frame is scaled as a whole to fit a square, and padded evenly on both sides up to the next
multiple of the network's stride, as ultralytics does for a run over one video (its LetterBox with
`auto`): the same picture, pixel for pixel. Places come back by the exact ratio of each side, which
ultralytics rounds.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

GREY = 114
"""The padding that the networks were trained with."""


@dataclass(frozen=True)
class Letterbox:
    """The place of frames of one size in the network's picture."""

    frame_wh_px: tuple[int, int]
    scaled_wh_px: tuple[int, int]
    """Size of the frame in the network's picture."""
    left_top_px: tuple[int, int]
    """Where the frame begins there."""
    padded_wh_px: tuple[int, int]
    """Size of the network's picture."""

    @classmethod
    def fitted(cls, frame_wh_px: tuple[int, int], image_px: int, stride_px: int) -> "Letterbox":
        """The letterbox whose longer side has `image_px` (rounded up to the stride)."""
        side_px = -(-image_px // stride_px) * stride_px
        ratio = min(side_px / frame_wh_px[0], side_px / frame_wh_px[1])
        scaled = tuple(max(round(length * ratio), 1) for length in frame_wh_px)
        padding = [(side_px - length) % stride_px for length in scaled]
        left, top = (round(px / 2 - 0.1) for px in padding)
        width, height = (length + px for length, px in zip(scaled, padding, strict=True))
        return cls(frame_wh_px, (scaled[0], scaled[1]), (left, top), (width, height))

    def image(self, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "y x 3"]:
        """The network's picture of a frame."""
        (width, height), (left, top) = self.scaled_wh_px, self.left_top_px
        padded = np.full((*self.padded_wh_px[::-1], 3), GREY, dtype=np.uint8)
        if self.scaled_wh_px != self.frame_wh_px:
            rgb = cv2.resize(rgb, self.scaled_wh_px, interpolation=cv2.INTER_LINEAR)
        padded[top : top + height, left : left + width] = rgb
        return padded

    def to_frame(self, xy_px: Float32[np.ndarray, "*n 2"]) -> Float32[np.ndarray, "*n 2"]:
        """Places in the network's picture as places in the frame."""
        scale = np.divide(self.frame_wh_px, self.scaled_wh_px)
        return ((xy_px - np.array(self.left_top_px)) * scale).astype(np.float32)

    def from_frame(self, xy_px: Float32[np.ndarray, "*n 2"]) -> Float32[np.ndarray, "*n 2"]:
        """Places in the frame as places in the network's picture."""
        scale = np.divide(self.scaled_wh_px, self.frame_wh_px)
        return (xy_px * scale + np.array(self.left_top_px)).astype(np.float32)

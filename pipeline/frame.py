"""One decoded picture: upright, with its index and time, as RGB or as 4:2:0 planes."""

import math
import threading
from dataclasses import dataclass
from functools import cached_property

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from jaxtyping import Shaped, UInt8

from pipeline.yuv import Matrix, YuvImage, empty_yuv

AVCOL_SPC_MATRIX: dict[int, Matrix] = {1: "bt709", 5: "bt601", 6: "bt601"}
"""FFmpeg's AVColorSpace numbers of the matrices that a `YuvImage` can have."""
AVCOL_SPC_UNSPECIFIED = 2
SWSCALE_MATRIX = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709}
HD_WIDTH_PX = 1280
HD_HEIGHT_PX = 720

_local = threading.local()


@dataclass(frozen=True)
class Orientation:
    """How the stored picture must be turned to stand upright."""

    clockwise_deg: int = 0
    """0, 90, 180 or 270; applied after the mirroring."""
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.clockwise_deg in (90, 270)

    def size_px(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Width and height after turning."""
        return (height_px, width_px) if self.swaps_sides else (width_px, height_px)

    def apply(self, plane: Shaped[np.ndarray, "h w ..."]) -> Shaped[np.ndarray, "h2 w2 ..."]:
        """A turned view of a plane."""
        flipped = plane[:, ::-1] if self.mirrored else plane
        return np.rot90(flipped, -self.clockwise_deg // 90)


UPRIGHT = Orientation()


def orientation_of(picture: av.VideoFrame) -> tuple[Orientation, bool]:
    """Orientation from the display matrix, and whether it is exact (a multiple of 90 degrees).

    The matrix (ISO 14496-12, 8.2.2) maps stored (p, q) to (a p + c q, b p + d q), y down.
    """
    data = picture.side_data.get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-overload]
    if data is None:
        return UPRIGHT, True
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].astype(np.float64)
    mirrored = bool(a * d - b * c < 0)
    angle_deg = math.degrees(math.atan2(-b, -a) if mirrored else math.atan2(b, a))
    quarters = round(angle_deg / 90)
    return Orientation(quarters * 90 % 360, mirrored), abs(angle_deg - quarters * 90) < 1


def assumed_matrix(width_px: int, height_px: int) -> Matrix:
    """The matrix players assume where a file names none: BT.709 from 720p on, else BT.601."""
    hd = max(width_px, height_px) >= HD_WIDTH_PX or min(width_px, height_px) >= HD_HEIGHT_PX
    return "bt709" if hd else "bt601"


class Frame:
    """A picture of the video; pixels are converted when they are first asked for."""

    def __init__(
        self, index: int, time_s: float, picture: av.VideoFrame, orientation: Orientation = UPRIGHT
    ) -> None:
        self.index = index
        """Index in the source video."""
        self.time_s = time_s
        """Presentation time on the source's clock."""
        self.width_px, self.height_px = orientation.size_px(picture.width, picture.height)
        self._picture = picture
        self._orientation = orientation

    @cached_property
    def rgb(self) -> UInt8[np.ndarray, "h w 3"]:
        """The upright picture, C-contiguous."""
        picture = _reformat(
            self._picture,
            "rgb24",
            src_colorspace=self._source_colorspace,
            src_color_range=_range(self._is_full_range),
            dst_color_range=ColorRange.JPEG,
        )
        return np.ascontiguousarray(self._orientation.apply(_plane(picture, 0, channels=3)))

    def yuv420(self) -> YuvImage:
        """The upright picture as a fresh 4:2:0 image to draw on; odd sizes padded at the edge."""
        picture = self._picture
        odd = picture.width % 2 or picture.height % 2
        if odd and self._orientation != UPRIGHT:
            # The padding would land at the top or left: turn the full-colour picture instead.
            return rgb_to_yuv420(self.rgb, self._matrix, self._keeps_full_range)
        planar = picture.format.name in ("yuv420p", "yuvj420p")
        if not planar or self._source_colorspace != SWSCALE_MATRIX[self._matrix]:
            picture = _reformat(
                picture,
                "yuv420p",
                src_colorspace=self._source_colorspace,
                dst_colorspace=SWSCALE_MATRIX[self._matrix],
                src_color_range=_range(self._is_full_range),
                dst_color_range=_range(self._keeps_full_range),
            )
        out = empty_yuv(self.width_px, self.height_px, self._matrix, self._keeps_full_range)
        for index, plane in enumerate((out.y, out.u, out.v)):
            upright = self._orientation.apply(_plane(picture, index))
            plane[: upright.shape[0], : upright.shape[1]] = upright
        _pad_edges(out)
        return out

    @property
    def _matrix(self) -> Matrix:
        known = AVCOL_SPC_MATRIX.get(int(self._picture.colorspace))
        return known or assumed_matrix(self._picture.width, self._picture.height)

    @property
    def _source_colorspace(self) -> Colorspace:
        if int(self._picture.colorspace) in (4, 7, 9):  # FCC, SMPTE 240M, BT.2020: swscale's own
            return Colorspace(int(self._picture.colorspace))
        return SWSCALE_MATRIX[self._matrix]

    @property
    def _is_full_range(self) -> bool:
        picture = self._picture
        tagged = picture.color_range == ColorRange.JPEG or picture.format.name.startswith("yuvj")
        return bool(tagged or picture.format.is_rgb)

    @property
    def _keeps_full_range(self) -> bool:
        """RGB sources become video range, everything else keeps its own."""
        return self._is_full_range and not self._picture.format.is_rgb


def rgb_to_yuv420(
    rgb: UInt8[np.ndarray, "h w 3"], matrix: Matrix, full_range: bool = False
) -> YuvImage:
    """A whole RGB picture as 4:2:0 planes (chroma averaged by swscale)."""
    height_px, width_px = rgb.shape[:2]
    even = np.pad(rgb, ((0, height_px % 2), (0, width_px % 2), (0, 0)), mode="edge")
    picture = _reformat(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24"),
        "yuv420p",
        dst_colorspace=SWSCALE_MATRIX[matrix],
        src_color_range=ColorRange.JPEG,
        dst_color_range=_range(full_range),
    )
    out = empty_yuv(width_px, height_px, matrix, full_range)
    for index, plane in enumerate((out.y, out.u, out.v)):
        plane[:] = _plane(picture, index)
    return out


def _reformat(picture: av.VideoFrame, pixel_format: str, **colours: int) -> av.VideoFrame:
    """Convert with this thread's converter, which keeps its tables from frame to frame."""
    if not hasattr(_local, "reformatter"):
        _local.reformatter = VideoReformatter()
    return _local.reformatter.reformat(picture, format=pixel_format, threads=1, **colours)


def _range(full: bool) -> ColorRange:
    return ColorRange.JPEG if full else ColorRange.MPEG


def _plane(picture: av.VideoFrame, index: int, channels: int = 1) -> UInt8[np.ndarray, "h w ..."]:
    """A view of one plane without the padding at the end of its lines."""
    plane = picture.planes[index]
    lines = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    pixels = lines[: plane.height, : plane.width * channels]
    return pixels.reshape(plane.height, plane.width, channels) if channels > 1 else pixels


def _pad_edges(image: YuvImage) -> None:
    """Repeat the last row and column of luma where the size is odd."""
    if image.width_px % 2:
        image.y[:, -1] = image.y[:, -2]
    if image.height_px % 2:
        image.y[-1] = image.y[-2]

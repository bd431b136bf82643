"""Pictures for the page, out of the overlay: key frames, and a portrait of everybody."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import Float64, UInt8

from pipeline.decoders.pyav import open_container
from pipeline.types import Person

STILLS = 6
STILL_WIDTH_PX = 640
PORTRAIT_PX = (240, 320)
QUALITY = 82
FEW_FRAMES = 450
"""So many are decoded one by one; of a longer video, only its own key frames are."""
MOST_SEEKS = 3
MARGIN = 0.18


@dataclass(frozen=True)
class Still:
    """One picture, as it is put into the page."""

    time_s: float
    jpeg: bytes

    @property
    def url(self) -> str:
        """A data URL."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode()


@dataclass(frozen=True)
class Pictures:
    """All pictures of a page."""

    stills: tuple[Still, ...]
    portraits: dict[int, Still]
    """By person."""


def read_pictures(
    overlay: Path, time_s: Float64[np.ndarray, " f"], people: Sequence[Person]
) -> Pictures:
    """Key frames spread over the overlay, and each person where it is seen largest.

    Args:
        overlay: the video; its n-th frame shows the n-th time.
        time_s: of all frames on the source's clock.
        people: whom to portray.
    """
    with _Overlay(overlay, len(time_s)) as film:
        rows = film.cheap_rows()
        picked = rows[
            np.linspace(0, len(rows) - 1, min(STILLS, len(rows)) + 2)[1:-1].round().astype(int)
        ]
        wanted = {p.id: _best_row(p, time_s, rows, film.width_px) for p in people}
        cheap = {row for row in wanted.values() if row is not None}
        pictures = film.read(sorted({*picked.tolist(), *cheap}))
        for person in [p for p in people if wanted[p.id] is None][:MOST_SEEKS]:
            row = _best_row(person, time_s, np.arange(len(time_s)), film.width_px)
            if row is not None:
                wanted[person.id] = row
                pictures |= film.seek(row)
    stills = tuple(
        Still(float(time_s[row]), _jpeg(_fitted(pictures[row], STILL_WIDTH_PX)))
        for row in np.unique(picked).tolist()
        if row in pictures
    )
    portraits = {
        person.id: Still(float(time_s[row]), _jpeg(_portrait(pictures[row], person, time_s[row])))
        for person in people
        if (row := wanted[person.id]) is not None and row in pictures
    }
    return Pictures(stills, portraits)


class _Overlay:
    """The overlay video, read at a few places."""

    def __init__(self, path: Path, frames: int) -> None:
        self._path, self._frames = path, frames

    def __enter__(self) -> "_Overlay":
        self._container = open_container(self._path)
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        packets = [(p.pts, p.is_keyframe) for p in self._container.demux(self._stream)]
        self._ticks = sorted(tick for tick, _ in packets if tick is not None)
        self._key_ticks = sorted(tick for tick, key in packets if key and tick is not None)
        self._row = {tick: row for row, tick in enumerate(self._ticks[: self._frames])}
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def width_px(self) -> int:
        """Of the picture."""
        return self._stream.width

    @property
    def _is_short(self) -> bool:
        return len(self._row) <= FEW_FRAMES

    def cheap_rows(self) -> np.ndarray:
        """Frames that can be had without decoding others for them."""
        if self._is_short:
            return np.arange(len(self._row))
        return np.array([self._row[tick] for tick in self._key_ticks if tick in self._row])

    def read(self, rows: Iterable[int]) -> dict[int, UInt8[np.ndarray, "h w 3"]]:
        """Some of the cheap frames."""
        self._stream.codec_context.skip_frame = "DEFAULT" if self._is_short else "NONKEY"
        self._container.seek(self._ticks[0], stream=self._stream)
        return self._collected(set(rows))

    def seek(self, row: int) -> dict[int, UInt8[np.ndarray, "h w 3"]]:
        """One frame anywhere."""
        self._stream.codec_context.skip_frame = "DEFAULT"
        self._container.seek(self._ticks[row], stream=self._stream)
        return self._collected({row})

    def _collected(self, rows: set[int]) -> dict[int, np.ndarray]:
        found: dict[int, np.ndarray] = {}
        for frame in self._container.decode(self._stream):
            row = None if frame.pts is None else self._row.get(frame.pts)
            if row in rows:
                found[row] = _rgb(frame)
            if len(found) == len(rows):
                break
        return found


def _rgb(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    return frame.to_ndarray(format="rgb24")


def _best_row(person: Person, time_s: np.ndarray, rows: np.ndarray, width_px: int) -> int | None:
    """Of these frames of the video the one in which the person is seen largest and surest."""
    first = int(np.searchsorted(time_s, person.time_s[0] - 1e-6))
    own = rows - first
    inside = (own >= 0) & (own < len(person))
    own, rows = own[inside], rows[inside]
    own, rows = own[person.observed[own]], rows[person.observed[own]]
    if not len(own):
        return None
    boxes = person.boxes_xyxy_px[own]
    height_px = boxes[:, 3] - np.maximum(boxes[:, 1], 0.0)
    whole = (boxes[:, 0] >= 0) & (boxes[:, 2] <= width_px)
    return int(rows[np.argmax(height_px * person.confidence[own] * np.where(whole, 1.0, 0.3))])


def _portrait(picture: np.ndarray, person: Person, at_s: float) -> np.ndarray:
    """The person's box with a margin, in the portrait's shape, inside the picture."""
    row = int(np.argmin(np.abs(person.time_s - at_s)))
    left, top, right, bottom = person.boxes_xyxy_px[row].astype(float)
    shape = PORTRAIT_PX[0] / PORTRAIT_PX[1]
    height = max((bottom - top) * (1 + 2 * MARGIN), (right - left) * (1 + MARGIN) / shape)
    height = min(height, picture.shape[0], picture.shape[1] / shape)
    width = height * shape
    room = np.array([picture.shape[1] - width, picture.shape[0] - height])
    corner = np.clip([(left + right - width) / 2, (top + bottom - height) / 2], 0.0, room)
    scale = PORTRAIT_PX[0] / width
    move = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
    return cv2.warpAffine(picture, move, PORTRAIT_PX, borderMode=cv2.BORDER_REPLICATE)


def _fitted(picture: np.ndarray, width_px: int) -> np.ndarray:
    height, width = picture.shape[:2]
    if width <= width_px:
        return picture
    size = (width_px, round(height * width_px / width))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _jpeg(rgb: np.ndarray) -> bytes:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "OpenCV encodes every RGB picture"
    return data.tobytes()

"""Stream the frames of a video upright, and know afterwards what really came."""

from collections.abc import Generator, Iterator
from dataclasses import replace

import av
import numpy as np

from pipeline.decoders import Picture, load_decoder
from pipeline.decoders.pyav import time_tolerance_s
from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.frame import Frame, Orientation, orientation_of
from pipeline.types import Video


class FrameReader:
    """An iterator over frames that knows, when it is through, what really came.

    Indices count the frames that decode, so they stay consecutive when one is lost.
    """

    def __init__(
        self,
        video: Video,
        first_frame: int | None,
        decoder: str,
        events: EventLog,
        came_s: np.ndarray | None = None,
    ) -> None:
        self._announced = video.frame_count
        self._came_before = 0
        if came_s is not None and len(came_s):
            # Frames were lost perhaps: what comes next is told by time, not by counting.
            self._came_before = len(came_s)
            left_s = video.time_s[video.time_s > came_s[-1] + time_tolerance_s(video)]
            first_frame = video.first_frame + len(came_s)
            video = replace(video, time_s=np.concatenate([came_s, left_s]))
        self._video = video
        self._first = video.first_frame if first_frame is None else first_frame
        self._events = events
        self._times_s: list[float] = []
        self._pictures = load_decoder(decoder)(video, self._first)
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Close the file early."""
        self._frames.close()
        self._pictures.close()

    def seen(self) -> Video:
        """The video with the frames that really came, in place of those that were announced.

        Raises:
            InputError: not a single frame came.
        """
        if not self._times_s:
            raise InputError(
                f"{self._video.path}: no frame can be decoded from frame {self._first} on. "
                "The file is damaged; copy it again."
            )
        return replace(
            self._video, first_frame=self._first, time_s=np.array(self._times_s, dtype=np.float64)
        )

    @property
    def lost(self) -> int:
        """Frames announced by the container that did not come (so far)."""
        announced = self._announced - (self._first - self._video.first_frame)
        return max(0, announced - len(self._times_s))

    def _read(self) -> Generator[Frame, None, None]:
        if self._first == self._video.first_frame + self._video.frame_count:
            return  # all came already
        last_s = self._video.time_s[-1] + time_tolerance_s(self._video)
        orientation: Orientation | None = None
        for stored in self._pictures:
            if stored.time_s > last_s:
                break
            if orientation is None:
                orientation, _ = orientation_of(stored.picture)
            index = self._first + len(self._times_s)
            self._times_s.append(stored.time_s)
            yield Frame(index, stored.time_s, self._sized(stored, orientation), orientation)
        self._pictures.close()
        if self.lost and (self._times_s or self._came_before):
            self._events.record("video", "truncation", self._loss())

    def _sized(self, stored: Picture, orientation: Orientation) -> av.VideoFrame:
        """The picture in the video's own size, whatever the file switches to half-way."""
        picture = stored.picture
        width_px, height_px = orientation.size_px(self._video.width_px, self._video.height_px)
        if (picture.width, picture.height) == (width_px, height_px):
            return picture
        self._events.record(
            "video",
            "fallback",
            f"{self._video.path.name} changes its picture size to {picture.width}x"
            f"{picture.height} on the way; from there on pictures are scaled to "
            f"{width_px}x{height_px}.",
        )
        return picture.reformat(width=width_px, height=height_px)

    def _loss(self) -> str:
        came = self._came_before + len(self._times_s)
        return (
            f"{self._video.path.name}: {self.lost} of {came + self.lost} frames do not decode and "
            f"are lost; the {came} others are used. The file is damaged; copy it again if you can."
        )

"""The detections of a video frame by frame, without repetitions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.types import Detections, Video
from stages.tracking._frame import FrameDetections, RowsByFrame, in_frame, without_duplicates


@dataclass(frozen=True)
class OneFrame:
    """A frame of the video, with people or without."""

    number: int
    """From 0, whatever part of the source is used."""
    frame: int
    """In the source."""
    time_s: float
    is_cut: bool
    found: FrameDetections
    repeated: int
    """Detections left out because they repeat another."""


class Frames:
    """Every frame in order; each is made when it is asked for."""

    def __init__(
        self, video: Video, detections: Detections, rows: np.ndarray, least_likeness: float
    ) -> None:
        """With the detections among `rows`; landmarks more alike than this are repetitions."""
        self._video, self._detections = video, detections
        self._rows, self._least_likeness = RowsByFrame(video, detections, rows), least_likeness
        self._cuts = set() if video.cut_frames is None else set(video.cut_frames.tolist())

    def __len__(self) -> int:
        return self._video.frame_count

    def __iter__(self) -> Iterator[OneFrame]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> OneFrame:
        every = in_frame(self._detections, self._rows[number])
        found = without_duplicates(every, self._least_likeness)
        frame = self._video.first_frame + number
        time_s = float(self._video.time_s[number])
        return OneFrame(number, frame, time_s, frame in self._cuts, found, len(every) - len(found))

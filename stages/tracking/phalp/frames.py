"""The detections of a video frame by frame, without repetitions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.context import Context
from pipeline.types import Detections, Video
from stages.tracking._frame import FrameDetections, in_frame, without_duplicates


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


def frames_of(
    video: Video,
    detections: Detections,
    rows: np.ndarray,
    least_likeness: float,
    context: Context,
) -> Iterator[OneFrame]:
    """Every frame in order, with the detections among `rows`; landmarks tell repetitions."""
    rows = rows[np.argsort(detections.frame_index[rows], kind="stable")]
    frames = np.append(video.frame_index, 2**31 - 1)
    bounds = np.searchsorted(detections.frame_index[rows], frames)
    cuts = set() if video.cut_frames is None else set(video.cut_frames.tolist())
    with context.progress("Tracking", video.frame_count) as advance:
        for number, time_s in enumerate(video.time_s.tolist()):
            every = in_frame(detections, rows[bounds[number] : bounds[number + 1]])
            found = without_duplicates(every, least_likeness)
            frame = video.first_frame + number
            repeated = len(every) - len(found)
            yield OneFrame(number, frame, time_s, frame in cuts, found, repeated)
            advance(1)

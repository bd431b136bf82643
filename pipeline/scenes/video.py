"""Write a film as an H.264 mp4, the same bytes every time."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from pipeline.files import written_aside


def write_film(
    path: Path, pictures: Iterable[UInt8[np.ndarray, "h w 3"]], fps: float, *, crf: int = 18
) -> int:
    """Encode pictures of one even size at an even rate; returns how many there were."""
    count = 0
    rate = Fraction(fps).limit_denominator(1001)
    with written_aside(path) as aside, av.open(str(aside), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.pix_fmt = "yuv420p"
        # The same bytes every time: x264's result depends on the number of threads, and its
        # macroblock tree varies from run to run on processors with AVX-512.
        stream.codec_context.thread_count = 1
        stream.options = {"crf": str(crf), "preset": "veryfast", "x264-params": "no-mbtree=1"}
        for rgb in pictures:
            if count == 0:
                stream.height, stream.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    return count

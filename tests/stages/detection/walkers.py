"""Two people walking, as pictures and as frames of a video."""

from itertools import islice

import av

from pipeline.body import load_body
from pipeline.body_file import EMBEDDED
from pipeline.frame import Frame
from pipeline.scenes.drawing import film
from pipeline.scenes.library import crossing

FPS = 15.0


def first_second():
    """Pictures with what is known of the people in them."""
    scene = crossing(load_body(EMBEDDED), seconds=4.0, fps=FPS)
    return list(islice(film(scene), round(FPS)))


def frames_of(pictures, first=0):
    return [
        Frame(first + i, (first + i) / FPS, av.VideoFrame.from_ndarray(rgb, format="rgb24"))
        for i, rgb in enumerate(pictures)
    ]

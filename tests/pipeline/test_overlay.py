"""The overlay with a renderer that has frames in flight: every layer on its own frame."""

import av
import numpy as np
import pytest

from pipeline.context import Context
from pipeline.overlay import FRAMES_IN_FLIGHT, Overlay
from pipeline.video import open_video
from stages.rendering import raster
from tests.pipeline.judged_people import camera_of, found_people, true_scene


class Card(raster.Backend):
    """Draws like `raster`, but only when it is asked for what was begun: as a GPU may."""

    most_waiting = waiting = 0

    def begin(self, *view):
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)

        def finish():
            self.waiting -= 1
            return self(*view)

        return finish


def written(path) -> np.ndarray:
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Grey, as long as the people are there, and the people."""
    scene = true_scene(0.7)
    path = tmp_path_factory.mktemp("film") / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 960, 540, "yuv420p"
        for _ in scene.time_s:
            grey = np.full((540, 960, 3), 90, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())
    return path, scene, found_people(scene)


def test_frames_in_flight_land_on_their_own_frames(film, tmp_path):
    path, scene, people = film
    pictures = {}
    card = Card(raster.Config(), Context())
    for name, renderer in (("plain", raster.Backend(raster.Config(), Context())), ("card", card)):
        overlay = Overlay(people, camera_of(scene), renderer, Context())
        (out,) = overlay.write(tmp_path / f"{name}.mp4", open_video(path), tmp_path / name)
        pictures[name] = written(out)
    assert card.most_waiting == FRAMES_IN_FLIGHT + 1 and card.waiting == 0
    assert len(pictures["card"]) == len(scene.time_s)
    assert np.array_equal(pictures["plain"], pictures["card"])
    moved = np.abs(pictures["plain"][0].astype(int) - pictures["plain"][-1]).max()
    assert moved > 60, "people move, so a layer on another frame would show"

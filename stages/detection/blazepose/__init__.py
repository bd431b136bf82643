"""Backend `blazepose`: people and their 33 landmarks by MediaPipe's two BlazePose networks.

Bazarevsky et al. 2020, "BlazePose: On-device Real-time Body Pose tracking"; the networks' weights
are fetched on first use (`pipeline.weights`), everything around them is the project's own.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np

from pipeline import weights
from pipeline.context import Context
from pipeline.frame import Frame
from pipeline.types import Detections
from stages.detection.blazepose.collect import detections_of
from stages.detection.blazepose.detector import DetectorNetwork
from stages.detection.blazepose.landmarks import LandmarkNetwork, landmark_model
from stages.detection.blazepose.people import PeopleFinder
from stages.detection.blazepose.second import SecondLook
from stages.detection.blazepose.settings import Config

__all__ = ["Backend", "Config", "optional_weights"]


SECOND = "blazepose-landmarks-heavy"
SECOND_THREADS = 2
"""Each copy of the large network takes 100 MB."""


def optional_weights(config: Config) -> tuple[str, ...]:
    """What it would use with these settings, and can do without."""
    return (SECOND,) if config.second_look_every_s > 0 else ()


def _begun(work: Callable[[], bytes]) -> Future[bytes]:
    """Done in a thread meanwhile."""
    executor = ThreadPoolExecutor(1)
    later = executor.submit(work)
    executor.shutdown(wait=False)
    return later


class Backend:
    """Finds everybody in every frame, with landmarks in pixels and in metres."""

    def __init__(self, config: Config, context: Context):
        detector = weights.path("blazepose-detector", progress=context.progress)
        landmarks = weights.path("blazepose-landmarks", progress=context.progress)
        second = weights.row(SECOND)
        larger: SecondLook | None = None
        if optional_weights(config) and weights.is_present(second):
            model = _begun(partial(landmark_model, weights.location(second)))
            larger = SecondLook(
                lambda: LandmarkNetwork(model.result(), SECOND_THREADS), config.second_look_every_s
            )
        network = LandmarkNetwork(landmark_model(landmarks))
        self._finder = PeopleFinder(config, DetectorNetwork(detector), network, larger)

    def restart(self) -> None:
        """Forget everybody seen before."""
        self._finder.restart()

    def remembered(self) -> dict[str, np.ndarray]:
        """Whom it follows, as arrays of finite numbers."""
        return self._finder.remembered()

    def remember(self, known: Mapping[str, np.ndarray]) -> None:
        """Go on with the people of whom this was `remembered`.

        Raises:
            ValueError, KeyError: it is not what `remembered` gives.
        """
        self._finder.remember(known)

    def __call__(self, frames: Sequence[Frame]) -> Detections:
        """People in the next frames of the video, ordered by frame."""
        return detections_of(frames, self._finder(frames))

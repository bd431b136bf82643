"""Backend `yolo`: people by any YOLO of ultralytics that the user names.

Weights with a pose head (17 keypoints) give COCO's landmarks too. ultralytics only builds the
network; letterbox, reading of the boxes and suppression are the project's own and need no compiled
operators. Nothing is downloaded, no usage is reported. ultralytics and its weights are AGPL-3.0.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from pydantic import Field

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.frame import Frame
from pipeline.licences import Licence
from pipeline.skeletons import COCO17
from pipeline.types import Detections
from stages.detection.yolo.checkpoint import find_weights
from stages.detection.yolo.decode import FramePeople, people_in
from stages.detection.yolo.letterbox import Letterbox
from stages.detection.yolo.model_file import load_model
from stages.detection.yolo.network import Runner

__all__ = ["LICENCES", "Backend", "Config"]

LICENCES = (
    Licence(
        "ultralytics and YOLO weights",
        "AGPL-3.0: a program or network service made with it must be offered with its source under "
        "the same licence, or a licence bought from Ultralytics",
        commercial=True,
        copyleft=True,
    ),
)


class Config(BackendConfig):
    """Settings of the `yolo` backend."""

    weights: str = "yolo11x.pt"
    """A file, or its name in the cache folder; with a pose head there are keypoints too."""
    min_score: float = Field(default=0.25, ge=0, le=1)
    """Boxes that score less are left out."""
    nms_iou: float = Field(default=0.7, gt=0, le=1)
    """Of two boxes that overlap by more, the surer is kept."""
    image_px: int | None = Field(default=None, gt=0)
    """Longer side of the network's picture; None: as in training, mostly 640. More finds smaller
    people."""
    batch_size: int | None = Field(default=None, gt=0)
    """Frames at a time; None: 16 on a GPU, 4 on a CPU."""
    max_people: int = Field(default=100, gt=0)
    """Most people in a frame; an event tells where there were more."""
    person_names: tuple[str, ...] = ("person",)
    """Names of the classes that are people."""
    trust: bool = False
    """Open the weights even if that runs code in them: only for files whose origin you know."""


class Backend:
    """Letterbox, network, suppression; every frame for itself."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context
        self._path = find_weights(config.weights)
        self._model = load_model(self._path, config.person_names, trusted=config.trust)
        self._run = Runner.create(self._model, context.device, config.batch_size, context.events)

    def restart(self) -> None:
        """Nothing is carried from frame to frame."""

    def __call__(self, frames: Sequence[Frame]) -> Detections:
        """People in the next frames of the video, ordered by frame, the surest first.

        Raises:
            InputError: the network gives numbers that are not finite.
        """
        found: list[FramePeople] = []
        for size, alike in groupby(frames, key=lambda frame: (frame.width_px, frame.height_px)):
            found += self._people(list(alike), size)
        return self._detections(frames, found)

    def _people(self, frames: list[Frame], size_wh_px: tuple[int, int]) -> list[FramePeople]:
        """The people of frames of one size."""
        config, model = self._config, self._model
        image_px = config.image_px or model.image_px
        letterbox = Letterbox.fitted(size_wh_px, image_px, model.stride_px)
        images = [letterbox.image(frame.rgb) for frame in frames]
        found = []
        for raw in self._run(images):
            if not torch.isfinite(raw).all():
                raise InputError(f"{self._path}: gives numbers that are not finite: it is damaged")
            people = people_in(
                raw, model.facts, config.min_score, config.nms_iou, config.max_people
            )
            if len(people) == config.max_people:
                self._tell_full()
            found.append(people.in_frame(letterbox))
        return found

    def _tell_full(self) -> None:
        self._context.events.record(
            "detection",
            "truncation",
            f"yolo: there are frames with {self._config.max_people} people, the most that is "
            "allowed; if there are more, the less sure are left out. See detection.yolo.max_people "
            "and min_score",
        )

    def _detections(self, frames: Sequence[Frame], found: list[FramePeople]) -> Detections:
        counts = [len(people) for people in found]
        index = np.repeat(np.array([frame.index for frame in frames], np.int32), counts)
        boxes = [np.empty((0, 4), np.float32), *(people.boxes_xyxy_px for people in found)]
        score = [np.empty(0, np.float32), *(people.score for people in found)]
        plain = Detections(index, np.concatenate(boxes), np.concatenate(score))
        if self._model.facts.keypoint_shape is None:
            return plain
        none = np.empty((0, len(COCO17), 3), np.float32)
        points = [none, *(p.keypoints_px for p in found if p.keypoints_px is not None)]
        return Detections(
            plain.frame_index, plain.boxes_xyxy_px, plain.score, COCO17.name, np.concatenate(points)
        )

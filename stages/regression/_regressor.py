"""What every backend shares that looks at one crop per person: crops, network, crops' cameras.

Crops of all people of all frames at hand go through the network together.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.frame import Frame
from pipeline.types import Bodies, Camera, Detections
from stages.regression._bodies import bodies_from_crops
from stages.regression._boxes import check_boxes
from stages.regression._crops import Squares
from stages.regression._cut_crops import CutCrops
from stages.regression._predictor import Precision, Predictor


class RegressorConfig(BackendConfig):
    """Settings of these backends."""

    weights: str | None = None
    """Official checkpoint or converted file; None: what `humans4d models add` put away."""
    batch_size: int | None = Field(default=None, gt=0)
    """Crops at a time; None: 32 on a GPU, 8 on a CPU. Halved when a GPU's memory is too small."""


class Regressor(ABC):
    """Crops, network, camera."""

    name: ClassVar[str]
    """Of the backend and of its weights."""

    def __init__(self, config: RegressorConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._weights_path = weights.chosen_path(self.name, config.weights)

    @abstractmethod
    def read_network(self) -> Any:
        """The network with its weights; it has `in_precision(dtype)`."""

    @abstractmethod
    def cut(self, picture: Tensor, boxes_xyxy_px: np.ndarray) -> CutCrops:
        """Crops of one frame, one for each box; of one size and kind of number for all frames."""

    @abstractmethod
    def normalised(self, crops_rgb: Tensor) -> Tensor:
        """Crops as the network wants them."""

    @property
    def precision(self) -> Precision:
        """What the network computes in: float32, as published."""
        return "fp32"

    @property
    def compiled(self) -> bool:
        """Whether torch.compile rewrites the network."""
        return False

    def __call__(self, frames: Sequence[Frame], detections: Detections, camera: Camera) -> Bodies:
        """A body for every detection.

        Raises:
            InputError: a box is not finite, has no area or lies beside the picture; the weights
                are another network's.
        """
        if not len(detections):
            return Bodies(*(np.zeros((0, *shape), np.float32) for shape in ((24, 3), (10,), (3,))))
        check_boxes(frames, detections)
        crops = self._crops(frames, detections)
        return bodies_from_crops(
            self._predictor(crops.rgb),
            detections.frame_index,
            crops.squares.centre_px,
            crops.squares.side_px,
            camera.K_px,
            backend=self.name,
            weights_path=self._weights_path,
            context=self._context,
        )

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor.create(
            self.name,
            self.read_network(),
            self.normalised,
            device=self._context.device,
            precision=self.precision,
            batch_size=self._config.batch_size,
            compiled=self.compiled,
            events=self._context.events,
        )

    def _crops(self, frames: Sequence[Frame], detections: Detections) -> CutCrops:
        """All crops in the order of the detections, cut where the network runs."""
        count = len(detections)
        squares = Squares(np.empty((count, 2)), np.empty(count))
        rgb: Tensor | None = None
        for frame in frames:
            rows = np.flatnonzero(detections.frame_index == frame.index)
            if not len(rows):
                continue
            picture = torch.from_numpy(frame.rgb).to(self._context.device)
            part = self.cut(picture, detections.boxes_xyxy_px[rows])
            if rgb is None:
                rgb = part.rgb.new_empty((count, *part.rgb.shape[1:]))
            rgb[torch.from_numpy(rows)] = part.rgb
            squares.centre_px[rows] = part.squares.centre_px
            squares.side_px[rows] = part.squares.side_px
        assert rgb is not None, "check_boxes has found a frame for every detection"
        return CutCrops(rgb, squares)

"""What SPIN and HMR share: one 224 px crop per person, a network, the crop's camera."""

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
from stages.regression._predictor import Predictor


class EarlyConfig(BackendConfig):
    """Settings of these backends. They compute in float32, as published."""

    weights: str | None = None
    """Official checkpoint or converted file; None: what `humans4d models add` put away."""
    batch_size: int | None = Field(default=None, gt=0)
    """Crops at a time; None: 32 on a GPU, 8 on a CPU. Halved when a GPU's memory is too small."""


class EarlyRegressor(ABC):
    """Crops, network, camera."""

    name: ClassVar[str]
    """Of the backend and of its weights."""

    def __init__(self, config: EarlyConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._weights_path = weights.chosen_path(self.name, config.weights)

    @abstractmethod
    def read_network(self) -> Any:
        """The network with its weights."""

    @abstractmethod
    def cut(self, picture: Tensor, boxes_xyxy_px: np.ndarray) -> CutCrops:
        """Crops of one frame."""

    @abstractmethod
    def normalised(self, crops_rgb: Tensor) -> Tensor:
        """Crops as the network wants them."""

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
            precision="fp32",
            batch_size=self._config.batch_size,
            compiled=False,
            events=self._context.events,
        )

    def _crops(self, frames: Sequence[Frame], detections: Detections) -> CutCrops:
        """All crops in the order of the detections, cut where the network runs."""
        device, boxes = self._context.device, detections.boxes_xyxy_px
        parts: list[CutCrops] = []
        order: list[np.ndarray] = []
        for frame in frames:
            rows = np.flatnonzero(detections.frame_index == frame.index)
            if len(rows):
                parts.append(self.cut(torch.from_numpy(frame.rgb).to(device), boxes[rows]))
                order.append(rows)
        back = np.argsort(np.concatenate(order), kind="stable")
        squares = Squares(
            np.concatenate([part.squares.centre_px for part in parts])[back],
            np.concatenate([part.squares.side_px for part in parts])[back],
        )
        return CutCrops(torch.cat([p.rgb for p in parts])[torch.from_numpy(back)], squares)

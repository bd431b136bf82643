"""What backends share that look at one 256 px crop per person, as 4D-Humans cuts it.

Crops of all people of all frames at hand go through the network together.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.frame import Frame
from pipeline.types import Bodies, Camera, Detections
from stages.regression._blur import cut_demo_crops
from stages.regression._bodies import bodies_from_crops
from stages.regression._boxes import check_boxes
from stages.regression._crops import (
    CROP_PX,
    MARGIN_PX,
    Squares,
    cut_crops,
    normalised,
    squares_from_boxes,
)
from stages.regression._predictor import Precision, Predictor

SEEN_COLUMNS = range(MARGIN_PX, CROP_PX - MARGIN_PX)


class CropConfig(BackendConfig):
    """Settings of these backends."""

    weights: str | None = None
    """Official checkpoint or converted file; None: what `humans4d models add` put away."""
    crop: Literal["tracker", "image_demo"] = "tracker"
    """The official programs differ: the image demo blurs the frame for people over 563 px."""
    batch_size: int | None = Field(default=None, gt=0)
    """Crops at a time; None: 32 on a GPU, 8 on a CPU. Halved when a GPU's memory is too small."""
    precision: Precision = "auto"
    """auto: bf16 on a GPU that has it (else fp16), fp32 on a CPU."""
    compile: bool = False
    """Let torch.compile rewrite the network: a minute at the start, then faster."""


class CropRegressor(ABC):
    """Crops, network, camera."""

    name: ClassVar[str]
    """Of the backend and of its weights."""

    def __init__(self, config: CropConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._weights_path = weights.chosen_path(self.name, config.weights)

    @abstractmethod
    def read_network(self) -> Any:
        """The network with its weights; it has `in_precision(dtype)`."""

    def __call__(self, frames: Sequence[Frame], detections: Detections, camera: Camera) -> Bodies:
        """A body for every detection.

        Raises:
            InputError: a box is not finite, has no area or lies beside the picture; the weights
                are another network's.
        """
        if not len(detections):
            return Bodies(*(np.zeros((0, *shape), np.float32) for shape in ((24, 3), (10,), (3,))))
        check_boxes(frames, detections)
        squares = squares_from_boxes(detections.boxes_xyxy_px)
        prediction = self._predictor(self._crops(frames, detections, squares))
        return bodies_from_crops(
            prediction,
            detections.frame_index,
            squares.centre_px,
            squares.side_px,
            camera.K_px,
            backend=self.name,
            weights_path=self._weights_path,
            context=self._context,
        )

    @cached_property
    def _predictor(self) -> Predictor:
        config, context = self._config, self._context
        return Predictor.create(
            self.name,
            self.read_network(),
            normalised,
            device=context.device,
            precision=config.precision,
            batch_size=config.batch_size,
            compiled=config.compile,
            events=context.events,
        )

    def _crops(self, frames: Sequence[Frame], detections: Detections, squares: Squares) -> Tensor:
        """The middle columns of all crops (n, 256, 192, 3), cut where the network runs."""
        cut = cut_crops if self._config.crop == "tracker" else cut_demo_crops
        kind = torch.uint8 if self._config.crop == "tracker" else torch.float64
        device = self._context.device
        crops = torch.empty(
            (len(detections), CROP_PX, len(SEEN_COLUMNS), 3), dtype=kind, device=device
        )
        for frame in frames:
            rows = np.flatnonzero(detections.frame_index == frame.index)
            if len(rows):
                picture = torch.from_numpy(frame.rgb).to(device)
                crops[torch.from_numpy(rows)] = cut(picture, squares[rows], SEEN_COLUMNS)
        return crops

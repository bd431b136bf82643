"""Pictures through the network, in batches that fit the device."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.events import EventLog
from stages.detection.yolo.model_file import Model

BATCH_ON_GPU, BATCH_ON_CPU = 16, 4


@dataclass
class Runner:
    """A network, where it runs and how many pictures it takes at once."""

    model: Model
    device: torch.device
    batch_size: int
    events: EventLog

    @classmethod
    def create(
        cls, model: Model, device: str, batch_size: int | None, events: EventLog
    ) -> "Runner":
        """Move the network to its device."""
        place = torch.device(device)
        model.network.to(place)
        usual = BATCH_ON_CPU if place.type == "cpu" else BATCH_ON_GPU
        return cls(model, place, batch_size or usual, events)

    def __call__(self, images: list[np.ndarray]) -> Iterator[Tensor]:
        """The network's numbers for each of n pictures (y, x, 3), RGB, all of one size."""
        start = 0
        while start < len(images):
            raw = self._batch(images[start : start + self.batch_size])
            if raw is None:
                self._halve()
                continue
            yield from raw
            start += len(raw)

    @torch.inference_mode()
    def _batch(self, images: list[np.ndarray]) -> Tensor | None:
        """One batch; None where it does not fit."""
        stacked = torch.from_numpy(np.stack(images)).to(self.device)
        try:
            raw = self.model.network(stacked.permute(0, 3, 1, 2).float().div(255))
        except torch.OutOfMemoryError:
            return None
        while isinstance(raw, tuple | list):
            raw = raw[0]  # decoded boxes come first, masks and raw feature maps after them
        return raw

    def _halve(self) -> None:
        if self.batch_size == 1:
            raise UserError(
                f"yolo: {self.device} has too little free memory for a single frame. Use "
                "device=cpu, or a smaller detection.yolo.image_px"
            )
        before, self.batch_size = self.batch_size, self.batch_size // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.events.record(
            "detection",
            "info",
            f"yolo: {self.device} has too little free memory for {before} frames at once; going on "
            f"with {self.batch_size}. Set detection.yolo.batch_size={self.batch_size} to begin so",
        )

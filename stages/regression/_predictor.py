"""Crops through a network, in batches that fit the device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.events import EventLog
from stages.regression._crop_prediction import CropPrediction, joined

Precision = Literal["auto", "fp32", "bf16", "fp16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
BATCH_ON_GPU, BATCH_ON_CPU = 32, 8
FIRST_WITH_BF16 = 8
"""Major compute capability of the first GPUs that multiply bf16 (Ampere)."""


@dataclass
class Predictor:
    """A network, where it runs and how many crops it takes at once."""

    backend: str
    """Its name in messages."""
    network: Any
    """Images to something with `pose_rotmat`, `betas` and `crop_camera`."""
    normalised: Callable[[Tensor], Tensor]
    """Crops (n, y, x, 3) of 0 to 255 to the network's images."""
    device: torch.device
    dtype: torch.dtype
    batch_size: int
    events: EventLog

    @classmethod
    def create(
        cls,
        backend: str,
        network: Any,
        normalised: Callable[[Tensor], Tensor],
        *,
        device: str,
        precision: Precision,
        batch_size: int | None,
        compiled: bool,
        events: EventLog,
    ) -> "Predictor":
        """Move the network to its device and precision."""
        place = torch.device(device)
        dtype = chosen_dtype(precision, place)
        network = network.to(place).in_precision(dtype)
        return cls(
            backend,
            torch.compile(network) if compiled else network,
            normalised,
            place,
            dtype,
            batch_size or (BATCH_ON_CPU if place.type == "cpu" else BATCH_ON_GPU),
            events,
        )

    @torch.inference_mode()
    def __call__(self, crops_rgb: Tensor) -> CropPrediction:
        """Predictions for crops (n, y, x, 3) of 0 to 255, in float32."""
        parts, start = [], 0
        while start < len(crops_rgb):
            part = self._batch(crops_rgb[start : start + self.batch_size])
            if part is None:
                self._halve()
            else:
                parts.append(part)
                start += self.batch_size
        return joined(parts, self.device)

    def _batch(self, crops_rgb: Tensor) -> CropPrediction | None:
        """One batch; None where it does not fit, by when its memory is given up."""
        try:
            said = self.network(self.normalised(crops_rgb.to(self.device)).to(self.dtype))
        except torch.OutOfMemoryError:
            return None
        return CropPrediction(said.pose_rotmat, said.betas, said.crop_camera)

    def _halve(self) -> None:
        before = self.batch_size
        self.batch_size = halved(before, "crop", self.backend, self.device, self.events)


def halved(before: int, what: str, backend: str, device: torch.device, events: EventLog) -> int:
    """Half as many at once, because the device's memory is too small for more; an event says so.

    Raises:
        UserError: it was one already.
    """
    if before == 1:
        raise UserError(
            f"{backend}: {device} has too little free memory for a single {what}. Use "
            "device=cpu, or end what else runs on the GPU"
        )
    if device.type == "cuda":
        torch.cuda.empty_cache()
    after = before // 2
    events.record(
        "regression",
        "info",
        f"{backend}: {device} has too little free memory for {before} {what}s at once; going on "
        f"with {after}. Set regression.{backend}.batch_size={after} to begin so",
    )
    return after


def chosen_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The kind of number that the backbone computes in."""
    if precision != "auto":
        return DTYPES[precision]
    if device.type != "cuda":
        return torch.float32
    has_bf16 = torch.cuda.get_device_capability(device)[0] >= FIRST_WITH_BF16
    return torch.bfloat16 if has_bf16 else torch.float16

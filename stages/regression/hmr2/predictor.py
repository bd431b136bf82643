"""Crops through the network, in batches that fit the device."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.events import EventLog
from stages.regression.hmr2.crops import normalised
from stages.regression.hmr2.head import Prediction
from stages.regression.hmr2.network import HMR2

Precision = Literal["auto", "fp32", "bf16", "fp16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
BATCH_ON_GPU, BATCH_ON_CPU = 32, 8
FIRST_WITH_BF16 = 8
"""Major compute capability of the first GPUs that multiply bf16 (Ampere)."""


@dataclass
class Predictor:
    """A network, where it runs and how many crops it takes at once."""

    network: Any
    device: torch.device
    dtype: torch.dtype
    batch_size: int
    events: EventLog

    @classmethod
    def create(
        cls,
        network: HMR2,
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
            torch.compile(network) if compiled else network,
            place,
            dtype,
            batch_size or (BATCH_ON_CPU if place.type == "cpu" else BATCH_ON_GPU),
            events,
        )

    @torch.inference_mode()
    def __call__(self, crops_rgb: Tensor) -> Prediction:
        """Predictions for crops (n, 256, 192, 3) of 0 to 255, in float32."""
        parts, start = [], 0
        while start < len(crops_rgb):
            part = self._batch(crops_rgb[start : start + self.batch_size])
            if part is None:
                self._halve()
            else:
                parts.append(part)
                start += self.batch_size
        return joined(parts, self.device)

    def _batch(self, crops_rgb: Tensor) -> Prediction | None:
        """One batch; None where it does not fit, by when its memory is given up."""
        try:
            return self.network(normalised(crops_rgb.to(self.device)).to(self.dtype))
        except torch.OutOfMemoryError:
            return None

    def _halve(self) -> None:
        if self.batch_size == 1:
            raise UserError(
                f"hmr2: {self.device} has too little free memory for a single crop. Use "
                "device=cpu, or end what else runs on the GPU"
            )
        before, self.batch_size = self.batch_size, self.batch_size // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.events.record(
            "regression",
            "info",
            f"hmr2: {self.device} has too little free memory for {before} crops at once; going on "
            f"with {self.batch_size}. Set regression.hmr2.batch_size={self.batch_size} to begin so",
        )


def chosen_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The kind of number that the backbone computes in."""
    if precision != "auto":
        return DTYPES[precision]
    if device.type != "cuda":
        return torch.float32
    has_bf16 = torch.cuda.get_device_capability(device)[0] >= FIRST_WITH_BF16
    return torch.bfloat16 if has_bf16 else torch.float16


def joined(parts: list[Prediction], device: torch.device) -> Prediction:
    """All batches as one; no batch gives a prediction of no crops."""
    none = torch.empty((0, 144), device=device)
    empty = Prediction(none, none[:, :10], none[:, :3])
    names = ("pose_rot6d", "betas", "crop_camera")
    return Prediction(**{n: torch.cat([getattr(p, n) for p in [empty, *parts]]) for n in names})

"""HMR2.0 as 4D-Humans published it: one network looks at one crop per person.

The official weights are the user's to bring (`humans4d models add hmr2 FILE`). Crops of all people
of all frames at hand go through the network together.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.body_file import EMBEDDED
from pipeline.camera import translation_from_crop
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.frame import Frame
from pipeline.licences import Licence
from pipeline.rotations import rotmat_to_rotvec
from pipeline.types import Bodies, Camera, Detections
from stages.regression.hmr2.blur import cut_demo_crops
from stages.regression.hmr2.boxes import check_boxes
from stages.regression.hmr2.crops import (
    CROP_PX,
    MARGIN_PX,
    Squares,
    cut_crops,
    squares_from_boxes,
)
from stages.regression.hmr2.head import Prediction
from stages.regression.hmr2.network import PREFIXES, network_with, shapes
from stages.regression.hmr2.predictor import Precision, Predictor

LICENCES = (
    Licence(
        "HMR2.0 weights (4D-Humans)",
        "published with MIT code; trained with SMPL and on research-only data",
        commercial=False,
    ),
)
SEEN_COLUMNS = range(MARGIN_PX, CROP_PX - MARGIN_PX)
SMALLEST_SCALE = 0.05
"""Trained networks say about 1; below this a body would be 20 times smaller than its box."""


class Config(BackendConfig):
    """Settings of `hmr2`."""

    weights: str | None = None
    """Official checkpoint or converted file; None: what `humans4d models add hmr2` put away."""
    crop: Literal["tracker", "image_demo"] = "tracker"
    """The official programs differ: the image demo blurs the frame for people over 563 px."""
    batch_size: int | None = Field(default=None, gt=0)
    """Crops at a time; None: 32 on a GPU, 8 on a CPU. Halved when a GPU's memory is too small."""
    precision: Precision = "auto"
    """auto: bf16 on a GPU that has it (else fp16), fp32 on a CPU."""
    compile: bool = False
    """Let torch.compile rewrite the network: a minute at the start, then faster."""


def checkpoint_layout() -> Layout:
    """What the official checkpoint must hold."""
    return Layout("HMR2.0", shapes(), PREFIXES)


class Backend:
    """Crops, network, camera."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context
        self._weights_path = weights.chosen_path("hmr2", config.weights)

    def __call__(self, frames: Sequence[Frame], detections: Detections, camera: Camera) -> Bodies:
        """A body for every detection.

        Raises:
            InputError: a box is not finite, has no area or lies beside the picture; the weights
                are not those of HMR2.0.
        """
        if not len(detections):
            return Bodies(*(np.zeros((0, *shape), np.float32) for shape in ((24, 3), (10,), (3,))))
        check_boxes(frames, detections)
        squares = squares_from_boxes(detections.boxes_xyxy_px)
        prediction = self._predictor(self._crops(frames, detections, squares))
        return self._bodies(prediction, detections, squares, camera)

    @cached_property
    def _predictor(self) -> Predictor:
        config, context = self._config, self._context
        network = network_with(read_checkpoint(self._weights_path, checkpoint_layout()))
        return Predictor.create(
            network,
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

    def _bodies(
        self, prediction: Prediction, detections: Detections, squares: Squares, camera: Camera
    ) -> Bodies:
        crop_camera = prediction.crop_camera.cpu().numpy().astype(np.float64)
        betas = prediction.betas.cpu().numpy()
        pose_rotvec = rotmat_to_rotvec(prediction.pose_rotmat).cpu().numpy()
        self._refuse_nonsense(np.hstack([pose_rotvec.reshape(-1, 72), betas, crop_camera]))
        tiny = crop_camera[:, 0] < SMALLEST_SCALE
        if tiny.any():
            self._record_tiny(detections.frame_index[tiny])
            crop_camera[tiny, 0] = SMALLEST_SCALE
        t_camera_m = translation_from_crop(
            crop_camera, squares.centre_px, squares.side_px, camera.K_px
        )
        return Bodies(pose_rotvec, self._betas_of_this_body(betas), t_camera_m.astype(np.float32))

    def _betas_of_this_body(self, betas: np.ndarray) -> np.ndarray:
        """SMPL's betas mean nothing on another body: there the mean shape is used."""
        if self._context.body_model != EMBEDDED:
            return betas
        self._context.events.record(
            "regression",
            "fallback",
            "hmr2 gives the shape of SMPL bodies, which the embedded body does not know: its mean "
            "shape is used. Give your SMPL file with body.model=SMPL_NEUTRAL.pkl to keep shapes.",
        )
        return np.zeros_like(betas)

    def _refuse_nonsense(self, numbers: np.ndarray) -> None:
        if not np.isfinite(numbers).all():
            raise InputError(
                f"hmr2: the network gives numbers that are not finite. Set regression.hmr2."
                f"precision=fp32; if that does not help, the weights are damaged: "
                f"{self._weights_path}"
            )

    def _record_tiny(self, frame_index: np.ndarray) -> None:
        self._context.events.record(
            "regression",
            "fallback",
            f"{len(frame_index)} bodies in frames {frame_index.min()} to {frame_index.max()} came "
            f"with a camera scale below {SMALLEST_SCALE}, which places them nowhere; "
            f"{SMALLEST_SCALE} is used. Are the weights trained ones?",
        )

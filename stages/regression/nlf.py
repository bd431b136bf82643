"""NLF (Sarandi and Pons-Moll 2024, "Neural Localizer Fields"): the released TorchScript program.

It takes whole pictures, boxes and the camera, and gives SMPL's parameters in true metres. Its
releases differ in which arguments they know, so those are read from the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pipeline import weights
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.frame import Frame
from pipeline.licences import Licence
from pipeline.types import Bodies, Camera, Detections
from stages.regression._bodies import betas_of_this_body, refuse_nonsense
from stages.regression._boxes import check_boxes
from stages.regression._predictor import halved
from stages.regression._torchscript import check_program, check_trust, read_program

LICENCES = (
    Licence("NLF weights", "non-commercial research only", commercial=False),
    Licence("YOLOv8 inside NLF's file", "AGPL-3.0", commercial=True, copyleft=True),
    Licence("SMPL inside NLF's file", "non-commercial (Max Planck Institute)", commercial=False),
)
METHODS = ("estimate_smpl_batched", "estimate_parametric_batched")
"""The same method under the names that releases give it."""
PAGE = "https://github.com/isarandi/nlf/releases"
NEEDED_ARGUMENTS = ("images", "boxes", "intrinsic_matrix")
PIXEL_CENTRE_PX = 0.5
"""NLF counts pixels from the centre of the first one, this project from its corner."""
LIKELY_EXTENTS = {0.001: (300.0, 4000.0), 1.0: (0.3, 4.0)}
"""Metres in a unit of length, and how far in that unit a person's joints can lie apart."""


class Config(BackendConfig):
    """Settings of `nlf`."""

    weights: str | None = None
    """A *_multi*.torchscript file; None: what `humans4d models add nlf` put away."""
    trust: str | None = None
    """SHA-256 of the file, if you allow it to be run: TorchScript is a program."""
    batch_size: int = Field(default=8, gt=0)
    """Pictures at a time. Halved when a GPU's memory is too small."""
    crops_at_once: int = Field(default=64, gt=0)
    """NLF's internal_batch_size."""
    num_aug: int = Field(default=1, gt=0)
    """How many variants of each crop are averaged: 1 is fastest, 5 the authors' choice for 3DPW."""


def check_file(path: Path) -> None:
    """Raise unless the file could be NLF's and its packages are there. Nothing of it is run.

    Raises:
        InputError: it is no TorchScript file.
        MissingError: there is no such file, or a package whose operators it calls is missing.
    """
    check_program(path)


class Backend:
    """The released program."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context
        self._batch_size = config.batch_size
        row = weights.row("nlf")
        self._path = weights.chosen_path("nlf", config.weights)
        check_trust(self._path, "regression.nlf.trust", config.trust, row.sha256, PAGE)

    def __call__(self, frames: Sequence[Frame], detections: Detections, camera: Camera) -> Bodies:
        """A body for every detection.

        Raises:
            InputError: a box is not finite, has no area or lies beside the picture; the file is
                no NLF, or its answer is not what NLF's is known to be.
        """
        check_boxes(frames, detections)
        pose_rotvec = np.zeros((len(detections), 24, 3), np.float32)
        betas = np.zeros((len(detections), 10), np.float32)
        pelvis_m = np.zeros((len(detections), 3), np.float32)
        for rows, answer in self._answers(frames, detections, camera):
            refuse_nonsense(*answer.values(), backend="nlf", weights_path=self._path)
            pose_rotvec[rows] = answer["pose"].reshape(-1, 24, 3)
            betas[rows] = answer["betas"]
            pelvis_m[rows] = answer["joints3d"][:, 0] * metres_per_unit(answer["joints3d"])
        betas = betas_of_this_body(betas, "nlf", self._context)
        return Bodies(pose_rotvec, betas, pelvis_m - self._pelvis_at_rest_m(betas))

    def _answers(
        self, frames: Sequence[Frame], detections: Detections, camera: Camera
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Rows of the detections and what NLF says about them, a few pictures at a time."""
        rows_of = [np.flatnonzero(detections.frame_index == frame.index) for frame in frames]
        seen = [(frame, rows) for frame, rows in zip(frames, rows_of, strict=True) if len(rows)]
        while seen:
            part = seen[: self._batch_size]
            boxes = [detections.boxes_xyxy_px[rows] for _, rows in part]
            answer = self._ask([frame.rgb for frame, _ in part], boxes, camera)
            if answer is None:
                self._halve()
            else:
                yield np.concatenate([rows for _, rows in part]), answer
                seen = seen[len(part) :]

    def _halve(self) -> None:
        device, events = self._device, self._context.events
        self._batch_size = halved(self._batch_size, "picture", "nlf", device, events)

    @property
    def _device(self) -> torch.device:
        return torch.device(self._context.device)

    def _pelvis_at_rest_m(self, betas: np.ndarray) -> np.ndarray:
        """The joint that the root turns about.

        Placing it where NLF sees it, instead of using NLF's `trans`, fits any body, and does not
        depend on the release (in v0.2.0 `trans` lacks an offset).
        """
        shaped = self._context.body.with_shape(torch.from_numpy(betas))
        return shaped.joints_rest_m[:, 0].cpu().numpy()

    @cached_property
    def _method(self) -> Any:
        return find_method(read_program(self._path, self._context.device), self._path)

    def _ask(
        self, pictures: list[np.ndarray], boxes_xyxy_px: list[np.ndarray], camera: Camera
    ) -> dict[str, np.ndarray] | None:
        """Answers for the boxes of a few pictures, one after the other; None: out of memory."""
        K_px = camera.K_px.copy()
        K_px[:2, 2] -= PIXEL_CENTRE_PX
        images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
        given: dict[str, Any] = {
            "images": images.to(self._device),
            "boxes": [self._xywh(boxes) for boxes in boxes_xyxy_px],
            "intrinsic_matrix": torch.from_numpy(K_px)
            .to(self._device, torch.float32)
            .expand(len(pictures), 3, 3),
            "internal_batch_size": self._config.crops_at_once,
            "num_aug": self._config.num_aug,
            "suppress_implausible_poses": False,
            "model_name": "smpl",
        }
        known = {argument.name for argument in self._method.schema.arguments}
        try:
            with torch.inference_mode():
                answer = self._method(**{k: v for k, v in given.items() if k in known})
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error):
                return None
            reason = " ".join(str(error).split())[-200:]
            raise InputError(f"{self._path}: NLF's program failed: {reason}") from error
        return checked_answer(answer, [len(boxes) for boxes in boxes_xyxy_px], self._path)

    def _xywh(self, boxes_xyxy_px: np.ndarray) -> Tensor:
        left_top = boxes_xyxy_px[:, :2] - np.float32(PIXEL_CENTRE_PX)
        size = boxes_xyxy_px[:, 2:] - boxes_xyxy_px[:, :2]
        return torch.from_numpy(np.hstack([left_top, size])).to(self._device)


def find_method(program: Any, path: Path) -> Any:
    """The method that fits SMPL to given boxes, known by its schema.

    Raises:
        InputError: there is none, it lacks an argument that is needed, or needs one unknown here.
    """
    method = next((getattr(program, name) for name in METHODS if hasattr(program, name)), None)
    if method is None:
        raise InputError(
            f"{path}: is not NLF's multi-person program: it has no method {' or '.join(METHODS)}"
        )
    arguments = [argument for argument in method.schema.arguments if argument.name != "self"]
    lacking = set(NEEDED_ARGUMENTS) - {argument.name for argument in arguments}
    more = [
        a.name for a in arguments if not a.has_default_value() and a.name not in NEEDED_ARGUMENTS
    ]
    if lacking or more:
        what = f"lacks {sorted(lacking)}" if lacking else f"needs {more}, unknown here"
        raise InputError(f"{path}: this release of NLF is not known: its {method.name} {what}")
    return method


def checked_answer(
    answer: Mapping[str, Sequence[Tensor]], counts: Sequence[int], path: Path
) -> dict[str, np.ndarray]:
    """Pose (n, 72), betas (n, 10) and joints3d (n, 24, 3) of all boxes, in NLF's units.

    Raises:
        InputError: one is absent, or not one row per box.
    """
    found = {}
    for name, shape in (("pose", (72,)), ("betas", (10,)), ("joints3d", (24, 3))):
        if name not in answer:
            raise InputError(f"{path}: NLF's answer has no '{name}', only {', '.join(answer)}")
        got = [tuple(tensor.shape) for tensor in answer[name]]
        if got != [(count, *shape) for count in counts]:
            raise InputError(
                f"{path}: NLF's '{name}' has the shapes {got} for {list(counts)} boxes; expected "
                f"are {shape} for each box. Is it another body than SMPL's?"
            )
        found[name] = torch.cat(list(answer[name])).float().cpu().numpy()
    return found


def metres_per_unit(joints3d: np.ndarray) -> float:
    """What a unit of joints (n, 24, 3) is in metres: NLF's releases give millimetres.

    Found from how far apart the joints of the median body lie, where both units cannot be meant.

    Raises:
        InputError: it is neither metres nor millimetres.
    """
    extents = np.linalg.norm(joints3d.max(axis=1) - joints3d.min(axis=1), axis=-1)
    extent = float(np.median(extents))
    for metres, (least, most) in LIKELY_EXTENTS.items():
        if least <= extent <= most:
            return metres
    raise InputError(
        f"nlf: the joints of a body lie {extent:g} apart, which is neither metres nor millimetres"
    )

"""From a network's numbers to bodies: what every regressor of SMPL checks and tells."""

from pathlib import Path

import numpy as np

from pipeline.body_file import EMBEDDED
from pipeline.camera import translation_from_crop
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.rotations import rotmat_to_rotvec
from pipeline.types import Bodies
from stages.regression._crop_prediction import CropPrediction

SMALLEST_SCALE = 0.05
"""Trained networks say about 1; below this a body would be 20 times smaller than its box."""


def bodies_from_crops(
    prediction: CropPrediction,
    frame_index: np.ndarray,
    centre_px: np.ndarray,
    side_px: np.ndarray,
    K_px: np.ndarray,
    *,
    backend: str,
    weights_path: Path,
    context: Context,
) -> Bodies:
    """Bodies in the camera from what was seen in square crops (centre and side in the frame).

    Raises:
        InputError: numbers that are not finite.
    """
    crop_camera = prediction.crop_camera.cpu().numpy().astype(np.float64)
    betas = prediction.betas.cpu().numpy()
    pose_rotvec = rotmat_to_rotvec(prediction.pose_rotmat).cpu().numpy()
    refuse_nonsense(
        pose_rotvec, betas, crop_camera, backend=backend, weights_path=weights_path, mend="fp32"
    )
    tiny = crop_camera[:, 0] < SMALLEST_SCALE
    if tiny.any():
        _record_tiny(frame_index[tiny], context.events)
        crop_camera[tiny, 0] = SMALLEST_SCALE
    t_camera_m = translation_from_crop(crop_camera, centre_px, side_px, K_px)
    betas = betas_of_this_body(betas, backend, context)
    return Bodies(pose_rotvec, betas, t_camera_m.astype(np.float32))


def betas_of_this_body(betas: np.ndarray, backend: str, context: Context) -> np.ndarray:
    """SMPL's betas mean nothing on another body: there the mean shape is used."""
    if context.body_model != EMBEDDED:
        return betas
    context.events.record(
        "regression",
        "fallback",
        f"{backend} gives the shape of SMPL bodies, which the embedded body does not know: its "
        "mean shape is used. Give your SMPL file with body.model=SMPL_NEUTRAL.pkl to keep shapes.",
    )
    return np.zeros_like(betas)


def refuse_nonsense(
    *numbers: np.ndarray, backend: str, weights_path: Path, mend: str | None = None
) -> None:
    """Raise where a network gives NaN or infinity.

    Raises:
        InputError: naming the weights and, where there is one, the precision to try.
    """
    if all(np.isfinite(array).all() for array in numbers):
        return
    advice = (
        f"Set regression.{backend}.precision={mend}; if that does not help, the" if mend else "The"
    )
    raise InputError(
        f"{backend}: the network gives numbers that are not finite. {advice} weights are damaged: "
        f"{weights_path}"
    )


def _record_tiny(frame_index: np.ndarray, events: EventLog) -> None:
    events.record(
        "regression",
        "fallback",
        f"{len(frame_index)} bodies in frames {frame_index.min()} to {frame_index.max()} came "
        f"with a camera scale below {SMALLEST_SCALE}, which places them nowhere; "
        f"{SMALLEST_SCALE} is used. Are the weights trained ones?",
    )

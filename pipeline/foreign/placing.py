"""Foreign bodies on this project's body, before its camera: shapes, origins, worlds."""

from dataclasses import replace

import numpy as np
import torch

from pipeline.body_file import EMBEDDED
from pipeline.camera import intrinsics, project, translation_through
from pipeline.context import Context
from pipeline.foreign.result import SMPL_PELVIS_M, ForeignPerson, ForeignResult
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.take import CAMERA_TO_UP
from pipeline.types import Camera, Video

STAGE = "import"
REACH_M = 1.3
"""How far a body reaches from its pelvis."""
NEAREST_PELVIS_M = 1.0


def placed(
    people: list[ForeignPerson],
    result: ForeignResult,
    video: Video,
    camera: Camera,
    context: Context,
) -> list[ForeignPerson]:
    """Everybody with this body's shape, in this camera."""
    same_body = result.body_name == context.body.name
    betas = [_betas(person, result, same_body, context) for person in people]
    shaped = [replace(person, betas=b) for person, b in zip(people, betas, strict=True)]
    if result.has_camera:
        K_px = _foreign_K_px(result, video)
        shaped = [replace(p, t_m=translation_through(p.t_m, K_px, camera.K_px)) for p in shaped]
    moved = [
        replace(p, t_m=p.t_m + _origin_shift(p.betas, result, same_body, context)) for p in shaped
    ]
    if not result.has_camera:
        moved = _before_camera(moved, result, video, camera, context)
    return moved


def _betas(
    person: ForeignPerson, result: ForeignResult, same_body: bool, context: Context
) -> np.ndarray:
    """The file's betas where they mean something on this body, else the mean shape."""
    if same_body or not person.betas.any():
        return person.betas
    if context.body_model != EMBEDDED and result.body in ("smpl", "smplh"):
        return person.betas
    other = "SMPL-X" if result.body == "smplx" else "SMPL"
    text = (
        f"{result.program} gives the shape of {other} bodies, which the body "
        f"'{context.body.name}' does not know: its mean shape is used"
    )
    if other == "SMPL":
        text += ". Give your SMPL file with body.model=SMPL_NEUTRAL.pkl to keep shapes"
    context.events.record(STAGE, "fallback", text)
    return np.zeros(10)


def _origin_shift(
    betas: np.ndarray, result: ForeignResult, same_body: bool, context: Context
) -> np.ndarray:
    """What keeps the pelvis in its place although this body's origin lies elsewhere in it."""
    if same_body or result.body == "bvh" or context.body_model != EMBEDDED:
        return np.zeros(3)
    return np.array(SMPL_PELVIS_M) - _pelvis_m(betas, context)


def _pelvis_m(betas: np.ndarray, context: Context) -> np.ndarray:
    shaped = context.body.with_shape(torch.from_numpy(betas.astype(np.float32)))
    return shaped.joints_rest_m[0].double().numpy()


def _foreign_K_px(result: ForeignResult, video: Video) -> np.ndarray:
    """The camera that the file's places are for."""
    if result.K_px is not None:
        return result.K_px
    width, height = video.width_px, video.height_px
    if result.focal_per_longer_side is None:
        return intrinsics(float(np.hypot(width, height)), width, height)
    return intrinsics(result.focal_per_longer_side * max(width, height), width, height)


def _before_camera(
    people: list[ForeignPerson],
    result: ForeignResult,
    video: Video,
    camera: Camera,
    context: Context,
) -> list[ForeignPerson]:
    """A world without a camera: turned into camera axes, and moved into its view if need be."""
    turn = CAMERA_TO_UP[result.axes].T
    turned = [_turned(person, turn, context) for person in people]
    pelvis_m = np.concatenate([p.t_m + _pelvis_m(p.betas, context) for p in turned])
    if _all_in_view(pelvis_m, camera, video):
        return turned
    shift_m = _shift_into_view(pelvis_m, camera, video)
    told = ", ".join(f"{value:.2f}" for value in shift_m)
    text = f"{result.program} knows no camera: everything was moved by ({told}) m into its view"
    context.events.record(STAGE, "assumption", text)
    return [replace(person, t_m=person.t_m + shift_m) for person in turned]


def _turned(person: ForeignPerson, turn: np.ndarray, context: Context) -> ForeignPerson:
    rotmat = torch.from_numpy(turn) @ rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec[:, 0]))
    pose = person.pose_rotvec.copy()
    pose[:, 0] = rotmat_to_rotvec(rotmat).numpy()
    pelvis_m = _pelvis_m(person.betas, context)
    return replace(person, pose_rotvec=pose, t_m=(person.t_m + pelvis_m) @ turn.T - pelvis_m)


def _all_in_view(pelvis_m: np.ndarray, camera: Camera, video: Video) -> bool:
    if (pelvis_m[:, 2] < NEAREST_PELVIS_M).any():
        return False
    seen_px = project(pelvis_m, camera.K_px)
    return bool(((seen_px >= 0) & (seen_px <= (video.width_px, video.height_px))).all())


def _shift_into_view(pelvis_m: np.ndarray, camera: Camera, video: Video) -> np.ndarray:
    """In front of the camera, its middle on the optical axis, far enough to be seen whole."""
    low, high = pelvis_m.min(axis=0), pelvis_m.max(axis=0)
    half_px = np.array([video.width_px, video.height_px]) / 2
    focal_px = camera.K_px[[0, 1], [0, 1]]
    distance_m = ((high - low)[:2] / 2 + REACH_M) * focal_px / half_px
    middle = (low + high) / 2
    return np.array([-middle[0], -middle[1], distance_m.max() - low[2]])

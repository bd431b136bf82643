"""From what another program wrote to this project's people, on a video's frames, in its camera."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pipeline.body_file import EMBEDDED
from pipeline.camera import intrinsics, make_camera, project, translation_through
from pipeline.config import CameraSettings
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.foreign.result import SMPL_PELVIS_M, ForeignPerson, ForeignResult
from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.take import CAMERA_TO_UP, without_gaps
from pipeline.types import Camera, Person, Status, Video

STAGE = "import"
ASSUMED_FPS = 30.0
SIZE_WITHOUT_VIDEO_PX = (1280, 720)
RATE_TOLERANCE = 0.02
REACH_M = 1.3
"""How far a body reaches from its pelvis."""
NEAREST_PELVIS_M = 1.0
NO_VIDEO = "none"
"""The codec of a result that was imported without its video."""


@dataclass(frozen=True)
class Imported:
    """What a result folder is made of."""

    video: Video
    camera: Camera
    people: tuple[Person, ...]


def video_of_nothing(result: ForeignResult, path: Path, events: EventLog) -> Video:
    """A video's facts, as far as a result without its video tells them."""
    frames = 1 + max(int(person.frame_index[-1]) for person in result.people)
    fps = result.fps or ASSUMED_FPS
    size = result.size_px or SIZE_WITHOUT_VIDEO_PX
    if result.fps is None:
        text = f"No video was given: {ASSUMED_FPS:.0f} frames a second are assumed (--video x.mp4)"
        events.record(STAGE, "assumption", text)
    return Video(path, *size, 0, np.arange(frames) / fps, 0, False, NO_VIDEO)


def imported(
    result: ForeignResult, video: Video, known: CameraSettings, context: Context, path: Path
) -> Imported:
    """Everybody on the frames of a video.

    Raises:
        InputError: the result and the video do not belong together, or bodies that are none.
    """
    _check_size(result, video, path)
    camera = _camera(result, video, known, context.events)
    on_frames = [_on_frames(person, result, video, path, context) for person in result.people]
    placed = _placed(on_frames, result, video, camera, context)
    kept = [person for person in placed if person is not None]
    if not kept:
        raise InputError(f"{path}: no body in it can be used")
    kept.sort(key=lambda person: person.frame_index[0])
    numbered = tuple(replace(person, id=number) for number, person in enumerate(kept, start=1))
    _tell(result, context.events)
    return Imported(video, camera, tuple(_with_boxes(p, camera, context) for p in numbered))


def _check_size(result: ForeignResult, video: Video, path: Path) -> None:
    size = (video.width_px, video.height_px)
    if result.size_px not in (None, size):
        raise InputError(
            f"{path}: was made from a video of {result.size_px} pixels, "
            f"{video.path} has {size}. Is it another video?"
        )


def _camera(result: ForeignResult, video: Video, known: CameraSettings, events: EventLog) -> Camera:
    if known.focal_px is None and known.fov_deg is None and result.K_px is not None:
        return Camera(result.K_px, "estimated")
    return make_camera(video, known.focal_px, known.fov_deg, events)


def _on_frames(
    person: ForeignPerson, result: ForeignResult, video: Video, path: Path, context: Context
) -> ForeignPerson:
    """The person on the video's frames; a file with its own rate is sampled at their times."""
    finite = np.isfinite(person.pose_rotvec).all(axis=(1, 2)) & np.isfinite(person.t_m).all(axis=1)
    if not finite.all():
        text = f"{(~finite).sum()} frames of {person.label} hold NaN or infinity: left out"
        context.events.record(STAGE, "drop", text)
        person = _rows(person, finite)
    if not np.isfinite(person.betas).all():
        raise InputError(f"{path}: person {person.label}: 'betas' are not finite")
    if not len(person.frame_index):
        return person
    if (person.frame_index[0] < 0) or (np.diff(person.frame_index) <= 0).any():
        raise InputError(f"{path}: person {person.label} is twice in a frame, or before the first")
    rate = result.fps
    if rate is not None and abs(rate / video.fps - 1) > RATE_TOLERANCE:
        return _sampled(person, rate, video, context.events)
    last, frames = int(person.frame_index[-1]), video.frame_count
    if last >= frames:
        if rate is None and result.has_camera:
            raise InputError(
                f"{path}: goes to frame {last}, {video.path} has only {frames}. "
                "Is it another video?"
            )
        text = f"frames {frames} to {last} lie behind the end of the video: left out"
        context.events.record(STAGE, "truncation", text)
        person = _rows(person, person.frame_index < frames)
    return person


def _rows(person: ForeignPerson, rows: np.ndarray) -> ForeignPerson:
    names = ("frame_index", "pose_rotvec", "t_m", "status", "confidence")
    boxes = None if person.boxes_xyxy_px is None else person.boxes_xyxy_px[rows]
    kept = {name: getattr(person, name)[rows] for name in names}
    return replace(person, **kept, boxes_xyxy_px=boxes)


def _sampled(person: ForeignPerson, fps: float, video: Video, events: EventLog) -> ForeignPerson:
    own_s = person.frame_index / fps
    time_s = video.time_s - video.time_s[0]
    inside = time_s <= own_s[-1] + 1e-9
    text = (
        f"the file has {fps:.6g} frames a second, the video {video.fps:.6g}: sampled at its times"
    )
    events.record(STAGE, "info", text)
    count = int(inside.sum())
    return ForeignPerson(
        label=person.label,
        frame_index=np.flatnonzero(inside),
        pose_rotvec=interpolate_rotvec(own_s, person.pose_rotvec, time_s[inside]),
        betas=person.betas,
        t_m=interpolate_linear(own_s, person.t_m, time_s[inside]),
        status=np.full(count, Status.OBSERVED, np.uint8),
        confidence=np.ones(count, np.float32),
    )


def _placed(
    people: list[ForeignPerson],
    result: ForeignResult,
    video: Video,
    camera: Camera,
    context: Context,
) -> list[Person | None]:
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
    return [_person(person, video) for person in moved]


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


def _person(person: ForeignPerson, video: Video) -> Person | None:
    """On consecutive frames; between sightings MISSING."""
    if not len(person.frame_index):
        return None
    first, last = int(person.frame_index[0]), int(person.frame_index[-1])
    rows, count = person.frame_index - first, last - first + 1
    frame_index = np.arange(first, last + 1, dtype=np.int32) + video.first_frame

    def spread(values: np.ndarray, fill: float) -> np.ndarray:
        whole = np.full((count, *values.shape[1:]), fill, np.float32)
        whole[rows] = values
        return whole

    status = np.full(count, Status.MISSING, np.uint8)
    status[rows] = person.status
    boxes = person.boxes_xyxy_px
    return without_gaps(
        Person(
            id=1,
            frame_index=frame_index,
            time_s=video.times_of(frame_index),
            status=status,
            confidence=spread(person.confidence, 0.0),
            pose_rotvec=spread(_within_a_turn(person.pose_rotvec), 0.0),
            betas=person.betas.astype(np.float32),
            t_camera_m=spread(person.t_m, 0.0),
            boxes_xyxy_px=spread(
                np.full((len(rows), 4), np.nan) if boxes is None else boxes, np.nan
            ),
        )
    )


def _within_a_turn(pose_rotvec: np.ndarray) -> np.ndarray:
    """The same rotations by at most half a turn."""
    return rotmat_to_rotvec(rotvec_to_rotmat(torch.from_numpy(pose_rotvec))).numpy()


def _with_boxes(person: Person, camera: Camera, context: Context) -> Person:
    """Observed frames must have a box: where the file has none, the body's."""
    lacking = person.observed & ~np.isfinite(person.boxes_xyxy_px).all(axis=1)
    if not lacking.any():
        return person
    text = "the file has no boxes: those around the bodies' joints are used"
    context.events.record(STAGE, "info", text)
    posed = context.body.with_shape(torch.from_numpy(person.betas)).with_pose(
        torch.from_numpy(person.pose_rotvec), torch.from_numpy(person.t_camera_m)
    )
    seen_px = project(posed.joints_m.numpy(), camera.K_px)
    around = np.concatenate([seen_px.min(axis=1), seen_px.max(axis=1)], axis=1)
    boxes = np.where(lacking[:, None], around, person.boxes_xyxy_px)
    return replace(person, boxes_xyxy_px=boxes.astype(np.float32))


def _tell(result: ForeignResult, events: EventLog) -> None:
    if result.ghosts:
        text = (
            f"{result.ghosts} times {result.program} repeats the last body of somebody it had "
            "lost: those frames are missing here"
        )
        events.record(STAGE, "info", text)
    if result.body == "smplx":
        text = f"{result.program} gives SMPL-X: its 22 body joints are kept, hands are at rest"
        events.record(STAGE, "info", text)

"""From what another program wrote to this project's people, on a video's frames, in its camera."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pipeline.camera import make_camera, project
from pipeline.config import CameraSettings
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.foreign.placing import STAGE, placed
from pipeline.foreign.result import ForeignPerson, ForeignResult
from pipeline.interpolate import interpolate_linear, interpolate_rotvec
from pipeline.result import NO_CODEC
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat
from pipeline.take import without_gaps
from pipeline.types import Camera, Person, Status, Video

ASSUMED_FPS = 30.0
LARGEST = 1e6
"""Metres or radians; what is beyond is no motion, and would not survive single precision."""
SIZE_WITHOUT_VIDEO_PX = (1280, 720)
RATE_TOLERANCE = 0.02


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
    return Video(path, *size, 0, np.arange(frames) / fps, 0, False, NO_CODEC)


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
    some = [person for person in on_frames if len(person.frame_index)]
    if not some:
        raise InputError(
            f"{path}: no body in it can be used: none is finite in a frame that the video has"
        )
    kept = [_person(person, video) for person in placed(some, result, video, camera, context)]
    kept.sort(key=lambda person: person.frame_index[0])
    numbered = tuple(replace(person, id=number) for number, person in enumerate(kept, start=1))
    _tell(result, context.events)
    return Imported(video, camera, tuple(_with_boxes(p, camera, context) for p in numbered))


def _check_size(result: ForeignResult, video: Video, path: Path) -> None:
    size = (video.width_px, video.height_px)
    if result.size_px and result.size_px != size:
        raise InputError(
            f"{path}: was made from a video of {_by(result.size_px)} pixels, "
            f"{video.path} has {_by(size)}. Is it another video?"
        )


def _by(size_px: tuple[int, int]) -> str:
    return "x".join(map(str, size_px))


def _camera(result: ForeignResult, video: Video, known: CameraSettings, events: EventLog) -> Camera:
    if known.focal_px is None and known.fov_deg is None and result.K_px is not None:
        return Camera(result.K_px, "estimated")
    return make_camera(video, known.focal_px, known.fov_deg, events)


def _on_frames(
    person: ForeignPerson, result: ForeignResult, video: Video, path: Path, context: Context
) -> ForeignPerson:
    """The person on the video's frames; a file with its own rate is sampled at their times."""
    usable = np.abs(person.pose_rotvec).max(axis=(1, 2), initial=0) <= LARGEST  # NaN is not
    finite = usable & (np.abs(person.t_m).max(axis=1, initial=0) <= LARGEST)
    if not finite.all():
        text = f"{(~finite).sum()} frames of {person.label} hold NaN or infinity: left out"
        context.events.record(STAGE, "drop", text)
        person = _rows(person, finite)
    if not (np.abs(person.betas) <= LARGEST).all():
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


def _person(person: ForeignPerson, video: Video) -> Person:
    """On consecutive frames; between sightings MISSING."""
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

"""The nouns that travel between stages: frozen dataclasses of NumPy arrays. Read this first.

Conventions: camera as in OpenCV (x right, y down, z forward); metres, radians, seconds;
RGB uint8; frame 0 is the first frame of the source video; a pixel's centre is at +0.5;
SMPL joint order. `n` detections, `t` frames of a person, `k` landmarks, `f` frames of the video.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32, UInt8


@dataclass(frozen=True)
class Video:
    """The part of a video file that a run works on."""

    path: Path
    width_px: int
    """Width after rotation metadata is applied."""
    height_px: int
    """Height after rotation metadata is applied."""
    first_frame: int
    """Index in the source of the first frame used (0 unless `--start` was given)."""
    time_s: Float64[np.ndarray, " f"]
    """Presentation time of every frame used, on the source's clock, increasing."""
    rotation_deg: int
    """Clockwise rotation (0, 90, 180, 270) that was applied to the stored picture."""
    has_audio: bool
    codec: str
    cut_frames: Int32[np.ndarray, " c"] | None = None
    """Source frames that begin a new shot; None where nobody has looked."""

    @property
    def frame_count(self) -> int:
        """Number of frames used."""
        return len(self.time_s)

    @property
    def frame_index(self) -> Int32[np.ndarray, " f"]:
        """Source index of every frame used."""
        return np.arange(self.first_frame, self.first_frame + self.frame_count, dtype=np.int32)

    @property
    def fps(self) -> float:
        """Mean frame rate; 30 where a single frame gives none."""
        if self.frame_count < 2:  # noqa: PLR2004
            return 30.0
        return float((self.frame_count - 1) / (self.time_s[-1] - self.time_s[0]))

    def times_of(self, frame_index: Int32[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
        """Presentation times in seconds of the given source frames."""
        return self.time_s[frame_index - self.first_frame]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera, one for all frames."""

    K_px: Float64[np.ndarray, "3 3"]
    """Intrinsics in pixels of the (rotated) video."""
    origin: Literal["given", "estimated", "assumed"]


@dataclass(frozen=True)
class Detections:
    """People found in single frames, n over the whole video, ordered by frame."""

    frame_index: Int32[np.ndarray, " n"]
    boxes_xyxy_px: Float32[np.ndarray, "n 4"]
    """Left, top, right, bottom; may reach beyond the picture."""
    score: Float32[np.ndarray, " n"]
    """Confidence that this is a person, 0 to 1."""
    skeleton: str | None = None
    """Name of the landmark set in `pipeline.skeletons`, where there are landmarks."""
    landmarks_px: Float32[np.ndarray, "n k 3"] | None = None
    """x, y in pixels and visibility 0 to 1."""
    landmarks_m: Float32[np.ndarray, "n k 3"] | None = None
    """The detector's own 3D landmarks: metres, camera axes (y down, z forward), hip-centred."""

    def __len__(self) -> int:
        return len(self.frame_index)


@dataclass(frozen=True)
class Bodies:
    """A SMPL body for every detection (same n, same order)."""

    pose_rotvec: Float32[np.ndarray, "n 24 3"]
    """Joint rotations as axis-angle; joint 0 turns the body into the camera's axes."""
    betas: Float32[np.ndarray, "n 10"]
    t_camera_m: Float32[np.ndarray, "n 3"]
    """SMPL translation: vertices in the camera = posed vertices + this."""
    appearance: Float[np.ndarray, "n d"] | None = None
    """A vector that describes how the person looks, where the backend gives one."""
    pose_spread_rad: Float32[np.ndarray, "n 24"] | None = None
    """Error to expect of each rotation, where the backend tells."""

    def __len__(self) -> int:
        return len(self.betas)


class Status(IntEnum):
    """How a person's body in one frame came about."""

    MISSING = 0
    OBSERVED = 1
    INTERPOLATED = 2
    PREDICTED = 3


@dataclass(frozen=True)
class Person:
    """One person over t consecutive frames, from the first to the last time it was seen."""

    id: int
    """1, 2, 3, ... in order of first appearance."""
    frame_index: Int32[np.ndarray, " t"]
    """Source frames, consecutive."""
    time_s: Float64[np.ndarray, " t"]
    status: UInt8[np.ndarray, " t"]
    """A `Status` per frame. Where MISSING, pose and place are a guess not to be drawn."""
    confidence: Float32[np.ndarray, " t"]
    """0 to 1; 0 where missing."""
    pose_rotvec: Float32[np.ndarray, "t 24 3"]
    betas: Float32[np.ndarray, " 10"]
    t_camera_m: Float32[np.ndarray, "t 3"]
    boxes_xyxy_px: Float32[np.ndarray, "t 4"]
    """NaN where not observed."""
    skeleton: str | None = None
    keypoints_px: Float32[np.ndarray, "t k 3"] | None = None
    """x, y, visibility; NaN where not observed."""
    landmarks_m: Float32[np.ndarray, "t k 3"] | None = None
    """NaN where not observed."""
    pose_spread_rad: Float32[np.ndarray, "t 24"] | None = None
    """Error to expect of each regressed rotation; NaN where not observed."""

    def __len__(self) -> int:
        return len(self.frame_index)

    def cut(self, rows: slice | np.ndarray) -> "Person":
        """Some of the frames."""
        every = {key: getattr(self, key) for key in PER_FRAME}
        kept: dict[str, Any] = {key: v if v is None else v[rows] for key, v in every.items()}
        return replace(self, **kept)

    @property
    def observed(self) -> np.ndarray:
        """(t,) bool: frames in which the person was detected."""
        return self.status == Status.OBSERVED

    @property
    def drawn(self) -> np.ndarray:
        """(t,) bool: frames in which the body is to be believed."""
        return self.status != Status.MISSING


SIGHTED = (
    *("pose_rotvec", "t_camera_m", "boxes_xyxy_px", "keypoints_px", "landmarks_m"),
    "pose_spread_rad",
)
"""Fields of a `Person` with a row of each sighting."""
PER_FRAME = ("frame_index", "time_s", "status", "confidence", *SIGHTED)
"""All that have a row per frame."""


@dataclass(frozen=True)
class PosedMesh:
    """One body to draw in one frame."""

    person_id: int
    vertices_camera_m: Float32[np.ndarray, "v 3"]
    rgb: UInt8[np.ndarray, "..."]
    """(3,) one colour, or (v, 3) a colour per vertex."""
    alpha: float = 1.0
    label: str | None = None
    """Text drawn above the body."""


@dataclass(frozen=True)
class Layer:
    """A drawn picture to be laid over a frame; covers only the rectangle it needs."""

    x_px: int
    """Left edge in the frame; always even, so that it fits 4:2:0 chroma."""
    y_px: int
    """Top edge in the frame; always even."""
    rgba: UInt8[np.ndarray, "h w 4"]
    """Straight (not premultiplied) colour and coverage; h and w may be 0."""

"""People with a known motion, and with the errors that regressors make of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from pipeline.body import BodyModel
from pipeline.errors import InputError
from pipeline.scenes.motion import Motion
from pipeline.scenes.motions import walk
from pipeline.scenes.recordings import read_recording, sampled
from pipeline.scenes.standing import reach, sit, squat, turn_in_place
from pipeline.types import Person, Status

SHORTEST_S, LONGEST_S = 3.0, 8.0
DISTANCE_M = 6.0
WORLD_TO_CAMERA = Rotation.from_rotvec([np.pi, 0, 0])
"""y up to y down, z ahead."""
ON_THE_SPOT: dict[str, Callable[..., Motion]] = {
    "turn": turn_in_place,
    "sit": sit,
    "reach": reach,
    "squat": squat,
}


@dataclass(frozen=True)
class Noise:
    """Errors per joint, in degrees and in units of the distance."""

    name: str
    white_deg: float
    """Length of the error's vector, root mean square; new in every frame."""
    slow_deg: float
    """The same, of a part that changes slowly."""
    slow_s: float
    slow_wanders: bool
    """True: from frame to frame, at random; False: along a smooth curve."""
    bursts: float
    """Share of frames in which a wrong turn of a joint begins."""
    burst_deg: tuple[float, float]
    """How wrong, least and most."""
    burst_frames: int
    """Longest; all lengths from one frame on are alike often."""
    ray: float = 0.003
    depth: float = 0.03

    def title(self) -> str:
        """In words."""
        return (
            f"{self.name}: {self.white_deg:.1f} + slow {self.slow_deg:.1f} degrees, "
            f"{100 * self.bursts:g} % wrong turns"
        )


REGRESSOR = Noise("regressor-like", 0.9 * 3**0.5, 4.5 * 3**0.5, 0.5, False, 0.005, (12.0, 12.0), 3)
"""0.9 and 4.5 degrees about each axis, rare short turns: as far off as SPIN and PARE are."""
WILD = Noise("wild", 6.0, 4.0, 0.5, True, 0.02, (40.0, 150.0), 1)
"""Many single frames far off: left taken for right, a limb hidden."""


def true_people(motions: Path | None, body: BodyModel, fps: float, most: int) -> dict[str, Person]:
    """Up to `most` people by the names of their motions, spread evenly over them.

    Args:
        motions: a folder of motion files, or one that holds them as `val/`; None: the project's
            own motions.
        body: who moves.
        fps: frame rate.
        most: clips wanted at most.

    Raises:
        InputError: no motion in it is long enough.
    """
    if motions is None:
        return dict(list(_procedural(body, fps))[:most])
    folder = motions / "val" if (motions / "val").is_dir() else motions
    lengths = {path: read_recording(path).end_s for path in sorted(folder.glob("*.npz"))}
    files = [path for path, end_s in lengths.items() if end_s >= SHORTEST_S]
    if not files:
        raise InputError(f"--motions {motions}: no motion (.npz) of {SHORTEST_S:g} s or more")
    chosen = np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).round().astype(int))
    return {files[k].stem: _recorded(files[k], body, fps) for k in chosen}


def _recorded(path: Path, body: BodyModel, fps: float) -> Person:
    """The first seconds of a file, on the mean shape."""
    recording = read_recording(path)
    time_s = np.arange(0, min(recording.end_s, LONGEST_S), 1 / fps)
    root_m = body.J_template_m[0].double().numpy()
    pose_rotvec, pelvis_m = sampled(recording, root_m, time_s)
    return _before_camera(time_s, pose_rotvec, pelvis_m - root_m)


def _procedural(body: BodyModel, fps: float) -> Iterator[tuple[str, Person]]:
    betas, frames = np.zeros(10, np.float32), round(LONGEST_S * fps)
    corners = [(-2.0, -1.0), (1.0, 0.5), (0.0, 3.0)]

    def person(motion: Motion) -> Person:
        return _before_camera(motion.time_s, motion.pose_rotvec, motion.t_world_m)

    yield "walk", person(walk(body, betas, corners, frames=frames, fps=fps))
    for name, made in ON_THE_SPOT.items():
        yield name, person(made(body, betas, frames=frames, fps=fps))


def _before_camera(
    time_s: Float64[np.ndarray, " t"],
    pose_rotvec: Float64[np.ndarray, "t 24 3"],
    t_world_m: Float64[np.ndarray, "t 3"],
) -> Person:
    """Seen from the front, half as far apart as in the world so that all stay in the picture."""
    total = len(time_s)
    pose = pose_rotvec.copy()
    pose[:, 0] = (WORLD_TO_CAMERA * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
    place_m = WORLD_TO_CAMERA.apply(t_world_m) / 2 + [0, 1, DISTANCE_M]
    return Person(
        id=1,
        frame_index=np.arange(total, dtype=np.int32),
        time_s=time_s,
        status=np.full(total, Status.OBSERVED, np.uint8),
        confidence=np.ones(total, np.float32),
        pose_rotvec=pose.astype(np.float32),
        betas=np.zeros(10, np.float32),
        t_camera_m=place_m.astype(np.float32),
        boxes_xyxy_px=np.zeros((total, 4), np.float32),
    )


def with_noise(person: Person, seed: int, noise: Noise) -> Person:
    """Errors on every joint, along the ray and along depth."""
    rng = np.random.default_rng(seed)
    total = len(person)
    slow = _slow(rng, person.time_s, noise)
    white = rng.normal(size=(total, 24, 3))
    error_deg = (noise.white_deg * white + noise.slow_deg * slow) / np.sqrt(3)
    error_deg += _bursts_deg(rng, total, noise)
    true = Rotation.from_rotvec(person.pose_rotvec.reshape(-1, 3))
    pose = true * Rotation.from_rotvec(np.deg2rad(error_deg).reshape(-1, 3))
    depth = person.t_camera_m[:, 2:] * np.exp(noise.depth * rng.normal(size=(total, 1)))
    ray = person.t_camera_m[:, :2] / person.t_camera_m[:, 2:]
    ray = ray + noise.ray * rng.normal(size=(total, 2))
    return replace(
        person,
        pose_rotvec=pose.as_rotvec().reshape(total, 24, 3).astype(np.float32),
        t_camera_m=np.concatenate([ray * depth, depth], axis=1).astype(np.float32),
    )


def with_gaps(person: Person, gap_frames: int, seen_frames: int) -> Person:
    """Gaps of one length all along, so many seen frames between; the last frame is seen."""
    hidden = np.arange(len(person)) % (gap_frames + seen_frames) >= seen_frames
    hidden[-1] = False
    status = np.where(hidden, Status.MISSING, Status.OBSERVED).astype(np.uint8)
    return replace(person, status=status)


def _slow(rng: np.random.Generator, time_s: np.ndarray, noise: Noise) -> np.ndarray:
    """(t, 24, 3) of unit variance."""
    white = rng.normal(size=(len(time_s), 24, 3))
    step_s = np.median(np.diff(time_s))
    if noise.slow_wanders:
        kept = np.exp(-step_s / noise.slow_s)
        return np.asarray(lfilter([np.sqrt(1 - kept**2)], [1, -kept], white, axis=0))
    smooth = gaussian_filter1d(white, noise.slow_s / step_s, axis=0, mode="wrap")
    return np.asarray(smooth * np.sqrt(2 * np.sqrt(np.pi) * noise.slow_s / step_s))


def _bursts_deg(rng: np.random.Generator, total: int, noise: Noise) -> np.ndarray:
    """(t, 24, 3) wrong turns that last a frame or a few."""
    wrong = rng.normal(size=(total, 24, 3))
    size = rng.uniform(*noise.burst_deg, (total, 24, 1))
    wrong *= size / np.linalg.norm(wrong, axis=2, keepdims=True)
    begins = rng.random((total, 24, 1)) < noise.bursts
    length = rng.integers(1, noise.burst_frames + 1, (total, 24, 1))
    out = np.zeros_like(wrong)
    for frames in range(noise.burst_frames):
        late = np.roll(wrong * (begins & (length > frames)), frames, axis=0)
        out = np.where(late != 0, late, out)
    return out

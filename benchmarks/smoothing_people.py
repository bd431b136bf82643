"""People with a known motion, and with the errors that regressors make of it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation, RotationSpline

from pipeline.body import load_body
from pipeline.types import Person, Status

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "mocap_smpl" / "train"
CLIPS = ("cmu_01_01", "cmu_02_05", "cmu_135_01", "cmu_11_01", "cmu_60_01_b", "cmu_07_01")
SOURCE_FPS, SECONDS = 30.0, 8.0
HANDS = [22, 23]


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


WILD = Noise("wild", 6.0, 4.0, 0.5, True, 0.02, (40.0, 150.0), 1)
"""Many single frames far off: left taken for right, a limb hidden."""
REGRESSOR = Noise("regressor", 0.9 * 3**0.5, 4.5 * 3**0.5, 0.5, False, 0.005, (12.0, 12.0), 3)
"""0.9 and 4.5 degrees about each axis, rare short turns: as far off as SPIN and PARE are."""


def joints_m(person: Person) -> np.ndarray:
    """(t, 24, 3) joints with the pelvis held."""
    body = load_body("embedded").with_shape(torch.from_numpy(person.betas))
    return body.with_pose(torch.from_numpy(person.pose_rotvec)).joints_m.numpy()


def peak_speed(joints: np.ndarray, time_s: np.ndarray) -> float:
    """Of the hands, m/s."""
    steps = np.linalg.norm(np.diff(joints[:, HANDS], axis=0), axis=2)
    return float(np.percentile(steps / np.diff(time_s)[:, None], 99.5))


def true_person(name: str, fps: float) -> Person:
    """A clip as a person six metres from the camera, at another frame rate by splines."""
    clip = np.load(DATA / f"{name}.npz")
    count = min(len(clip["poses"]), round(SECONDS * SOURCE_FPS))
    source_s = np.arange(count) / SOURCE_FPS
    time_s = np.arange(0, source_s[-1], 1 / fps)
    poses = clip["poses"][:count].reshape(count, 24, 3).astype(np.float64)
    splines = [RotationSpline(source_s, Rotation.from_rotvec(poses[:, j])) for j in range(24)]
    pose = np.stack([spline(time_s).as_rotvec() for spline in splines], axis=1)
    upright = Rotation.from_rotvec([np.pi, 0, 0])
    pose[:, 0] = (upright * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
    place = upright.apply(CubicSpline(source_s, clip["trans"][:count])(time_s)) / 2 + [0, 1, 6]
    total = len(time_s)
    return Person(
        id=1,
        frame_index=np.arange(total, dtype=np.int32),
        time_s=time_s,
        status=np.full(total, Status.OBSERVED, np.uint8),
        confidence=np.ones(total, np.float32),
        pose_rotvec=pose.astype(np.float32),
        betas=np.zeros(10, np.float32),
        t_camera_m=place.astype(np.float32),
        boxes_xyxy_px=np.zeros((total, 4), np.float32),
    )


def with_noise(person: Person, seed: int, noise: Noise = WILD) -> Person:
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

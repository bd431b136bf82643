"""What `whittaker` takes away and what it keeps, on real motion with known errors added.

Run: ``python -m benchmarks.smoothing``. Reads motion at ``../shared/data/mocap_smpl``. The
default cut-offs were chosen by the first table.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.interpolate import CubicSpline
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation, RotationSpline

from pipeline.body import load_body
from pipeline.context import Context
from pipeline.metrics import acceleration_error_mm_s2, mpjpe_mm, translation_error_mm
from pipeline.types import Person, Status
from stages.smoothing.whittaker import Backend, Config

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "mocap_smpl" / "train"
CLIPS = ("cmu_01_01", "cmu_02_05", "cmu_135_01", "cmu_11_01", "cmu_60_01_b", "cmu_07_01")
SOURCE_FPS, SECONDS = 30.0, 8.0
WHITE_DEG, SLOW_DEG, SLOW_S = 6.0, 4.0, 0.5
OUTLIERS, OUTLIER_DEG = 0.02, (40.0, 150.0)
RAY_NOISE, DEPTH_NOISE = 0.003, 0.03
HANDS = [22, 23]


@dataclass(frozen=True)
class Scores:
    """Means over the clips."""

    joint_mm: float
    acceleration_mm_s2: float
    hand_speed: float
    """Peak (99.5th percentile) over the true one."""
    place_mm: float

    def cells(self, raw: "Scores") -> tuple[str, ...]:
        """Table cells; acceleration error as a ratio to the raw one."""
        ratio = self.acceleration_mm_s2 / raw.acceleration_mm_s2
        hand = f"{100 * self.hand_speed:.0f} %"
        return (f"{self.joint_mm:.1f}", f"{ratio:.3f}", hand, f"{self.place_mm:.0f}")


def main() -> None:
    """Print the table of cut-offs at three frame rates, then the one of gaps."""
    console = Console()
    if not DATA.is_dir():
        console.print(f"skipped, there is no {DATA}")
        return
    title = f"{WHITE_DEG:g} + {SLOW_DEG:g} degrees of noise, {100 * OUTLIERS:g} % outliers"
    heads = ("fps", "cut-off Hz", "joints mm", "acceleration", "peak hand", "place mm")
    table = Table(*heads, "noise-free in: mm", "peak hand", "s", title=title)
    for fps in (24.0, 30.0, 60.0):
        truth = [true_person(name, fps) for name in CLIPS]
        noisy = [with_noise(person, seed) for seed, person in enumerate(truth)]
        raw = scores(truth, noisy)
        table.add_row(f"{fps:g}", "raw", *raw.cells(raw), "0.0", "100 %", "")
        for cutoff_hz in (2.0, 3.0, 4.0, 5.0, 6.0):
            settings = Config(rotation_cutoff_hz=cutoff_hz, root_cutoff_hz=cutoff_hz)
            start = time.perf_counter()
            out = smoothed(noisy, settings)
            seconds = time.perf_counter() - start
            clean = scores(truth, smoothed(truth, settings)).cells(raw)
            cells = (*scores(truth, out).cells(raw), clean[0], clean[2], f"{seconds:.2f}")
            table.add_row(f"{fps:g}", f"{cutoff_hz:g}", *cells)
        default = smoothed(noisy, Config())
        table.add_row(f"{fps:g}", "default", *scores(truth, default).cells(raw), "", "", "")
    console.print(table)
    console.print(gap_table())


def gap_table() -> Table:
    """Joint and place error inside of filled gaps."""
    table = Table("gap s", "joints mm", "place mm", title="inside of filled gaps, 30 fps")
    truth = [true_person(name, SOURCE_FPS) for name in CLIPS]
    for frames in (3, 6, 10, 14):
        errors = []
        for seed, person in enumerate(truth):
            hidden = np.arange(len(person)) % (frames + 20) >= 20
            hidden[-1] = False
            status = np.where(hidden, Status.MISSING, Status.OBSERVED).astype(np.uint8)
            noisy = replace(with_noise(person, seed), status=status)
            (out,) = smoothed([noisy], Config())
            joints = mpjpe_mm(joints_m(out), joints_m(person), valid=hidden)
            place = translation_error_mm(out.t_camera_m, person.t_camera_m, valid=hidden)
            errors.append((joints, place))
        joint_mm, place_mm = np.mean(errors, axis=0)
        table.add_row(f"{frames / SOURCE_FPS:.2f}", f"{joint_mm:.0f}", f"{place_mm:.0f}")
    return table


def smoothed(people: list[Person], settings: Config) -> list[Person]:
    """Each on its own, as the pipeline does."""
    return list(Backend(settings, Context())(tuple(people)))


def scores(truth: list[Person], found: list[Person]) -> Scores:
    """Means over people."""
    rows = []
    for true, person in zip(truth, found, strict=True):
        wanted, got = joints_m(true), joints_m(person)
        rows.append(
            (
                mpjpe_mm(got, wanted),
                acceleration_error_mm_s2(got, wanted, true.time_s),
                peak_speed(got, true.time_s) / peak_speed(wanted, true.time_s),
                translation_error_mm(person.t_camera_m, true.t_camera_m),
            )
        )
    return Scores(*np.mean(rows, axis=0))


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


def with_noise(person: Person, seed: int) -> Person:
    """White and slow noise and single wild frames on every joint; noise along ray and depth."""
    rng = np.random.default_rng(seed)
    total = len(person)
    kept = np.exp(-np.median(np.diff(person.time_s)) / SLOW_S)
    slow = lfilter([np.sqrt(1 - kept**2)], [1, -kept], rng.normal(size=(total, 24, 3)), axis=0)
    error_deg = (WHITE_DEG * rng.normal(size=(total, 24, 3)) + SLOW_DEG * slow) / np.sqrt(3)
    wild = rng.normal(size=(total, 24, 3))
    wild *= rng.uniform(*OUTLIER_DEG, (total, 24, 1)) / np.linalg.norm(wild, axis=2, keepdims=True)
    error_deg += wild * (rng.random((total, 24, 1)) < OUTLIERS)
    true = Rotation.from_rotvec(person.pose_rotvec.reshape(-1, 3))
    pose = true * Rotation.from_rotvec(np.deg2rad(error_deg).reshape(-1, 3))
    depth = person.t_camera_m[:, 2:] * np.exp(DEPTH_NOISE * rng.normal(size=(total, 1)))
    ray = person.t_camera_m[:, :2] / person.t_camera_m[:, 2:]
    ray = ray + RAY_NOISE * rng.normal(size=(total, 2))
    return replace(
        person,
        pose_rotvec=pose.as_rotvec().reshape(total, 24, 3).astype(np.float32),
        t_camera_m=np.concatenate([ray * depth, depth], axis=1).astype(np.float32),
    )


if __name__ == "__main__":
    main()
